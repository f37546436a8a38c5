package receipt

import (
	"crypto/sha256"
	"errors"
)

var errSalt = errors.New("a salt has 16 bytes")

// Kinds of leaves, and what their content is: the audit event's bytes as kept, the text of a statement, or of
// a grant's end what the server wrote down of it.
const (
	LeafEvent   = "event"
	LeafEntry   = "entry"
	LeafGrant   = "grant"
	LeafEnd     = "end" // of a grant
	LeafEpoch   = "epoch"
	LeafCard    = "card"
	LeafBrowser = "browser"
	LeafClinic  = "clinic"
)

// Salt makes a commitment unguessable. Erasing it leaves a hash that nobody can connect with anything.
type Salt [16]byte

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
func Commitment(kind string, salt Salt, content []byte) Hash {
	sum := sha256.Sum256(content)
	return hash("ward/leaf/1\n"+kind+"\n", salt[:], sum[:])
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
