package seal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ward"
	"ward/seal/envelope"
)

// A snapshot is one entry that holds the opened contents of all before it, so that a long chart opens with one fetch.
// It saves fetching and opening, never checking: a reader recomputes the chain over the statements, compares it with
// the server's head, and checks every signature as if each entry had come alone.

// SnapshotType is a snapshot's media type.
const SnapshotType = "application/vnd.ward.snapshot+json"

// MaxSnapshotBody is the largest body that a snapshot holds. Larger ones are fetched when they are wanted.
const MaxSnapshotBody = 64 << 10

// A Snapshot is all of a lock up to a place.
type Snapshot struct {
	UpTo    envelope.Head   `json:"upto"`
	Entries []SnapshotEntry `json:"entries"`
}

// SnapshotEntry is one entry, opened.
type SnapshotEntry struct {
	Seq       int64  `json:"seq"`
	Statement string `json:"statement"`
	Content   string `json:"content"`        // the three header lines
	Body      string `json:"body,omitempty"` // b64; absent for a large body
}

// An Opened entry has been checked in every way.
type Opened struct {
	Seq       int64
	Statement *envelope.Statement[envelope.Entry]
	Header    Header
	Lines     []byte // the header as its author signed it
	Body      []byte
	HasBody   bool // false for a large body that was not fetched
}

// NewSnapshot puts opened entries, all from the first on, into a snapshot.
func NewSnapshot(lock ward.LockID, entries []Opened) (*Snapshot, error) {
	s := &Snapshot{UpTo: envelope.Start(lock), Entries: []SnapshotEntry{}}
	for _, o := range entries {
		if o.Seq != s.UpTo.Seq+1 {
			return nil, fmt.Errorf("snapshot: entry %d is missing", s.UpTo.Seq+1)
		}
		s.UpTo = s.UpTo.Next(o.Statement.Text)
		e := SnapshotEntry{Seq: o.Seq, Statement: string(o.Statement.Text), Content: string(o.Lines)}
		if o.HasBody && len(o.Body) <= MaxSnapshotBody {
			e.Body = ward.B64.EncodeToString(o.Body)
		}
		s.Entries = append(s.Entries, e)
	}
	return s, nil
}

// ParseSnapshot reads a snapshot's body, gunzipped.
func ParseSnapshot(body []byte) (*Snapshot, error) {
	var s Snapshot
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil || decoder.More() {
		return nil, errors.New("snapshot: it is not the JSON of one")
	}
	return &s, nil
}

// Check recomputes a snapshot's chain and checks every entry in it. If one does not check, none of it is used: who is in
// doubt reads the entries.
func (s *Snapshot) Check(lock ward.LockID, authors func(ward.PersonID) (*Person, error)) (opened []Opened, err error) {
	head := envelope.Start(lock)
	for _, e := range s.Entries {
		if e.Seq != head.Seq+1 {
			return nil, fmt.Errorf("snapshot: entry %d is missing", head.Seq+1)
		}
		head = head.Next([]byte(e.Statement))
		o, err := e.check(lock, authors)
		if err != nil {
			return nil, fmt.Errorf("snapshot: entry %d: %w", e.Seq, err)
		}
		opened = append(opened, o)
	}
	if head != s.UpTo {
		return nil, errors.New("snapshot: its entries do not make the chain that it says")
	}
	return opened, nil
}

func (e SnapshotEntry) check(lock ward.LockID, authors func(ward.PersonID) (*Person, error)) (Opened, error) {
	s, err := envelope.Parse[envelope.Entry]([]byte(e.Statement))
	if err != nil {
		return Opened{}, err
	}
	if s.Body.Lock != lock {
		return Opened{}, errors.New("entry: it is of another lock")
	}
	author, err := authors(s.Body.Author)
	if err != nil {
		return Opened{}, err
	}
	if err := checkOutside(s, author); err != nil {
		return Opened{}, err
	}
	h, lines, err := ReadHeader(bufio.NewReader(bytes.NewReader([]byte(e.Content))), s.Body, author)
	if err != nil {
		return Opened{}, err
	}
	if len(lines) != len(e.Content) {
		return Opened{}, errors.New("content: there is more than a header")
	}
	o := Opened{Seq: e.Seq, Statement: s, Header: h, Lines: lines}
	if e.Body == "" && h.Size > 0 {
		if h.Size <= MaxSnapshotBody && h.Kind != "file" && h.Kind != "snapshot" {
			return Opened{}, errors.New("content: what it says is left out")
		}
		return o, nil
	}
	o.Body, err = ward.B64.DecodeString(e.Body)
	if err != nil || int64(len(o.Body)) != h.Size || Hash(o.Body) != h.SHA256 {
		return Opened{}, errors.New("content: its body does not have the size and hash that its header says")
	}
	o.HasBody = true
	return o, nil
}
