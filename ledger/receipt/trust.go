package receipt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/mod/sumdb/tlog"
)

// Trust is what a person pinned when they joined, moved on since by what the trusted validators signed themselves.
type Trust struct {
	Chain      string      `json:"chain"`
	Validators []Validator `json:"validators"` // in the chain's order
	Height     int64       `json:"height"`     // the first at which they sign
	Origin     Key         `json:"origin"`     // of the organisation's log
	Salt       Key         `json:"salt"`       // of the labels of its people
	Seen       Seen        `json:"seen"`       // the newest checkpoint that was checked

	Checked int64 `json:"checked,omitempty"` // when it was last found to hold, in Unix seconds
}

// Trusting is for how long after a trust was last found to hold it is followed to others by what the trusted signed. Those
// who left since may have lost their keys, and whoever has them could sign a false past. CometBFT's own light clients
// have two weeks or three; people come back less often.
const Trusting = 30 * 24 * time.Hour

// IsOld tells whether so much time has passed that others must not be followed any more.
func (t Trust) IsOld(now time.Time) bool {
	return t.Checked > 0 && now.Sub(time.Unix(t.Checked, 0)) > Trusting
}

// Seen is a checkpoint that a reader remembers. Each later one must extend it.
type Seen struct {
	Size int64 `json:"size"`
	Root Hash  `json:"root"`
}

// Validator signs blocks for an organisation.
type Validator struct {
	Name  string `json:"name"` // as it was told; Names shows what is agreed
	Key   Bytes  `json:"key"`
	Power int64  `json:"power"`
	Kind  string `json:"kind"`
}

// Kinds of validators' keys.
const (
	Ed25519 = "ed25519"
	MLDSA65 = "ml-dsa-65" // FIPS 204, empty context
)

// Change is a block whose validators say who signs the next.
type Change struct {
	Signed
	Next []Validator `json:"next"`
}

// ErrForked is the loudest thing that a check can say: there are two histories.
var ErrForked = errors.New("the log does not continue what it was before: entries were changed or taken out")

// Follow moves trust on to the validators that the trusted ones named.
func (t Trust) Follow(c Change) (Trust, error) {
	if c.Height < t.Height {
		return Trust{}, errors.New("this change is older than who is trusted")
	}
	next, err := ValidatorsHash(c.Next)
	if err != nil {
		return Trust{}, err
	}
	if _, err := t.check(c.Signed, map[int]Hash{fieldNextValidators: next}); err != nil {
		return Trust{}, fmt.Errorf("a change of validators: %w", err)
	}
	t.Validators, t.Height = c.Next, c.Height+1
	return t, nil
}

// Extend remembers a checkpoint, if the proof shows that it continues the one seen before.
func (t Trust) Extend(to Seen, proof []Hash) (Trust, error) {
	if err := Extends(t.Seen, to, proof); err != nil {
		return Trust{}, err
	}
	t.Seen = to
	return t, nil
}

// Extends tells whether a log at one checkpoint is the same log, later, as at another.
func Extends(from, to Seen, proof []Hash) error {
	switch {
	case from.Size == 0:
		return nil
	case to.Size < from.Size, to.Size == from.Size && to.Root != from.Root:
		return ErrForked
	case to.Size == from.Size:
		return nil
	case len(proof) > 2*maxPath:
		return errors.New("the proof is longer than any")
	}
	hashes := make(tlog.TreeProof, len(proof))
	for i, h := range proof {
		hashes[i] = tlog.Hash(h)
	}
	if tlog.CheckTree(hashes, to.Size, tlog.Hash(to.Root), from.Size, tlog.Hash(from.Root)) != nil {
		return ErrForked
	}
	return nil
}

// Valid refuses what no client keeps: a set without validators, out of order, with keys of a wrong form.
func (t Trust) Valid() error {
	if t.Chain == "" || len(t.Chain) > 50 || t.Height < 1 || t.Seen.Size < 0 || t.Checked < 0 {
		return errors.New("the trust that is kept has a wrong form")
	}
	_, err := ValidatorsHash(t.Validators)
	return err
}

// ValidatorsHash is the hash of a set that a header carries. It refuses a set that no chain has.
func ValidatorsHash(set []Validator) (Hash, error) {
	if len(set) == 0 || len(set) > MaxValidators {
		return Hash{}, fmt.Errorf("a set has 1 to %d validators, not %d", MaxValidators, len(set))
	}
	leaves := make([]Hash, len(set))
	for i, v := range set {
		simple, err := v.simple()
		if err != nil {
			return Hash{}, err
		}
		if i > 0 && !before(set[i-1], v) {
			return Hash{}, errors.New("validators are out of order, or there twice")
		}
		leaves[i] = Hash(tlog.RecordHash(simple))
	}
	return treeHash(leaves), nil
}

// simple is CometBFT's SimpleValidator: the key and the power.
func (v Validator) simple() ([]byte, error) {
	if v.Power < 1 || v.Power > maxPower {
		return nil, errors.New("a validator's power cannot be")
	}
	var key []byte
	switch {
	case v.Kind == Ed25519 && len(v.Key) == ed25519.PublicKeySize:
		key = field(nil, 0x0a, v.Key)
	case v.Kind == MLDSA65 && len(v.Key) == mldsa65.PublicKeySize:
		key = field(nil, 0x22, v.Key)
	default:
		return nil, fmt.Errorf("a validator's key of kind %.20q has %d bytes", v.Kind, len(v.Key))
	}
	return binary.AppendUvarint(append(field(nil, 0x0a, key), 0x10), uint64(v.Power)), nil
}

// before is the order of a set: power descending, then address ascending.
func before(a, b Validator) bool {
	if a.Power != b.Power {
		return a.Power > b.Power
	}
	x, y := a.Address(), b.Address()
	return bytes.Compare(x[:], y[:]) < 0
}

// Address is the beginning of the key's hash.
func (v Validator) Address() [20]byte {
	sum := sha256.Sum256(v.Key)
	return [20]byte(sum[:20])
}

func (v Validator) verifies(message, signature []byte) bool {
	switch v.Kind {
	case Ed25519:
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(ed25519.PublicKey(v.Key), message, signature)
	case MLDSA65:
		var key mldsa65.PublicKey
		return len(signature) == mldsa65.SignatureSize && key.UnmarshalBinary(v.Key) == nil && mldsa65.Verify(&key, message, nil, signature)
	}
	return false
}
