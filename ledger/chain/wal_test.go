package chain

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/cometbft/cometbft/consensus"
)

// logOf writes records as CometBFT does, and gives the file's folder and where each ends.
func logOf(t testing.TB, records int) (dir string, ends []int64) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, "wal")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	enc := consensus.NewWALEncoder(f)
	for n := range records {
		if err := enc.Encode(&consensus.TimedWALMessage{Msg: consensus.EndHeightMessage{Height: int64(n)}}); err != nil {
			t.Fatal(err)
		}
		at, err := f.Seek(0, 1)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, at)
	}
	return dir, ends
}

func TestAnEndOfTheWriteAheadLogThatIsNotWholeIsCutOff(t *testing.T) {
	const records = 5
	_, ends := logOf(t, records)
	spoil := map[string]struct {
		do   func([]byte) []byte
		want int64
	}{
		"whole":                  {func(b []byte) []byte { return b }, ends[4]},
		"empty":                  {func([]byte) []byte { return nil }, 0},
		"a byte short":           {func(b []byte) []byte { return b[:len(b)-1] }, ends[3]},
		"half a header":          {func(b []byte) []byte { return b[:ends[3]+3] }, ends[3]},
		"another byte":           {func(b []byte) []byte { b[ends[4]-1] ^= 1; return b }, ends[3]},
		"another in the middle":  {func(b []byte) []byte { b[ends[1]+9] ^= 1; return b }, ends[1]},
		"a length beyond all":    {func(b []byte) []byte { b[ends[2]+4] = 0xff; return b }, ends[2]},
		"noise behind it":        {func(b []byte) []byte { return append(b, bytes.Repeat([]byte{7}, 60)...) }, ends[4]},
		"room that was not used": {func(b []byte) []byte { return append(b, make([]byte, 80)...) }, ends[4]},
	}
	for name, s := range spoil {
		t.Run(name, func(t *testing.T) {
			dir, _ := logOf(t, records)
			file := filepath.Join(dir, "wal")
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, s.do(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := mendLog(dir); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(file)
			if err != nil || int64(len(after)) != s.want || !bytes.HasPrefix(raw, after[:min(len(after), int(ends[1]))]) {
				t.Errorf("%d bytes are left of %d, %v", len(after), s.want, err)
			}
		})
	}
	if err := mendLog(t.TempDir()); err != nil {
		t.Errorf("of a member that is new: %v", err)
	}
}

func FuzzWriteAheadLog(f *testing.F) {
	dir, _ := logOf(f, 3)
	raw, err := os.ReadFile(filepath.Join(dir, "wal"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, err := wholeRecords(bytes.NewReader(raw))
		if err != nil || whole > int64(len(raw)) {
			t.Fatal(whole, err)
		}
		if again, _ := wholeRecords(bytes.NewReader(raw[:whole])); again != whole {
			t.Errorf("of %d whole bytes %d are whole", whole, again)
		}
	})
}
