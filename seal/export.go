package seal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"ward"
	"ward/membership"
	"ward/seal/envelope"
)

// An export is a folder that holds a person's charts whole: what they were sealed as, the keys sealed to the person
// once more, and everything needed to check it. The stock age command and the recovery code open it without Ward,
// as OPEN.md in it says. This file reads one, from a folder or a zip, with all checks; package client writes one.

// Names in the folder.
const (
	ExportFormat  = "ward/export/1"
	ExportFile    = "export.json"
	ExportKeyring = "keyring.recovery.age"
	ExportClinic  = "clinic.txt"
	ExportLooks   = "access.jsonl"
	ExportOpen    = "OPEN.md"
)

// OpenMD is what OPEN.md says: how to open the folder with the stock age command.
//
//go:embed OPEN.md
var OpenMD []byte

// maxExportJSON is the size of export.json and of the other small files: a thousand locks are well under it.
const maxExportJSON = 4 << 20

// A Manifest is export.json.
type Manifest struct {
	Format string        `json:"format"`
	Org    ward.OrgID    `json:"org"`
	Person ward.PersonID `json:"person"`
	Time   string        `json:"time"`
	Locks  []ExportLock  `json:"locks"`
}

// ExportLock is a lock in the folder. Its entries make exactly the head.
type ExportLock struct {
	Lock        ward.LockID   `json:"lock"`
	Kind        string        `json:"kind"`
	Chart       ward.ChartID  `json:"chart,omitempty"`
	Compartment string        `json:"compartment,omitempty"`
	Epochs      int64         `json:"epochs"`
	Head        envelope.Head `json:"head"`
}

// Paths in the folder, from its top.

// ExportStatement is a statement of a chain of membership.
func ExportStatement(chain string, seq int64) string {
	return fmt.Sprintf("membership/%s/%06d.txt", chain, seq)
}

// ExportRecipient is the recipient of a card.
func ExportRecipient(person ward.PersonID, serial int64) string {
	return fmt.Sprintf("recipients/%s-%d.txt", person, serial)
}

// ExportBrowser is named by its text: the first 26 characters of its SHA-256 in base32.
func ExportBrowser(text []byte) string {
	sum := sha256.Sum256(text)
	return "browsers/" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26] + ".txt"
}

func ExportEpoch(lock ward.LockID, epoch int64) string {
	return fmt.Sprintf("epochs/%s-%d.txt", lock, epoch)
}

// ExportGrant is without its ending: .txt for the statement, .age for the sealed file.
func ExportGrant(lock ward.LockID, epoch int64) string {
	return fmt.Sprintf("grants/%s-%d", lock, epoch)
}

// ExportEntryPath is without its ending: .txt for the statement, .age for the sealed bytes.
func ExportEntryPath(lock ward.LockID, seq int64, entry ward.EntryID) string {
	return fmt.Sprintf("entries/%s-%06d-%s", lock, seq, entry)
}

// An Export is an opened folder.
type Export struct {
	Manifest
	Keyring *Keyring
	files   fs.FS
	people  map[ward.PersonID]*Person
	keys    map[ward.LockID][]LockKey // by epoch, from the first
}

// An ExportEntry is one entry of an export. With an Err it did not check, and nothing of it may be believed.
type ExportEntry struct {
	ExportLock
	Path      string // without its ending
	Seq       int64
	Statement *envelope.Statement[envelope.Entry]
	Header    Header
	Err       error
}

// OpenExport opens a folder with the recovery code: the keyring, the people, and the keys of every lock.
func OpenExport(files fs.FS, code Code) (*Export, error) {
	x := &Export{files: files, keys: map[ward.LockID][]LockKey{}}
	text, err := x.read(ExportFile)
	if err != nil {
		return nil, err
	}
	if x.Manifest, err = ward.Decode[Manifest](bytes.NewReader(text)); err != nil || x.Format != ExportFormat {
		return nil, fmt.Errorf("%s: it is not of format %s", ExportFile, ExportFormat)
	}
	sealed, err := x.read(ExportKeyring)
	if err != nil {
		return nil, err
	}
	if x.Keyring, err = OpenKeyringWithCode(sealed, code); err != nil {
		return nil, err
	}
	if x.Keyring.Org != x.Org || x.Keyring.Person != x.Person {
		return nil, fmt.Errorf("%s: the keyring is someone else's", ExportKeyring)
	}
	if text, err = x.read(ExportClinic); err != nil {
		return nil, err
	}
	clinic, err := CheckClinic(text, x.Keyring.Clinic)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ExportClinic, err)
	}
	if err := x.readPeople(clinic); err != nil {
		return nil, err
	}
	for _, l := range x.Locks {
		if err := x.openLock(l); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// read reads a small file whole.
func (x *Export) read(name string) ([]byte, error) {
	f, err := x.files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer f.Close()
	data, err := readLimited(f, maxExportJSON)
	if err != nil {
		return nil, fmt.Errorf("export: %s: %w", name, err)
	}
	return data, nil
}

// readPeople computes who is who from the chains, and checks the recipients and browsers of all whose entries are here.
func (x *Export) readPeople(clinic *envelope.Statement[envelope.Clinic]) error {
	given := map[ward.PersonID]*ward.PersonCards{}
	of := func(id ward.PersonID) *ward.PersonCards {
		if given[id] == nil {
			given[id] = &ward.PersonCards{Person: id}
		}
		return given[id]
	}
	err := x.each("recipients", func(name string, text []byte) error {
		person, _, _ := strings.Cut(path.Base(name), "-")
		of(ward.PersonID(person)).Recipients = append(of(ward.PersonID(person)).Recipients, string(text))
		return nil
	})
	if err != nil {
		return err
	}
	err = x.each("browsers", func(_ string, text []byte) error {
		browser, err := envelope.Parse[envelope.Browser](text)
		if err == nil {
			of(browser.Body.Person).Browsers = append(of(browser.Body.Person).Browsers, string(text))
		}
		return err
	})
	if err != nil {
		return err
	}
	roster, err := membership.NewRoster(clinic)
	if err != nil {
		return err
	}
	if err := x.readChain(roster, string(x.Org)); err != nil {
		return err
	}
	x.people = map[ward.PersonID]*Person{}
	for id, cards := range given {
		chain := roster
		if _, staff := roster.Member(id); !staff {
			chain = membership.NewThread(roster, id)
			if err := x.readChain(chain, string(id)); err != nil {
				return err
			}
		}
		if x.people[id], err = CheckPerson(x.Org, chain, *cards); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	return nil
}

func (x *Export) readChain(chain *membership.History, name string) error {
	return x.each("membership/"+name, func(_ string, text []byte) error { return chain.Append(text, time.Now()) })
}

// each reads the files of one folder, in order of their names. A folder that is not there is empty.
func (x *Export) each(folder string, read func(name string, text []byte) error) error {
	entries, err := fs.ReadDir(x.files, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		text, err := x.read(name)
		if err == nil {
			err = read(name, text)
		}
		if err != nil {
			return fmt.Errorf("export: %s: %w", name, err)
		}
	}
	return nil
}

// person finds an author. One who is not in the folder was erased before it was made.
func (x *Export) person(id ward.PersonID) (*Person, error) {
	if p := x.people[id]; p != nil {
		return p, nil
	}
	return nil, ErrErased
}

// openLock checks a lock's line and opens the key of each epoch.
func (x *Export) openLock(l ExportLock) error {
	if !ward.IsID(l.Lock) || l.Epochs < 1 || l.Epochs > maxEpochs {
		return fmt.Errorf("export: %s names a lock that is none", ExportFile)
	}
	texts := make([]string, l.Epochs)
	for i := range texts {
		text, err := x.read(ExportEpoch(l.Lock, int64(i)+1))
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	line, err := CheckLine(x.Org, l.Lock, texts, x.person)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	first := line[0].Body
	if first.Kind != l.Kind || first.Chart != l.Chart || first.Compartment != l.Compartment {
		return fmt.Errorf("export: lock %s is not what %s says", l.Lock, ExportFile)
	}
	for i, epoch := range line {
		sealed, err := x.read(ExportGrant(l.Lock, int64(i)+1) + ".age")
		if err != nil {
			return err
		}
		key, err := openLockFile(sealed, x.Keyring.Identity, epoch.Body)
		if err != nil {
			return fmt.Errorf("export: lock %s, epoch %d: %w", l.Lock, i+1, err)
		}
		x.keys[l.Lock] = append(x.keys[l.Lock], key)
	}
	return nil
}

// maxEpochs bounds what one lock in a manifest makes a reader do.
const maxEpochs = 10_000

// Entries reads every entry whole, checks it in every way, and gives them all in order. An entry that does not check
// has an Err. An error of the whole means that entries are missing, or in another order than they were written.
func (x *Export) Entries() ([]ExportEntry, error) {
	names, err := fs.ReadDir(x.files, "entries")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("export: %w", err)
	}
	var all []ExportEntry
	for _, l := range x.Locks {
		head := envelope.Start(l.Lock)
		for _, n := range names { // in order of their names, which is that of places
			name, isText := strings.CutSuffix(n.Name(), ".txt")
			if !isText || !strings.HasPrefix(name, string(l.Lock)+"-") {
				continue
			}
			text, err := x.read("entries/" + n.Name())
			if err != nil {
				return nil, err
			}
			head = head.Next(text)
			e := ExportEntry{ExportLock: l, Path: "entries/" + name, Seq: head.Seq}
			e.Err = x.check(&e, text)
			all = append(all, e)
		}
		if head != l.Head {
			return all, fmt.Errorf("export: lock %s: the entries are not those that %s says: some are missing, or changed", l.Lock, ExportFile)
		}
	}
	return all, nil
}

func (x *Export) check(e *ExportEntry, text []byte) (err error) {
	if e.Statement, err = envelope.Parse[envelope.Entry](text); err != nil {
		return err
	}
	b := e.Statement.Body
	if e.Path != ExportEntryPath(e.Lock, e.Seq, b.Entry) {
		return errors.New("entry: it is another than its name says")
	}
	header, body, done, err := x.open(*e)
	if err != nil {
		return err
	}
	defer done()
	e.Header = header
	_, err = io.Copy(io.Discard, body)
	return err
}

// open opens an entry's sealed file.
func (x *Export) open(e ExportEntry) (Header, io.Reader, func() error, error) {
	b := e.Statement.Body
	author, err := x.person(b.Author)
	if err != nil {
		return Header{}, nil, nil, err
	}
	keys := x.keys[e.Lock]
	if b.Lock != e.Lock || b.Epoch > int64(len(keys)) {
		return Header{}, nil, nil, errors.New("entry: it is of another lock or epoch")
	}
	f, err := x.files.Open(e.Path + ".age")
	if err != nil {
		return Header{}, nil, nil, fmt.Errorf("export: %w", err)
	}
	header, _, body, err := OpenEntry(e.Statement, f, keys[b.Epoch-1], author)
	if err != nil {
		f.Close()
		return Header{}, nil, nil, err
	}
	return header, body, f.Close, nil
}

// Body writes an entry's body to w as it was before its encoding. If it fails, what was written must not be used.
func (x *Export) Body(e ExportEntry, w io.Writer) error {
	if e.Err != nil {
		return e.Err
	}
	header, body, done, err := x.open(e)
	if err != nil {
		return err
	}
	defer done()
	if header.Encoding == "" {
		_, err = io.Copy(w, body)
		return err
	}
	r, err := gzip.NewReader(body)
	if err != nil {
		return fmt.Errorf("gunzip: %w", err)
	}
	n, err := io.Copy(w, io.LimitReader(r, MaxFHIR+1))
	if err != nil {
		return fmt.Errorf("gunzip: %w", err)
	}
	if n > MaxFHIR {
		return fmt.Errorf("gunzip: it holds more than %d bytes", MaxFHIR)
	}
	return nil
}

// Extract writes the bodies of all entries that check into a new folder, readable by its owner alone, and tells of
// each what it is. Who holds several charts, such as a child's beside their own, gets a folder in it for each. A file
// that fails on the way is removed again.
func (x *Export) Extract(dir string) ([]ExportEntry, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("extract into a new folder: %w", err)
	}
	entries, err := x.Entries()
	if err != nil {
		return entries, err
	}
	charts := map[ward.ChartID]bool{}
	for _, l := range x.Locks {
		charts[l.Chart] = true
	}
	for i, e := range entries {
		if e.Err != nil || e.Header.Kind == "snapshot" {
			continue // a snapshot says again what the others say
		}
		folder := dir
		if len(charts) > 1 {
			folder = filepath.Join(dir, string(e.Chart))
		}
		if err := errors.Join(os.MkdirAll(folder, 0o700), x.extract(e, filepath.Join(folder, e.FileName()))); err != nil {
			entries[i].Err = err
		}
	}
	return entries, nil
}

func (x *Export) extract(e ExportEntry, name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("extract: %w", err)
	}
	if err := errors.Join(x.Body(e, f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// FileName is a safe name for an entry's body: the place, the kind, and what the author called it, without anything
// that could lead out of a folder or move a terminal's cursor.
func (e ExportEntry) FileName() string {
	name, ending := e.Header.Filename, ""
	if name == "" {
		name, ending = e.Header.Title, extensions[e.Header.Type]
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	if len(name) > maxFileName {
		keep := path.Ext(name)
		if len(keep) > 10 {
			keep = ""
		}
		name = strings.ToValidUTF8(name[:maxFileName-len(keep)], "") + keep
	}
	compartment := e.Compartment
	if compartment == "" {
		compartment = e.Kind
	}
	return strings.TrimSuffix(fmt.Sprintf("%s-%06d-%s-%s", compartment, e.Seq, e.Header.Kind, name), "-") + ending
}

// maxFileName keeps names, with what is put before them, under the 255 bytes of common file systems.
const maxFileName = 150

var extensions = map[string]string{"application/fhir+json": ".json", SnapshotType: ".json", "text/plain;charset=utf-8": ".txt", "text/plain": ".txt"}

// WriteManifest writes export.json.
func WriteManifest(w io.Writer, m Manifest) error {
	m.Format = ExportFormat
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return fmt.Errorf("%s: %w", ExportFile, err)
	}
	return nil
}
