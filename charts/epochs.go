package charts

import (
	"context"
	"fmt"
	"time"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/seal/envelope"
	"ward/store"
)

// turn starts a lock's next epoch, with grants to exactly the members who remain. All of it happens or none.
func (c *Charts) turn(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, n ward.NewEpoch) error {
	if err := holdHead(ctx, tx, who.Org, &l); err != nil {
		return err
	}
	s, err := envelope.Parse[envelope.Epoch]([]byte(n.Epoch))
	if err != nil {
		return invalid(err)
	}
	before, err := getEpoch(ctx, tx, who.Org, l.id, l.epoch)
	if err != nil {
		return err
	}
	// Who could turn it at will could lock everybody out of it, since nobody here sees what the new key was sealed to.
	due, err := lockIsDue(ctx, tx, who.Org, l.id, c.Now())
	if err != nil {
		return err
	}
	b := s.Body
	switch {
	case b.Org != who.Org || b.Author != who.Person || b.Lock != l.id:
		return ward.Errorf(ward.Invalid, "a new epoch must be of this lock, by the person who sends it")
	case b.Kind != l.kind || b.Chart != l.chart || b.Compartment != l.compartment:
		return ward.Errorf(ward.Invalid, "a new epoch cannot change what the lock is")
	case string(s.Text) == string(before.Text):
		return nil // sent again, because the answer was lost
	case b.Epoch != l.epoch+1 || b.Previous != before.Hash():
		return ward.Errorf(ward.Conflict, "the lock is in epoch %d", l.epoch).WithHint("Someone else was first. Read the lock again.")
	case !due:
		return ward.Errorf(ward.Conflict, "the lock is not due for a new key").WithHint("Nobody has left who held it. Read the lock again.")
	case len(n.History) > ward.MaxHeldGrant || envelope.Hash(n.History) != b.History:
		return ward.Errorf(ward.Invalid, "the sealed history does not have the hash that the epoch says")
	}
	if err := c.checkMade(b.Time); err != nil {
		return err
	}
	if err := envelope.CheckSealed(n.History); err != nil {
		return invalid(err)
	}
	card, err := c.People.Card(ctx, tx, who.Org, who.Person)
	if err != nil {
		return err
	}
	if err := s.Verify(card.Signing, before.Body.Verify); err != nil {
		return invalid(err)
	}
	if err := c.checkRemaining(ctx, tx, who.Org, l, n.Grants); err != nil {
		return err
	}
	if err := insertEpoch(ctx, tx, who.Org, b, s.Text, n.History); err != nil {
		return err
	}
	if err := c.Ledger.Commit(ctx, tx, who.Org, ledger.Leaf{Kind: receipt.LeafEpoch, Ref: epochRef(b.Lock, b.Epoch), Content: s.Text}); err != nil {
		return err
	}
	l.epoch++
	if err := setHead(ctx, tx, who.Org, l); err != nil {
		return err
	}
	if err := c.grantAll(ctx, tx, who.Org, who.Person, n.Grants, true); err != nil {
		return err
	}
	c.tell(tx, who.Org, ward.Notice{Kind: "epoch", Lock: l.id, Chart: l.chart})
	return nil
}

// checkRemaining compares a new epoch's grants with those of the current one that stand: the same members, for the same
// purpose, for no longer.
func (c *Charts) checkRemaining(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock, grants []ward.NewGrant) error {
	all, err := grantsOf(ctx, tx, org, l.id)
	if err != nil {
		return err
	}
	remaining := map[string]grantRow{}
	for _, g := range all {
		if g.epoch == l.epoch && g.isLive(c.Now()) {
			remaining[g.member()] = g
		}
	}
	hint := "Read the lock's members again."
	for _, n := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return invalid(err)
		}
		g, ok := remaining[string(s.Body.Person)+string(s.Body.Holder)]
		if !ok {
			return ward.Errorf(ward.Conflict, "a new epoch is granted to someone who does not hold the lock").WithHint(hint)
		}
		if s.Body.Lock != l.id || s.Body.Purpose != g.purpose || !endsTogether(s.Body.Until, g.until) {
			return ward.Errorf(ward.Invalid, "a new epoch must be granted as the one before was: for the same purpose, until the same time").WithHint(hint)
		}
		delete(remaining, g.member())
	}
	if len(remaining) > 0 {
		return ward.Errorf(ward.Conflict, "a new epoch leaves out %d who hold the lock", len(remaining)).WithHint(hint)
	}
	return nil
}

func endsTogether(until string, millis int64) bool {
	if until == "" {
		return millis == 0
	}
	return until == formatMilli(millis)
}

func formatMilli(millis int64) string { return ward.FormatTime(time.UnixMilli(millis)) }

// openedMark is how break_glass lists an epoch that was opened.
func openedMark(id ward.LockID, epoch int64) string { return fmt.Sprintf("%s:%d;", id, epoch) }
