package charts

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"ward"
)

// vector is the request that posts an entry of testdata/vectors.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../testdata/vectors/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Input struct {
			Entry  string
			Sealed []byte
		}
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"entries": []ward.NewEntry{{Text: v.Input.Entry, Sealed: v.Input.Sealed}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func read(body []byte) ([]newEntry, error) {
	return readEntries(httptest.NewRequest("POST", "/", bytes.NewReader(body)))
}

func TestABatchSaysOneThingToEveryReader(t *testing.T) {
	good := string(vector(t, "entry-note"))
	batch, err := read([]byte(good))
	if err != nil || len(batch) != 1 || batch[0].fault != nil {
		t.Fatalf("a good batch: %v, %d entries", err, len(batch))
	}
	one := strings.TrimSuffix(strings.TrimPrefix(good, `{"entries":[`), `]}`)
	batchOfGood := func(n int) string { return `{"entries":[` + strings.Repeat(one+",", n-1) + one + `]}` }
	if batch, err := read([]byte(batchOfGood(ward.MaxBatch))); err != nil || len(batch) != ward.MaxBatch {
		t.Fatalf("as many as fit: %v, %d entries", err, len(batch))
	}
	for name, body := range map[string]string{
		"nothing":                 "",
		"half":                    good[:len(good)/2],
		"an unknown field":        strings.Replace(good, `"text"`, `"more":1,"text"`, 1),
		"a name in other letters": strings.Replace(good, `"entries"`, `"Entries"`, 1),
		"a name that comes twice": strings.Replace(good, `"text"`, `"text":"","text"`, 1),
		"two batches in one":      strings.Replace(good, `{"entries"`, `{"entries":[],"entries"`, 1),
		"something after it":      good + "{}",
		"bytes that are no UTF-8": strings.Replace(good, `"text"`, "\"upload\":\"\xff\",\"text\"", 1),
		"no entry":                `{"entries":[]}`,
		"too many":                batchOfGood(ward.MaxBatch + 1),
	} {
		if _, err := read([]byte(body)); ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadEntries(f *testing.F) {
	for _, name := range []string{"entry-note", "entry-altered", "entry-not-age"} {
		f.Add(vector(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		batch, err := read(body)
		if err != nil {
			if ward.KindOf(err) == ward.Internal {
				t.Fatalf("what is wrong with it is not said: %v", err)
			}
			return
		}
		// Who reads as Go's clients do sees the same.
		var same struct{ Entries []ward.NewEntry }
		if err := json.Unmarshal(body, &same); err != nil || len(same.Entries) != len(batch) {
			t.Fatalf("two readers do not agree: %v, %d and %d entries", err, len(batch), len(same.Entries))
		}
		for i, n := range batch {
			if same.Entries[i].Text != n.sent.Text || !bytes.Equal(same.Entries[i].Sealed, n.sent.Sealed) || string(n.Text) != n.sent.Text {
				t.Fatalf("two readers do not agree on entry %d", i)
			}
		}
	})
}
