package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/seal"
)

// A History is what the ledger shows this person: whom they trust, the sets of validators that came after one another
// from what their keyring pinned, and the newest head that follows.
type History struct {
	Pinned  receipt.Trust
	Sets    receipt.Sets
	Changes []receipt.Change
	Final   *receipt.Final
}

// Trust is the one that counts now, with the newest head seen.
func (h *History) Trust() receipt.Trust {
	t := h.Sets.Last()
	if h.Final != nil {
		t.Seen = h.Final.Seen
	}
	return t
}

// ErrNoLedger is the error of a clinic without one.
var ErrNoLedger = errors.New("this clinic has no ledger")

var (
	// ErrOtherKeys is the error of a person in whose name the server shows other keys than the organisations agreed on.
	ErrOtherKeys = errors.New("the server shows other keys for this person than the organisations agreed on")
	// ErrOtherChain is the error of a clinic that shows the ledger of other organisations than it did.
	ErrOtherChain = errors.New("the clinic shows another ledger than before, and those who kept that one did not say so")
	// ErrLongAway is the error of who was away for too long to take the word of those who signed then.
	ErrLongAway = errors.New("others sign the clinic's history than a month ago or more, when this person last looked: ask the clinic who does, and compare")
	// ErrBegunAgain is the error of a log of which a part was lost.
	ErrBegunAgain = errors.New("the clinic lost part of its log and began it again")
	// ErrSalt is the error of a clinic that hides what was agreed of people's keys.
	ErrSalt = errors.New("what the clinic tells to compare people's keys by is not what the organisations agreed on")
)

// repin is how old what the keyring has of whom to trust may be, for other devices to begin from.
const repin = 7 * 24 * time.Hour

// AcceptLedger goes on from the history as it is shown now, after the person was told that it is not the one of before.
func (c *Client) AcceptLedger(ctx context.Context) (*History, error) {
	is, err := get[ward.Ledger](ctx, c, "/api/ledger")
	if err != nil {
		return nil, err
	}
	if is.Chain == "" {
		return nil, ErrNoLedger
	}
	told, err := trustOf(is)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.head, c.history = head{}, nil
	c.mu.Unlock()
	if err := c.changeKeyring(ctx, func(k *seal.Keyring) error { k.Ledger = &told; return nil }, func(put ward.KeyringPut) error {
		return do(ctx, c, http.MethodPut, "/api/keyring", put)
	}); err != nil {
		return nil, err
	}
	return c.CheckLedger(ctx)
}

// CheckLedger checks that the clinic's history is the one that this person saw before, and remembers it; and that nobody
// put other keys in their name. The first time it pins whom to trust in the keyring, and whenever these have changed.
func (c *Client) CheckLedger(ctx context.Context) (*History, error) {
	h, err := c.checkHistory(ctx)
	if err != nil {
		return nil, err
	}
	c.forgetPerson(c.Person())
	_, err = c.person(ctx, c.Person())
	return h, err
}

// checkHistory is CheckLedger but for one's own keys. What does not check is checked again with what another device of this
// person may have put in the keyring: that they were told, and went on from another history.
func (c *Client) checkHistory(ctx context.Context) (*History, error) {
	c.following.Lock()
	defer c.following.Unlock()
	h, err := c.follow(ctx)
	if err != nil && !errors.Is(err, ErrNoLedger) {
		before := c.state().keyring
		if _, failed := c.followKeyring(ctx); failed != nil || c.state().keyring == before {
			return nil, err
		}
		h, err = c.follow(ctx)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.history = h
	c.mu.Unlock()
	return h, nil
}

// lastHistory is the one that was checked last, or checks it now.
func (c *Client) lastHistory(ctx context.Context) (*History, error) {
	c.mu.Lock()
	h := c.history
	c.mu.Unlock()
	if h != nil {
		return h, nil
	}
	return c.checkHistory(ctx)
}

// follow follows the history from what the keyring pinned.
func (c *Client) follow(ctx context.Context) (*History, error) {
	is, err := get[ward.Ledger](ctx, c, "/api/ledger")
	if err != nil && ward.KindOf(err) != ward.Missing {
		return nil, err
	}
	k := c.state().keyring
	if k == nil {
		return nil, ErrSignedOut
	}
	if is.Chain == "" || len(is.Validators) == 0 {
		if k.Ledger != nil {
			return nil, errors.New("check the ledger: the clinic had one, and shows none now")
		}
		return nil, ErrNoLedger
	}
	told, err := trustOf(is)
	if err != nil {
		return nil, fmt.Errorf("check the ledger: %w", err)
	}
	if k.Ledger == nil {
		if _, err := c.followKeyring(ctx); err != nil { // another device may have pinned it
			return nil, err
		}
		k = c.state().keyring
	}
	h := &History{Pinned: told}
	if k.Ledger != nil {
		h.Pinned = *k.Ledger
	}
	switch {
	case h.Pinned.Origin != told.Origin || h.Pinned.Salt != told.Salt:
		return nil, fmt.Errorf("check the ledger: %w", c.otherLog(ctx, h, is))
	case h.Pinned.Chain != told.Chain && len(h.Pinned.Validators) > 1:
		return nil, fmt.Errorf("check the ledger: %w", ErrOtherChain)
	case h.Pinned.Chain != told.Chain: // a clinic that was alone may join others; its own log goes on, and that is checked
		told.Seen = h.Pinned.Seen
		h.Pinned = told
	}
	if err := c.followChanges(ctx, h); err != nil {
		return nil, fmt.Errorf("check the ledger: %w", err)
	}
	if err := c.extendLedger(ctx, h, is.Final); err != nil {
		return nil, fmt.Errorf("check the ledger: %w", err)
	}
	if err := c.checkSalt(ctx, h); err != nil {
		return nil, fmt.Errorf("check the ledger: %w", err)
	}
	now := h.Trust()
	now.Checked = c.now().Unix()
	if k.Ledger == nil || k.Ledger.Chain != now.Chain || k.Ledger.Height != now.Height || now.Checked-k.Ledger.Checked > int64(repin/time.Second) {
		if err := c.pinLedger(ctx, now); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// otherLog says why the clinic's log is another than the one that was pinned: it was begun again after a loss, as the
// organisations can tell, or nobody knows.
func (c *Client) otherLog(ctx context.Context, h *History, is ward.Ledger) error {
	for _, b := range is.Before {
		if b.Origin != h.Pinned.Origin.String() || is.Chain != h.Pinned.Chain || is.Salt != h.Pinned.Salt.String() {
			continue
		}
		if err := c.followChanges(ctx, h); err != nil {
			return err
		}
		called, err := c.names(ctx, h)
		if err != nil {
			return err
		}
		if old := called.Logs[h.Pinned.Origin]; old.Size > 0 && old.Size >= h.Pinned.Seen.Size { // the chain keeps its last head
			return fmt.Errorf("%w on %s: of %d recorded things, up to %d are lost", ErrBegunAgain, b.Time, old.Size, b.Lost)
		}
	}
	return receipt.ErrForked
}

func (c *Client) names(ctx context.Context, h *History) (receipt.Called, error) {
	text, err := get[json.RawMessage](ctx, c, "/api/ledger/names")
	if err != nil {
		return receipt.Called{}, err
	}
	names, err := receipt.Parse[receipt.Names](text)
	if err != nil {
		return receipt.Called{}, err
	}
	return h.Sets.At(names.Signed.Height).CheckNames(names)
}

// checkSalt compares what people's labels are made with, which was told, with what was agreed, as soon as it is.
func (c *Client) checkSalt(ctx context.Context, h *History) error {
	called, err := c.names(ctx, h)
	if kind := ward.KindOf(err); kind == ward.Missing || kind == ward.Unavailable {
		return nil
	}
	if err != nil {
		return err
	}
	log, registered := called.Logs[h.Pinned.Origin]
	if registered && log.SaltHash != receipt.SaltHash(h.Pinned.Salt) {
		return ErrSalt
	}
	return nil
}

func trustOf(is ward.Ledger) (receipt.Trust, error) {
	text, err := json.Marshal(struct {
		Chain      string           `json:"chain"`
		Validators []ward.Validator `json:"validators"`
		Height     int64            `json:"height"`
		Origin     string           `json:"origin"`
		Salt       string           `json:"salt"`
	}{is.Chain, is.Validators, is.Height, is.Origin, is.Salt})
	if err != nil {
		return receipt.Trust{}, err
	}
	t, err := receipt.Parse[receipt.Trust](text)
	if err != nil {
		return receipt.Trust{}, err
	}
	return t, t.Valid()
}

func (c *Client) pinLedger(ctx context.Context, t receipt.Trust) error {
	return c.changeKeyring(ctx, func(k *seal.Keyring) error {
		if l := k.Ledger; l == nil || l.Chain != t.Chain || l.Height <= t.Height {
			k.Ledger = &t
		}
		return nil
	}, func(put ward.KeyringPut) error { return do(ctx, c, http.MethodPut, "/api/keyring", put) })
}

func (c *Client) followChanges(ctx context.Context, h *History) (err error) {
	given, err := get[ward.LedgerChanges](ctx, c, fmt.Sprintf("/api/ledger/changes?after=%d", h.Pinned.Height-1))
	if err != nil {
		return err
	}
	for _, text := range given.Changes {
		change, err := receipt.Parse[receipt.Change](text)
		if err != nil {
			return err
		}
		h.Changes = append(h.Changes, change)
	}
	if len(h.Changes) > 0 && h.Pinned.IsOld(c.now()) {
		return ErrLongAway
	}
	h.Sets, err = receipt.Follow(h.Pinned, h.Changes)
	return err
}

// extendLedger checks the newest head against what this client has seen, or else what the keyring had.
func (c *Client) extendLedger(ctx context.Context, h *History, final *ward.LedgerFinal) error {
	c.mu.Lock()
	seen := c.head.Seen
	if c.head.origin != h.Pinned.Origin || seen.Size == 0 {
		seen = h.Pinned.Seen
	}
	c.mu.Unlock()
	if final == nil {
		if seen.Size > 0 {
			return receipt.ErrForked
		}
		return nil
	}
	var proof []receipt.Hash
	if seen.Size > 0 && final.Size > seen.Size {
		longer, err := get[ward.Consistency](ctx, c, fmt.Sprintf("/api/ledger/consistency?from=%d", seen.Size))
		if err != nil {
			return err
		}
		for _, text := range longer.Proof {
			var hash receipt.Hash
			if err := hash.UnmarshalText([]byte(text)); err != nil {
				return err
			}
			proof = append(proof, hash)
		}
		final = &longer.Final
	}
	block, err := receipt.Parse[receipt.Block](final.Block)
	if err != nil {
		return err
	}
	agreed, err := h.Sets.At(block.Height).CheckBlock(block)
	if err != nil {
		return err
	}
	now := receipt.Seen{Size: agreed.Size, Root: agreed.Root}
	if err := receipt.Extends(seen, now, proof); err != nil {
		return err
	}
	c.mu.Lock()
	c.head = head{h.Pinned.Origin, now}
	c.mu.Unlock()
	h.Final = &receipt.Final{Seen: now, Block: block}
	return nil
}

// Receipts are the ledger's proofs of events about a chart, of entries of a lock, or of any events: as they were given,
// to be checked with receipt.Trust. The path is that of the API without its question.
func (c *Client) Receipts(ctx context.Context, path, kind string, from int64, refs ...string) ([]receipt.Proof, error) {
	var list []receipt.Proof
	for page := range slices.Chunk(refs, maxReceipts) {
		given, err := get[ward.Receipts](ctx, c, path+"?"+url.Values{kind: page, "from": {fmt.Sprint(from)}}.Encode())
		if err != nil {
			return nil, err
		}
		for _, r := range given.Receipts {
			p := receipt.Proof{Kind: r.Kind, Ref: r.Ref, Text: r.Text}
			if err := p.Salt.UnmarshalText([]byte(r.Salt)); err != nil {
				return nil, err
			}
			if r.Receipt != nil {
				proof, err := receipt.Parse[receipt.Receipt](r.Receipt)
				if err != nil {
					return nil, err
				}
				p.Receipt = &proof
			}
			list = append(list, p)
		}
	}
	return list, nil
}

// maxReceipts is how many the server gives at a time.
const maxReceipts = 50

// LineProof shows what the ledger holds of a chain of membership, by its name, if it holds any.
func (c *Client) LineProof(ctx context.Context, chain string) (*receipt.Line, error) {
	line, _, err := c.line(ctx, chain)
	return line, err
}
