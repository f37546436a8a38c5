package receipt

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

var errSalt = errors.New("what opens a leaf has 32 bytes")

// Kinds of leaves, and what their content is: the audit event's bytes as kept, the text of a statement, or of
// a grant's end what the server wrote down of it.
const (
	LeafEvent      = "event"
	LeafEntry      = "entry"
	LeafGrant      = "grant"
	LeafEnd        = "end" // of a grant
	LeafEpoch      = "epoch"
	LeafMembership = "membership"
	LeafBrowser    = "browser"
	LeafClinic     = "clinic"
)

// Salt opens a leaf: 16 random bytes that make its commitment unguessable, which erasing forgets, and its two marks, which
// stand in the log beside the commitment and stay.
type Salt [32]byte

// Entry is what the log holds of a leaf: the commitment, and the marks by which those who know a key find it.
type Entry [48]byte

// A Mark says, to those who know the key of a line of events, that this is the n-th of them; to all others it is random. Which
// leaf has which number is so fixed as it is written, for all who look at the log, whoever they are shown it by.
type Mark [8]byte

// FirstMark is the mark of the first event that names a chart, or, of no chart, of the first of the record. Whoever knows the
// organisation's salt, whose hash is agreed, and the chart finds it. That event names the hash of the key of the marks that
// follow: so nobody can be given another key, by which there would be nothing to find.
func FirstMark(salt Key, chart string) Mark {
	h := hash("ward/mark/first/1\n", salt[:], []byte(chart))
	return Mark(h[:8])
}

// KeyHash is what the first event of a line says of the key of its marks.
func KeyHash(key Key) Hash { return hash("ward/mark/key/1\n", key[:]) }

// MarkOf is the mark of the n-th of a line, from the second on.
func MarkOf(key Key, n int64) Mark {
	h := hash("ward/mark/1\n", key[:], binary.BigEndian.AppendUint64(nil, uint64(n)))
	return Mark(h[:8])
}

// The lines that an event may be in, by the place of their mark.
const (
	LineChart  = iota // the events that name a chart
	LineRecord        // the whole record
)

// Mark is the one of a line.
func (e Entry) Mark(line int) Mark { return Mark(e[32+8*line:]) }

// Commitment is without the marks.
func (e Entry) Commitment() Hash { return Hash(e[:32]) }

// MarshalText writes it.
func (s Salt) MarshalText() ([]byte, error) { return Bytes(s[:]).MarshalText() }

// UnmarshalText reads it.
func (s *Salt) UnmarshalText(text []byte) error {
	var raw Bytes
	if err := raw.UnmarshalText(text); err != nil {
		return err
	}
	if len(raw) != len(s) {
		return errSalt
	}
	copy(s[:], raw)
	return nil
}

// Commitment is what the log holds of a content.
func Commitment(kind string, salt Salt, content []byte) Entry {
	sum := sha256.Sum256(content)
	h := hash("ward/leaf/2\n"+kind+"\n", salt[:16], sum[:])
	return Entry(append(h[:], salt[16:]...))
}

// Label names a person's line of cards on the chain, to those who know the organisation's salt and the person's id.
func Label(salt Key, person string) Key { return hash("ward/label/1\n", salt[:], []byte(person)) }

// SaltHash is what the chain knows of an organisation's salt.
func SaltHash(salt Key) Hash { return hash("", salt[:]) }

// LinkValue is the value of a line of cards after one more.
func LinkValue(previous Hash, card []byte) Hash {
	sum := sha256.Sum256(card)
	return hash("ward/link/1\n", previous[:], sum[:])
}

// LineValue is the value of a whole line of cards.
func LineValue(cards ...[]byte) Hash {
	var value Hash
	for _, c := range cards {
		value = LinkValue(value, c)
	}
	return value
}

func hash(tag string, parts ...[]byte) Hash {
	h := sha256.New()
	h.Write([]byte(tag))
	for _, p := range parts {
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}
