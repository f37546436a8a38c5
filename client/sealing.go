package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/seal"
	"ward/seal/envelope"
)

// Before a lock's key is sealed to somebody: are these their keys, and do they still hold the lock? A first card is
// compared as it is welcomed. One that came after it counts for this only if it is signed by the card before, or made
// with an invitation whose secret this client has, vouched for by a colleague who joined in the same way; and, where the
// clinic has a ledger, only if the organisations agreed on all of the person's cards as they are shown. And who was
// taken off a lock gets no key that comes after, whatever the server says of them.

// ErrWithheld is the error of who would pass on keys while the clinic's ledger does not answer.
var ErrWithheld = errors.New("keys are not passed on until the clinic's ledger answers")

// ErrUnknownCard is the error of who would pass on keys to a card of which they cannot tell whose it is.
var ErrUnknownCard = errors.New("keys are not passed on to new keys that nobody known has confirmed")

// ErrCameBack is the error of a lock of which the server says that somebody holds it who was taken off.
var ErrCameBack = errors.New("the server shows somebody as holding a lock who was taken off it")

// agreementWait is how long the ledger may take to answer before nothing is passed on: a chain takes less than a second.
const agreementWait = 20 * time.Second

// behind is how much older than the newest head the block may be that proves a state: the next one says what it changed.
const behind = 2

// maySeal tells whether keys may be sealed to a person's current card. Standing is the card by which they hold the lock
// already, if they do: whoever granted it looked at that one.
func (c *Client) maySeal(ctx context.Context, p *seal.Person, standing string) error {
	card := p.Current()
	if standing != "" && p.CardBy(standing) == nil {
		return fmt.Errorf("person %s: the card by which they hold the lock is not in the line: %w", p.ID, ErrUnknownCard)
	}
	if card.Body.Serial == 1 || p.ID == c.Person() {
		return nil
	}
	if card.Hash() != standing {
		bound, err := c.boundHere(ctx)
		if err != nil {
			return err
		}
		if known, err := c.isConfirmed(ctx, p, bound, nil); err != nil || !known {
			return errors.Join(fmt.Errorf("person %s: %w", p.ID, ErrUnknownCard), err)
		}
	}
	return c.isAgreed(ctx, p)
}

// boundHere are the cards that were made with invitations whose secrets this client has: none, for who has no directory.
func (c *Client) boundHere(ctx context.Context) (map[ward.PersonID][]string, error) {
	invitations, err := c.Invitations(ctx)
	if err == nil {
		var bound map[ward.PersonID][]string
		if bound, err = c.bound(ctx, invitations); err == nil {
			return bound, nil
		}
	}
	if errNotHeld(err) {
		return nil, nil
	}
	return nil, err
}

// isConfirmed walks back from a person's current card, as long as each is signed by the one before, to one that is bound
// to an invitation. One that was vouched for must be, and its voucher must be known in the same way: staff whose first
// card is bound, or the founder.
func (c *Client) isConfirmed(ctx context.Context, p *seal.Person, bound map[ward.PersonID][]string, asking []ward.PersonID) (bool, error) {
	counted := p.Cards
	if seal.IsPending(counted[len(counted)-1]) {
		counted = counted[:len(counted)-1]
	}
	for i := len(counted) - 1; i >= 0; i-- {
		card := counted[i]
		made := isBound(card, bound[p.ID])
		switch {
		case card.Body.Serial == 1:
			clinic := c.state().clinic
			founder := clinic != nil && clinic.Body.Founder == p.ID && clinic.Body.Signing == card.Body.Signing
			return len(asking) == 0 || made || founder, nil
		case card.Body.Voucher == "":
			continue
		case !made:
			return false, nil
		}
		for _, above := range append(asking, p.ID) {
			if above == card.Body.Voucher {
				return false, nil
			}
		}
		voucher, err := c.person(ctx, card.Body.Voucher)
		if err != nil {
			return false, fmt.Errorf("voucher: %w", err)
		}
		if !isStaff(voucher.Roles) {
			return false, nil
		}
		return c.isConfirmed(ctx, voucher, bound, append(asking, p.ID))
	}
	return false, nil
}

func isStaff(roles []ward.Role) bool {
	for _, r := range roles {
		if r.IsStaff() {
			return true
		}
	}
	return false
}

// isAgreed tells whether the newest state of the clinic's ledger has just the cards that are shown of a person. An
// answer that does not come is not taken for a yes.
func (c *Client) isAgreed(ctx context.Context, p *seal.Person) error {
	ctx, cancel := context.WithTimeout(ctx, agreementWait)
	defer cancel()
	h, err := c.checkHistory(ctx)
	if errors.Is(err, ErrNoLedger) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	line, err := c.CardProof(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	if line == nil {
		return ErrWithheld
	}
	trust := h.Sets.At(line.Proof.Height)
	value, there, at, err := trust.CheckState(receipt.LinkKey(trust.Origin, receipt.Label(trust.Salt, string(p.ID))), line.Proof)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	if h.Final != nil && at.Height+behind < h.Final.Block.Height {
		return fmt.Errorf("%w: its answer is an old one", ErrWithheld)
	}
	var cards [][]byte
	for _, card := range p.Cards {
		if !seal.IsPending(card) {
			cards = append(cards, card.Text)
		}
	}
	if !there || value != receipt.LineValue(cards...) {
		return fmt.Errorf("person %s: %w: it has not agreed on all of their cards", p.ID, ErrWithheld)
	}
	return nil
}

// departed is what this client saw of who was taken off a lock.
type departed struct {
	grants map[ward.GrantID]bool
	at     map[string]int64 // a member's newest epoch when they were
}

// noteEnd remembers that a grant was taken back.
func (c *Client) noteEnd(lock ward.LockID, id ward.GrantID, g *envelope.Grant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.departed[lock]
	if d == nil {
		d = &departed{map[ward.GrantID]bool{}, map[string]int64{}}
		c.departed[lock] = d
	}
	d.grants[id] = true
	if g != nil {
		member := string(g.Person) + string(g.Holder)
		d.at[member] = max(d.at[member], g.Epoch)
	}
}

// cameBack tells whether a grant is shown as standing that this client saw end: that one, or one that its member made
// for themselves with the key they had.
func (c *Client) cameBack(lock ward.LockID, g envelope.Grant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone[g.Person] && g.Person != "" {
		return true
	}
	d := c.departed[lock]
	if d == nil {
		return false
	}
	at, left := d.at[string(g.Person)+string(g.Holder)]
	return d.grants[g.Grant] || left && g.Granter == g.Person && g.Epoch <= at
}

// noteGone remembers people whose access to the clinic ended.
func (c *Client) noteGone(people ...ward.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range people {
		c.gone[p] = true
	}
}
