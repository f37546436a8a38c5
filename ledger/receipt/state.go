package receipt

import (
	"crypto/sha256"
	"errors"
)

// The chain's state is a binary Merkle trie over 256-bit keys. A subtree with one leaf is that leaf:
//
//	empty   32 zero bytes
//	leaf    SHA-256(0x00 || key || value)
//	branch  SHA-256(0x01 || left || right), the key's next bit 0 to the left, from the most significant
//
// Its root is the AppHash of the next block's header.

// StateProof shows what the state holds at a key, or that it holds nothing there.
type StateProof struct {
	Signed        // knows fields 7 and 10
	Path   []Hash `json:"path"`            // what is beside the way, from the root down
	Value  *Hash  `json:"value,omitempty"` // what is there …
	Other  *Leaf  `json:"other,omitempty"` // … or the leaf of another key that is where it would be; neither: nothing is there
}

// LinkProof is a StateProof of a person's line of cards.
type LinkProof = StateProof

// Leaf is a key and its value.
type Leaf struct {
	Key   Key  `json:"key"`
	Value Hash `json:"value"`
}

// StateKey is where the state holds something: SHA-256(tag || 0x00 || parts).
func StateKey(tag string, parts ...[]byte) Key {
	h := sha256.New()
	h.Write(append([]byte(tag), 0))
	for _, p := range parts {
		h.Write(p)
	}
	return Key(h.Sum(nil))
}

// LinkKey is where the state holds the newest value of a line of cards of an organisation.
func LinkKey(origin, label Key) Key { return StateKey("chain", origin[:], label[:]) }

// StateLeaf is the hash of a leaf of the trie.
func StateLeaf(key Key, value Hash) Hash {
	return sha256.Sum256(append(append([]byte{0}, key[:]...), value[:]...))
}

// StateBranch is the hash of a branch.
func StateBranch(l, r Hash) Hash {
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// CheckState gives what the state held at a key when the trusted validators signed, and whether it held anything.
func (t Trust) CheckState(key Key, p StateProof) (Hash, bool, Agreed, error) {
	if len(p.Path) > maxStatePath || p.Value != nil && p.Other != nil {
		return Hash{}, false, Agreed{}, errors.New("this is no proof of a state")
	}
	var value, h Hash
	switch {
	case p.Value != nil:
		value = *p.Value
		h = StateLeaf(key, value)
	case p.Other != nil:
		if p.Other.Key == key || !sameStart(p.Other.Key, key, len(p.Path)) {
			return Hash{}, false, Agreed{}, errors.New("the other leaf is not where this one would be")
		}
		h = StateLeaf(p.Other.Key, p.Other.Value)
	}
	agreed, err := t.check(p.Signed, map[int]Hash{fieldApp: stateRoot(key, h, p.Path)})
	return value, p.Value != nil, agreed, err
}

// stateRoot is the root that a subtree leads to.
func stateRoot(key Key, h Hash, path []Hash) Hash {
	for i := len(path) - 1; i >= 0; i-- {
		if bit(key, i) == 0 {
			h = StateBranch(h, path[i])
		} else {
			h = StateBranch(path[i], h)
		}
	}
	return h
}

func bit(k Key, i int) byte { return k[i>>3] >> (7 - i&7) & 1 }

func sameStart(a, b Key, bits int) bool {
	for i := range bits {
		if bit(a, i) != bit(b, i) {
			return false
		}
	}
	return true
}
