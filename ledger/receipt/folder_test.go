package receipt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/tlog"
)

// anExport is a folder with two looks, an entry and a person, all recorded and agreed.
func anExport(t *testing.T, c *consortium) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	put := func(name, text string) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	person := strings.Repeat("a", 26)
	statement := "ward/entry/1\n{}\nsignature\n"
	leaves := []Proof{
		{Kind: LeafEvent, Ref: "one", Text: `{"event":"one","seq":1,"time":"T1","action":"readEntries"}`},
		{Kind: LeafEvent, Ref: "two", Text: `{"event":"two","seq":2,"time":"T2","action":"writeEntry"}`},
		{Kind: LeafEntry, Ref: "entry", Text: statement},
	}
	for i := range leaves {
		leaves[i].Salt = Salt(seed(byte(i))[:])
		c.add(Commitment(leaves[i].Kind, leaves[i].Salt, []byte(leaves[i].Text)))
	}
	block := c.block(7, 1)
	var receipts, looks string
	for i, p := range leaves {
		r := c.receipt(block, int64(i))
		p.Receipt = &r
		receipts += string(marshal(t, p)) + "\n"
		if p.Kind == LeafEvent {
			looks = strings.TrimSuffix(p.Text, "}") + `,"hash":"x"}` + "\n" + looks
		}
	}
	card := "ward/card/1\nfirst\n"
	key := LinkKey(c.Origin, Label(c.Salt, person))
	state := []Leaf{{key, LineValue([]byte(card))}, {Key(seed(9)), Hash(seed(10))}}
	proof := prove(state, key)
	proof.Signed = c.signed(8, 0, map[int]Hash{fieldApp: trieRoot(state, 0)}, StateFields...)
	put(FolderLedger, string(marshal(t, NewFolder(c.Trust, nil, &Final{c.seen(c.size), block}))))
	put(FolderReceipts, receipts)
	put(FolderLines, string(marshal(t, Line{person, proof}))+"\n")
	put("access.jsonl", looks)
	put("entries/lock-000001-entry.txt", statement)
	put("membership/"+person+"/000001.txt", card)
	return files
}

func TestFolderShowsWhatIsAgreedOfNames(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519)
	if _, err := FolderCalled(anExport(t, c), Sets{c.Trust}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an export without names: %v", err)
	}
	log := NamedLog{Origin: c.Origin, SaltHash: SaltHash(c.Salt), Name: "Hillside Clinic", Path: []Hash{}}
	folder := func() fstest.MapFS {
		files := anExport(t, c)
		n := Names{Logs: []NamedLog{log}, Members: []NamedMember{}}
		n.Signed = c.signed(8, 0, map[int]Hash{fieldApp: StateLeaf(LogKey(log.Origin), log.value())}, StateFields...)
		files[FolderNames] = &fstest.MapFile{Data: append(marshal(t, n), '\n')}
		return files
	}
	if called, err := FolderCalled(folder(), Sets{c.Trust}); err != nil || called.Logs[c.Origin].Name != "Hillside Clinic" {
		t.Errorf("names are %+v, %v", called, err)
	}
	if _, err := FolderCalled(folder(), Sets{newConsortium(Ed25519).Trust}); err == nil {
		t.Error("names that strangers signed are taken")
	}
	log.SaltHash = Hash(seed(99))
	if _, err := FolderCalled(folder(), Sets{c.Trust}); err == nil {
		t.Error("another salt is taken")
	}
}

// wrong counts what does not check.
func wrong(found []Finding) (n int) {
	for _, f := range found {
		if f.Err != nil {
			n++
		}
	}
	return n
}

func TestFolderIsCheckedWithNothingElse(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	_, found, err := CheckFolder(anExport(t, c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 5 || wrong(found) > 0 {
		t.Fatalf("found %+v", found)
	}
	for _, f := range found {
		if f.Waiting || f.Agreed.Of != 4 {
			t.Errorf("%s %s: %+v", f.Kind, f.What, f)
		}
	}
	if _, found, err = CheckFolder(anExport(t, newConsortium(Ed25519)), nil); err != nil || wrong(found) > 0 {
		t.Fatalf("of one organisation: %v, %+v", err, found)
	}
}

// TestFolderThatWasChangedIsFound changes each file in ways that someone would want to.
func TestFolderThatWasChangedIsFound(t *testing.T) {
	person := strings.Repeat("a", 26)
	edit := func(name, from, to string) func(fstest.MapFS) {
		return func(files fstest.MapFS) {
			text := string(files[name].Data)
			if !strings.Contains(text, from) {
				t.Fatalf("%s does not hold %q", name, from)
			}
			files[name].Data = []byte(strings.Replace(text, from, to, 1))
		}
	}
	for name, change := range map[string]func(fstest.MapFS){
		"who looked is another":       edit("access.jsonl", `"action":"readEntries"`, `"action":"listCharts"`),
		"the time of a look":          edit("access.jsonl", "T2", "T3"),
		"a look that was not":         edit("access.jsonl", `"event":"one"`, `"event":"three"`),
		"an entry is altered":         edit("entries/lock-000001-entry.txt", "{}", "{ }"),
		"both the look and its proof": func(f fstest.MapFS) { edit("access.jsonl", "T2", "T3")(f); edit(FolderReceipts, "T2", "T3")(f) },
		"another's keys":              edit("membership/"+person+"/000001.txt", "first", "forged"),
		"no proofs":                   func(f fstest.MapFS) { delete(f, FolderReceipts) },
		"an older head":               edit(FolderLedger, `"seen":{"size":0`, `"seen":{"size":9`),
	} {
		files := anExport(t, newConsortium(Ed25519, Ed25519, Ed25519, Ed25519))
		change(files)
		if _, found, err := CheckFolder(files, nil); err == nil && wrong(found) == 0 {
			t.Errorf("nobody noticed: %s", name)
		}
	}
	// A folder that strangers made whole, by itself, is not what the keyring pinned.
	c, strangers := newConsortium(Ed25519), newConsortium(Ed25519)
	strangers.Validators = []Validator{strangers.validator(9, Ed25519)}
	_, found, err := CheckFolder(anExport(t, strangers), &c.Trust)
	if err != nil {
		t.Fatal(err)
	}
	if wrong(found) != len(found) {
		t.Fatalf("strangers were believed: %+v", found)
	}
}

func TestFolderFollowsTheValidatorsOfItsTime(t *testing.T) {
	c := newConsortium(Ed25519)
	files := anExport(t, c)
	old := c.Trust
	next := []Validator{c.validator(0, Ed25519), c.validator(1, Ed25519)}
	order(next)
	hash, err := ValidatorsHash(next)
	if err != nil {
		t.Fatal(err)
	}
	change := Change{c.signed(20, 0, map[int]Hash{fieldNextValidators: hash}, ChangeFields...), next}
	c.Validators = next
	c.add(commitment(1))
	files[FolderLedger].Data = marshal(t, NewFolder(old, []Change{change}, &Final{c.seen(c.size), c.block(30, 0)}))
	sets, found, err := CheckFolder(files, nil)
	if err != nil || wrong(found) > 0 {
		t.Fatalf("%v, %+v", err, found)
	}
	if len(sets.Last().Validators) != 2 {
		t.Fatalf("the last set is %+v", sets.Last())
	}
}

// served gives a log in tiles, as a server would.
func (c *consortium) served(leaf func(int64) Hash) Fetch {
	return func(path string) ([]byte, error) {
		if path == "checkpoint" {
			root := c.seen(c.size).Root
			return fmt.Appendf(nil, "clinic.example/ledger/a\n%d\n%s\n\n— signature\n", c.size, base64.StdEncoding.EncodeToString(root[:])), nil
		}
		for n := int64(0); n<<tileHeight < c.size; n++ {
			count := min(c.size-n<<tileHeight, 1<<tileHeight)
			if tilePath(n, count) != path {
				continue
			}
			var data []byte
			for i := range count {
				h := leaf(n<<tileHeight + i)
				data = append(data, h[:]...)
			}
			return data, nil
		}
		return nil, errors.New("there is no " + path)
	}
}

func TestAuditorFindsWhatAnOrganisationChangedInItsLog(t *testing.T) {
	c := newConsortium(Ed25519)
	var agreed []Seen
	honest := func(i int64) Hash {
		h := commitment(byte(i))
		return Hash(tlog.RecordHash(h[:]))
	}
	for i := range int64(700) {
		c.add(commitment(byte(i)))
		if i%123 == 0 || i == 511 {
			agreed = append(agreed, c.seen(i+1))
		}
	}
	head, err := Audit(c.served(honest), agreed...)
	if err != nil || head != c.seen(700) {
		t.Fatalf("%+v, %v", head, err)
	}
	if _, err := Audit(c.served(func(i int64) Hash {
		if i == 300 {
			return honest(301)
		}
		return honest(i)
	}), agreed...); err == nil {
		t.Fatal("a leaf that was changed was not noticed")
	}
	// The organisation writes its log anew, without one of the leaves: its own head fits, what was agreed does not.
	anew := newConsortium(Ed25519)
	for i := range int64(700) {
		if i != 300 {
			anew.add(commitment(byte(i)))
		}
	}
	without := func(i int64) Hash {
		if i >= 300 {
			i++
		}
		return honest(i)
	}
	if _, err := Audit(anew.served(without), agreed...); !errors.Is(err, ErrForked) {
		t.Fatalf("a log written anew: %v", err)
	}
	if _, err := Audit(anew.served(without)); err != nil {
		t.Fatalf("by itself it fits, which is why others must agree: %v", err)
	}
	if _, err := Audit(anew.served(without), c.seen(700)); err == nil || errors.Is(err, ErrForked) {
		t.Fatalf("a log that was cut short: %v", err)
	}
}

func TestTilesAreWhereC2SPSays(t *testing.T) {
	for path, at := range map[string][2]int64{
		"tile/0/000": {0, 256}, "tile/0/005.p/17": {5, 17}, "tile/0/x001/x234/067": {1234067, 256}, "tile/0/x001/067.p/1": {1067, 1},
	} {
		if got := tilePath(at[0], at[1]); got != path {
			t.Errorf("%v is at %s, not %s", at, got, path)
		}
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add([]byte("clinic.example/ledger/a\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if seen, err := ParseNote(text); err == nil && seen.Size < 0 {
			t.Fatal("a log of less than nothing")
		}
	})
}

func FuzzFolder(f *testing.F) {
	c := newConsortium(Ed25519)
	good, err := json.Marshal(NewFolder(c.Trust, nil, nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, []byte(`{"kind":"event","ref":"one","salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"{}"}`), []byte(`{"event":"one"}`))
	f.Fuzz(func(t *testing.T, ledger, receipts, looks []byte) {
		_, found, err := CheckFolder(fstest.MapFS{FolderLedger: {Data: ledger}, FolderReceipts: {Data: receipts}, "access.jsonl": {Data: looks}}, nil)
		if err != nil {
			return
		}
		for _, one := range found {
			if one.Err == nil && !one.Waiting && one.Agreed.Of == 0 {
				t.Fatalf("agreed by nobody: %+v", one)
			}
		}
	})
}
