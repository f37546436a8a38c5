package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// An export folder carries its proofs (docs/formats.md, Export folder), so that it is checked with no server and no
// network, now or in ten years.

// Names in the folder.
const (
	FolderLedger   = "ledger.json"
	FolderReceipts = "receipts.jsonl"
	FolderLines    = "lines.jsonl"
	FolderNames    = "names.json" // Names, if they could be had
	folderFormat   = "ward/export-ledger/1"
)

// maxFolderFile is the longest file of proofs: 20,000 of them.
const maxFolderFile = 64 << 20

// A Folder is what ledger.json says: whom the person trusted when they exported, how that came about, and the newest
// head that they had checked.
type Folder struct {
	Format  string   `json:"format"`
	Trust   Trust    `json:"trust"`
	Changes []Change `json:"changes"` // of the validators, since Trust
	Final   *Final   `json:"final,omitempty"`
}

// NewFolder is what an export writes.
func NewFolder(trust Trust, changes []Change, final *Final) Folder {
	if changes == nil {
		changes = []Change{}
	}
	return Folder{folderFormat, trust, changes, final}
}

// Final is a head of a log, and the block that agrees on it.
type Final struct {
	Seen
	Block Block `json:"block"`
}

// Proof is a line of receipts.jsonl: a leaf, what it commits to, and why that is agreed. Without a receipt it was not yet.
type Proof struct {
	Kind    string   `json:"kind"`
	Ref     string   `json:"ref"` // of an event, an entry or a grant its id
	Salt    Salt     `json:"salt"`
	Text    string   `json:"text"`
	Receipt *Receipt `json:"receipt,omitempty"`
}

// Line is a line of lines.jsonl: what the chain held of a person's cards.
type Line struct {
	Person string     `json:"person"`
	Proof  StateProof `json:"proof"`
}

// Sets are the validators that signed, one after the other.
type Sets []Trust

// Follow gives all sets from one trust on.
func Follow(from Trust, changes []Change) (Sets, error) {
	sets := Sets{from}
	for _, c := range changes {
		next, err := sets[len(sets)-1].Follow(c)
		if err != nil {
			return nil, err
		}
		sets = append(sets, next)
	}
	return sets, nil
}

// At is the set that signed at a height. One that was replaced counts for what was before.
func (s Sets) At(height int64) Trust {
	for i, t := range s {
		if i+1 < len(s) && height < s[i+1].Height {
			return t
		}
	}
	return s[len(s)-1]
}

// Last is the set that signs now.
func (s Sets) Last() Trust { return s[len(s)-1] }

// A Finding is one thing in a folder, and what is wrong with it, if anything.
type Finding struct {
	Kind    string // event, entry, keys, history
	What    string
	Agreed  Agreed
	Waiting bool // it was recorded, and not yet agreed when it was exported
	Err     error
}

// CheckFolder checks all that is in an export folder against the proofs in it. It starts from the trust in ledger.json,
// or from one that is given: what the person's keyring pinned.
func CheckFolder(files fs.FS, pinned *Trust) (Sets, []Finding, error) {
	text, err := readFile(files, FolderLedger)
	if err != nil {
		return nil, nil, err
	}
	folder, err := Parse[Folder](text)
	if err != nil {
		return nil, nil, err
	}
	if folder.Format != folderFormat {
		return nil, nil, fmt.Errorf("%s is not of format %s", FolderLedger, folderFormat)
	}
	trust := folder.Trust
	if pinned != nil {
		trust = *pinned
	}
	if err := trust.Valid(); err != nil {
		return nil, nil, err
	}
	changes := slices.DeleteFunc(slices.Clone(folder.Changes), func(c Change) bool { return c.Height < trust.Height })
	sets, err := Follow(trust, changes)
	if err != nil {
		return nil, nil, err
	}
	x := &checking{files: files, sets: sets, proofs: map[string]Proof{}, lines: map[string]StateProof{}}
	if err := x.load(); err != nil {
		return nil, nil, err
	}
	x.history(folder.Final)
	if err := errors.Join(x.events(), x.entries(), x.people()); err != nil {
		return nil, nil, err
	}
	return sets, x.found, nil
}

// FolderCalled tells what an export shows that is agreed of names; its error is fs.ErrNotExist if there is nothing.
func FolderCalled(files fs.FS, sets Sets) (Called, error) {
	text, err := readFile(files, FolderNames)
	if err != nil {
		return Called{}, err
	}
	names, err := Parse[Names](bytes.TrimSpace(text))
	if err != nil {
		return Called{}, err
	}
	called, err := sets.At(names.Signed.Height).CheckNames(names)
	if err != nil {
		return Called{}, err
	}
	trust := sets.Last()
	if log, ok := called.Logs[trust.Origin]; ok && log.SaltHash != SaltHash(trust.Salt) {
		return Called{}, errors.New("people's keys are compared by another salt than the log is registered with")
	}
	return called, nil
}

type checking struct {
	files  fs.FS
	sets   Sets
	proofs map[string]Proof // by kind and ref
	lines  map[string]StateProof
	found  []Finding
}

func (x *checking) load() error {
	err := eachLine(x.files, FolderReceipts, func(text []byte) error {
		p, err := Parse[Proof](text)
		if err == nil {
			x.proofs[p.Kind+"/"+p.Ref] = p
		}
		return err
	})
	if err != nil {
		return err
	}
	return eachLine(x.files, FolderLines, func(text []byte) error {
		l, err := Parse[Line](text)
		if err == nil {
			x.lines[l.Person] = l.Proof
		}
		return err
	})
}

// history checks that the newest head is agreed, and continues what the trust had seen: if it is not longer, it must be
// the same.
func (x *checking) history(final *Final) {
	f := Finding{Kind: "history", What: "the newest head of the log"}
	if final == nil {
		f.Waiting = true
		if x.sets[0].Seen.Size > 0 {
			f.Err = errors.New("there is none, and there was one before")
		}
		x.found = append(x.found, f)
		return
	}
	f.Agreed, f.Err = x.sets.At(final.Block.Height).CheckBlock(final.Block)
	seen := x.sets[0].Seen
	if f.Err == nil && (f.Agreed.Size != final.Size || f.Agreed.Root != final.Root) {
		f.Err = errors.New("it is not the head that is written beside it")
	}
	if f.Err == nil && (f.Agreed.Size < seen.Size || f.Agreed.Size == seen.Size && f.Agreed.Root != seen.Root) {
		f.Err = ErrForked
	}
	x.found = append(x.found, f)
}

// proof checks one thing against its proof. says tells whether the text of the proof is what is in the folder.
func (x *checking) proof(kind, ref, what string, says func(text string) bool) {
	f := Finding{Kind: kind, What: what}
	p, ok := x.proofs[kind+"/"+ref]
	switch {
	case !ok:
		f.Err = errors.New("there is no proof that it was recorded")
	case !says(p.Text):
		f.Err = errors.New("it is not what was recorded: it was changed since")
	case p.Receipt == nil:
		f.Waiting = true
	default:
		f.Agreed, f.Err = x.sets.At(p.Receipt.Height).Check(Commitment(p.Kind, p.Salt, []byte(p.Text)), *p.Receipt)
	}
	x.found = append(x.found, f)
}

// events checks who looked. A line of access.jsonl is the event as it was recorded, and its hash beside it.
func (x *checking) events() error {
	return eachLine(x.files, "access.jsonl", func(text []byte) error {
		var e struct{ Event, Time, Action string }
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		x.proof(LeafEvent, e.Event, e.Time+" "+e.Action, func(said string) bool { return sameEvent(text, []byte(said)) })
		return nil
	})
}

func sameEvent(shown, recorded []byte) bool {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(shown, &a) != nil || json.Unmarshal(recorded, &b) != nil {
		return false
	}
	delete(a, "hash")
	delete(b, "hash")
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		if !bytes.Equal(value, b[key]) {
			return false
		}
	}
	return true
}

// entries checks the statements of what is in the charts. Their names end in the entry's id.
func (x *checking) entries() error {
	return x.each("entries", ".txt", func(name string, text []byte) {
		ref := name[strings.LastIndex(name, "-")+1:]
		x.proof(LeafEntry, ref, name, func(said string) bool { return said == string(text) })
	})
}

// people checks that the histories of who is who are those that the chain knew of.
func (x *checking) people() error {
	chains, err := fs.ReadDir(x.files, "membership")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, chain := range chains {
		name := chain.Name()
		var line [][]byte // a statement's name is its place, with zeros before
		if err := x.each("membership/"+name, ".txt", func(_ string, text []byte) { line = append(line, text) }); err != nil {
			return err
		}
		f := Finding{Kind: "people", What: name}
		p, ok := x.lines[name]
		if !ok {
			f.Waiting = true
			x.found = append(x.found, f)
			continue
		}
		trust := x.sets.At(p.Height)
		var value Hash
		var there bool
		value, there, f.Agreed, f.Err = trust.CheckState(LinkKey(trust.Origin, Label(trust.Salt, name)), p)
		switch {
		case f.Err != nil:
		case there && value == LineValue(line...):
		case !there || begins(line, value):
			f.Waiting = true // the newest was on its way
		default:
			f.Err = errors.New("the organisations agreed on another history of these people")
		}
		x.found = append(x.found, f)
	}
	return nil
}

// begins tells whether a value is that of the beginning of a line.
func begins(line [][]byte, value Hash) bool {
	var have Hash
	for _, text := range line {
		if have = LinkValue(have, text); have == value {
			return true
		}
	}
	return false
}

// each reads the files of a folder whose names have an ending, without it.
func (x *checking) each(folder, ending string, read func(name string, text []byte)) error {
	list, err := fs.ReadDir(x.files, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range list {
		name, ok := strings.CutSuffix(f.Name(), ending)
		if !ok {
			continue
		}
		text, err := readFile(x.files, path.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		read(name, text)
	}
	return nil
}

// eachLine reads a file line by line; one that is not there has none.
func eachLine(files fs.FS, name string, read func(text []byte) error) error {
	text, err := readFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if err := read(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, i+1, err)
		}
	}
	return nil
}

func readFile(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFolderFile {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxFolderFile)
	}
	return fs.ReadFile(files, name)
}
