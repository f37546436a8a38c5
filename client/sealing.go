package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Before a lock's key is sealed to somebody: are these their keys, and do they still hold the lock? The signed history says
// who somebody is, as far as it is shown. A card after the first counts for this only if, where the clinic has a ledger, the
// organisations agreed on all of the chain that has it, and not only on its beginning. And who was taken off a lock gets no
// key that comes after, whatever the server says of them.

// ErrWithheld is the error of who would pass on keys while the clinic's ledger does not answer.
var ErrWithheld = errors.New("keys are not passed on until the clinic's ledger answers")

// ErrUnknownCard is the error of who would pass on keys to a card of which they cannot tell whose it is.
var ErrUnknownCard = errors.New("keys are not passed on to keys that the clinic's history does not have")

// ErrCameBack is the error of a lock of which the server says that somebody holds it who was taken off.
var ErrCameBack = errors.New("the server shows somebody as holding a lock who was taken off it")

// agreementWait is how long the ledger may take to answer before nothing is passed on: a chain takes less than a second.
const agreementWait = 20 * time.Second

// behind is how much older than the newest head the block may be that proves a state: the next one says what it changed.
const behind = 2

// maySeal tells whether keys may be sealed to a person's current card. Standing is the card by which they hold the lock
// already, if they do.
func (c *Client) maySeal(ctx context.Context, p *seal.Person, standing string) error {
	switch {
	case !p.Member.Active:
		return fmt.Errorf("person %s: %w", p.ID, ErrCameBack)
	case standing != "" && p.CardBy(standing) == nil:
		return fmt.Errorf("person %s: the card by which they hold the lock is not in the history: %w", p.ID, ErrUnknownCard)
	case p.Current().Serial == 1 || p.ID == c.Person():
		return nil
	}
	return c.isAgreed(ctx, p)
}

func isStaff(roles []ward.Role) bool {
	for _, r := range roles {
		if r.IsStaff() {
			return true
		}
	}
	return false
}

// isAgreed tells whether the newest state of the clinic's ledger has all of the chain that a person is in, as it is shown.
// An answer that does not come is not taken for a yes; one that is on its way is waited for.
func (c *Client) isAgreed(ctx context.Context, p *seal.Person) error {
	ctx, cancel := context.WithTimeout(ctx, agreementWait)
	defer cancel()
	for {
		all, err := c.agreedWhole(ctx, p)
		if err != nil || all {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("person %s: %w: it has not agreed on all that was stated", p.ID, ErrWithheld)
		case <-time.After(agreementStep):
		}
	}
}

// agreementStep is how long a chain's block takes, about.
const agreementStep = 200 * time.Millisecond

func (c *Client) agreedWhole(ctx context.Context, p *seal.Person) (bool, error) {
	h, err := c.checkHistory(ctx)
	if errors.Is(err, ErrNoLedger) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	of := c.roster
	if t := c.threads[p.ID]; t != nil {
		of = t
	}
	line, _, err := c.line(ctx, of.name)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	if line == nil {
		return false, nil
	}
	n, at, err := h.agreedOn(of, line.Proof)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrWithheld, err)
	}
	old := h.Final != nil && at.Height+behind < h.Final.Block.Height
	return n == len(of.texts) && !old, nil
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
	d := c.departed[lock]
	if d == nil {
		return false
	}
	at, left := d.at[string(g.Person)+string(g.Holder)]
	return d.grants[g.Grant] || left && g.Granter == g.Person && g.Epoch <= at
}
