package chain

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"

	"ward"
	"ward/ledger/receipt"
)

// Releases of the server, the app and firmware: members vote on whose keys sign them, and what enough of these signed is
// recorded for good. A newer release has a larger number.

// Record has the chain record a release, with signatures by the keys that members agreed on.
func (c *Chain) Record(ctx context.Context, told ward.ChainRelease, signatures [][]byte) error {
	r, err := releaseOf(told)
	if err != nil {
		return err
	}
	c.app.mu.Lock()
	s := c.app.now
	c.app.mu.Unlock()
	if s == nil || s.Signers == nil {
		return &ward.Error{Kind: ward.Conflict, Message: "the members have not said who signs releases", Hint: "Propose it: `ward ledger propose releases`."}
	}
	message := r.Message(c.id)
	used := 0
	for place, key := range s.Signers.Keys { // in their order
		for _, signature := range signatures {
			if len(signature) == ed25519.SignatureSize && ed25519.Verify(key[:], message, signature) {
				r.Signed = append(r.Signed, receipt.ReleaseSignature{Place: byte(place), Signature: [64]byte(signature)})
				used++
				break
			}
		}
	}
	if used < len(signatures) {
		return &ward.Error{
			Kind: ward.Invalid, Message: fmt.Sprintf("%d of the signatures are by no release key, or of another release, or there twice", len(signatures)-used),
			Hint: "All must sign the same kind, number and SHA-256, for " + c.id + ".",
		}
	}
	tx := receipt.SignTx(c.id, c.keys.operator, receipt.KindRelease, r.Body())
	if err := c.holds(tx); err != nil {
		return &ward.Error{Kind: ward.Conflict, Message: err.Error()}
	}
	_, err = c.Submit(ctx, tx)
	return err
}

// SignRelease is what a release key says of a release.
func SignRelease(chain string, key ed25519.PrivateKey, told ward.ChainRelease) ([]byte, error) {
	r, err := releaseOf(told)
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, r.Message(chain)), nil
}

// releaseOf reads a release as people write it.
func releaseOf(told ward.ChainRelease) (receipt.Release, error) {
	kind, ok := receipt.ReleaseKinds[told.Kind]
	if !ok {
		return receipt.Release{}, &ward.Error{Kind: ward.Invalid, Message: fmt.Sprintf("there are no releases of kind %.20q", told.Kind), Hint: "Use server, app or firmware."}
	}
	if told.Number < 1 {
		return receipt.Release{}, &ward.Error{Kind: ward.Invalid, Message: "a release's number is 1 or more"}
	}
	sum, err := ParseSum(told.Sum)
	return receipt.Release{Kind: kind, Number: uint64(told.Number), Sum: sum}, err
}

// ParseSum reads a SHA-256 as sha256sum writes it.
func ParseSum(text string) (receipt.Hash, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return receipt.Hash{}, &ward.Error{Kind: ward.Invalid, Message: fmt.Sprintf("%.70q is not a SHA-256", text), Hint: "Give it as sha256sum does: 64 digits from 0 to f."}
	}
	return receipt.Hash(raw), nil
}

// Recorded is the number with which a release is recorded, or 0.
func (c *Chain) Recorded(kind byte, sum receipt.Hash) int64 {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return 0
	}
	value, _ := c.app.now.trie.get(receipt.ReleasedKey(kind, sum))
	return int64(receipt.ReleasedNumber(value))
}

// ProveRelease shows with which number a release is recorded, or that it is not.
func (c *Chain) ProveRelease(kind byte, sum receipt.Hash) (receipt.StateProof, error) {
	return c.ProveState(receipt.ReleasedKey(kind, sum))
}

// toldReleases are the newest of each kind, and who signs the next.
func (s *agreed) toldReleases() (newest []ward.ChainRelease, keys *ward.ReleaseKeys) {
	for _, kind := range []string{"server", "app", "firmware"} {
		if r, ok := s.Releases[receipt.ReleaseKinds[kind]]; ok {
			newest = append(newest, ward.ChainRelease{Kind: kind, Number: int64(r.Number), Sum: hex.EncodeToString(r.Sum[:])})
		}
	}
	return newest, toldKeys(s.Signers)
}

func toldKeys(r *receipt.ReleaseKeys) *ward.ReleaseKeys {
	if r == nil {
		return nil
	}
	told := &ward.ReleaseKeys{Needed: int64(r.Needed), Keys: []string{}}
	for _, k := range r.Keys {
		told.Keys = append(told.Keys, k.String())
	}
	return told
}
