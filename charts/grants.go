package charts

import (
	"context"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/seal/envelope"
	"ward/store"
)

// grantAll stores grants of current epochs. Fresh is for locks that are being made: their grants are all of epoch 1
// and the person's right to grant them is that they made them.
func (c *Charts) grantAll(ctx context.Context, tx *store.Tx, org ward.OrgID, granter ward.PersonID, grants []ward.NewGrant, fresh bool) error {
	for _, n := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return invalid(err)
		}
		l, err := getLock(ctx, tx, org, s.Body.Lock)
		if err != nil {
			return err
		}
		if !fresh {
			if err := holdHead(ctx, tx, org, &l); err != nil {
				return err
			}
			again, err := c.takePlace(ctx, tx, org, granter, l, s)
			if err != nil {
				return err
			}
			if again {
				continue
			}
		}
		if err := c.grant(ctx, tx, org, granter, l, s, n.Sealed); err != nil {
			return err
		}
	}
	return nil
}

// takePlace decides what a new grant is beside those that its member has. On the same terms it is taken only if the
// member's card changed, or the lock that holds it has turned: nobody here sees what was sealed, so whoever holds a lock
// could put garbage in the place of everybody's keys. And the one before stays beside it, until the member says that the
// new one opens or the lock turns. On other terms it takes the place of all the member has, so that a member has one
// set of terms. It keeps the number of members in bounds, and tells whether the grant is there already, sent again
// because the answer was lost.
func (c *Charts) takePlace(ctx context.Context, tx *store.Tx, org ward.OrgID, granter ward.PersonID, l lock, s *envelope.Statement[envelope.Grant]) (again bool, err error) {
	b := s.Body
	all, err := grantsOf(ctx, tx, org, l.id)
	if err != nil {
		return false, err
	}
	now := c.Now()
	members, replaced := map[string]bool{string(b.Person) + string(b.Holder): true}, []grantRow{}
	for _, g := range all {
		if g.id == b.Grant {
			if string(g.text) != string(s.Text) || !g.isLive(now) {
				return false, ward.Errorf(ward.Conflict, "a grant with this id was made before").WithHint("Make a new one, with a new id.")
			}
			return true, nil
		}
		if g.isLive(now) {
			members[g.member()] = true
		}
		if g.member() == string(b.Person)+string(b.Holder) {
			replaced = append(replaced, g)
		}
	}
	if len(members) > ward.MaxGrants {
		return false, ward.Errorf(ward.Invalid, "a lock may be granted to %d members", ward.MaxGrants).WithHint("Make a team, and grant it to the team.")
	}
	for _, g := range replaced {
		sameKey := g.epoch == b.Epoch && g.card == b.Card && g.holderEpoch == b.HolderEpoch
		switch {
		case g.isSpoiled() && sameKey && g.granter() == granter:
			return false, ward.Errorf(ward.Refused, "what you sealed to this member did not open").WithHint("Someone else who holds the lock must grant it.")
		case !g.isLive(now):
		case g.purpose == b.Purpose && endsTogether(b.Until, g.until):
			if sameKey {
				return false, ward.Errorf(ward.Conflict, "this member holds the lock already").WithHint("Read the lock's members again.")
			}
		case !mayChangeTerms(l, g, granter):
			return false, ward.Errorf(ward.Conflict, "this member holds the lock already, on other terms").WithHint("Whoever may take them off it must do so first.")
		default:
			// Who left a team that has turned since was given this epoch, so the lock stays due.
			turns := g.epoch == b.Epoch && g.holderEpoch < b.HolderEpoch
			ends, err := endGrant(ctx, tx, org, g.id, granter, turns, now)
			if err := c.ended(ctx, tx, org, ends, err); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// mayChangeTerms tells whether who makes a grant may end the member's old one by it: as policy has it of taking
// somebody off a chart. Other locks are granted for work, without end, and have no other terms.
func mayChangeTerms(l lock, g grantRow, granter ward.PersonID) bool {
	if l.kind != envelope.LockChart {
		return false
	}
	mine := l.owner == granter
	return mine || g.person != l.owner && (g.purpose == envelope.ForCare || g.purpose == envelope.ForOpinion)
}

// grant checks one grant and stores it.
func (c *Charts) grant(ctx context.Context, tx *store.Tx, org ward.OrgID, granter ward.PersonID, l lock, s *envelope.Statement[envelope.Grant], sealed []byte) error {
	b := s.Body
	switch {
	case b.Org != org || b.Granter != granter:
		return ward.Errorf(ward.Invalid, "a grant must be of this clinic, by the person who sends it")
	case b.Epoch != l.epoch:
		return ward.Errorf(ward.Conflict, "the grant is of epoch %d and the lock is in epoch %d", b.Epoch, l.epoch).WithHint("Read the lock again and grant its current epoch.")
	case len(sealed) > ward.MaxHeldGrant:
		return ward.Errorf(ward.TooLarge, "a sealed grant may be %d bytes long", ward.MaxHeldGrant)
	case envelope.Hash(sealed) != b.SHA256:
		return ward.Errorf(ward.Invalid, "the sealed grant does not have the hash that its statement says")
	}
	if err := c.checkMade(b.Time); err != nil {
		return err
	}
	if err := envelope.CheckSealed(sealed); err != nil {
		return invalid(err)
	}
	epoch, err := getEpoch(ctx, tx, org, l.id, b.Epoch)
	if err != nil {
		return err
	}
	by, err := c.People.Card(ctx, tx, org, granter)
	if err != nil {
		return err
	}
	if err := s.Verify(by.Signing, epoch.Body.Verify); err != nil {
		return invalid(err)
	}
	until := int64(0)
	if b.Until != "" {
		t, err := ward.ParseTime(b.Until)
		if err != nil || !t.After(c.Now()) {
			return ward.Errorf(ward.Invalid, "the grant would end before it begins").WithHint("Choose a day in the future.")
		}
		until = t.UnixMilli()
	}
	if err := c.checkMember(ctx, tx, org, b); err != nil {
		return err
	}
	if err := insertGrant(ctx, tx, org, b, s.Text, sealed, until, c.Now()); err != nil {
		if store.IsDuplicate(err) {
			return ward.Errorf(ward.Conflict, "this grant exists already")
		}
		return err
	}
	c.tell(tx, org, ward.Notice{Kind: "grant", Lock: l.id, Chart: l.chart, Person: b.Person})
	return c.Ledger.Commit(ctx, tx, org, ledger.Leaf{Kind: receipt.LeafGrant, Ref: string(b.Grant), Content: s.Text})
}

// checkMember makes sure that a grant is to a key that counts now: the person's latest card, the lock's latest epoch.
func (c *Charts) checkMember(ctx context.Context, tx *store.Tx, org ward.OrgID, b envelope.Grant) error {
	if b.Holder != "" {
		holder, err := getLock(ctx, tx, org, b.Holder)
		switch {
		case err != nil:
			return err
		case holder.kind == envelope.LockChart:
			return ward.Errorf(ward.Invalid, "a chart cannot hold another lock")
		case (holder.kind == envelope.LockEmergency) != (b.Purpose == envelope.ForEmergency):
			return ward.Errorf(ward.Invalid, "the emergency lock, and nobody else, is granted for emergencies")
		case holder.epoch != b.HolderEpoch:
			return ward.Errorf(ward.Conflict, "the grant is to epoch %d of a lock that is in epoch %d", b.HolderEpoch, holder.epoch).WithHint("Read that lock again.")
		}
		return nil
	}
	if b.Purpose == envelope.ForEmergency {
		return ward.Errorf(ward.Invalid, "the emergency lock, and nobody else, is granted for emergencies")
	}
	card, err := c.People.Card(ctx, tx, org, b.Person)
	switch {
	case err != nil:
		return err
	case !card.Active:
		return ward.Errorf(ward.Gone, "this person has left the clinic")
	case card.Hash != b.Card:
		return ward.Errorf(ward.Conflict, "the grant is to a card that is not the person's latest").WithHint("Read their card again, check it, and grant to that.")
	}
	return nil
}

// revoke takes a member off a lock: ends all grants to them, whichever of them was named.
func (c *Charts) revoke(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, id ward.GrantID) error {
	if err := holdHead(ctx, tx, who.Org, &l); err != nil { // against a new epoch that grants to them again
		return err
	}
	g, err := findGrant(ctx, tx, who.Org, l.id, id)
	if err != nil {
		return err
	}
	if !g.isLive(c.Now()) {
		return ward.Errorf(ward.Gone, "this grant has ended already")
	}
	ends, err := endGrants(ctx, tx, who.Org, l.id, g, who.Person, true, c.Now())
	if err := c.ended(ctx, tx, who.Org, ends, err); err != nil {
		return err
	}
	c.tell(tx, who.Org, ward.Notice{Kind: "grant", Lock: l.id, Chart: l.chart, Person: g.person})
	return nil
}

// ended commits to ends of grants, which have just been written unless err says otherwise.
func (c *Charts) ended(ctx context.Context, tx *store.Tx, org ward.OrgID, ends []end, err error) error {
	if err != nil {
		return err
	}
	leaves := make([]ledger.Leaf, len(ends))
	for i, e := range ends {
		leaves[i] = e.leaf()
	}
	return c.Ledger.Commit(ctx, tx, org, leaves...)
}

// opened takes a member's word on a grant to them. That it opens ends what was sealed to their earlier cards; that it
// does not ends the grant, and those who hold the lock see that it has to be made again. What the lock is granted to a
// team by, no single member of it answers for.
func (c *Charts) opened(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, id ward.GrantID, opens bool) error {
	if err := holdHead(ctx, tx, who.Org, &l); err != nil {
		return err
	}
	g, err := findGrant(ctx, tx, who.Org, l.id, id)
	if err != nil {
		return err
	}
	switch {
	case g.person != who.Person:
		return ward.Errorf(ward.Refused, "a grant's own member says whether it opens")
	case !g.isLive(c.Now()):
		return ward.Errorf(ward.Gone, "this grant has ended already")
	}
	old := []grantRow{g}
	if opens {
		all, err := grantsOf(ctx, tx, who.Org, l.id)
		if err != nil {
			return err
		}
		old = nil
		for _, o := range all {
			if o.person == g.person && o.card != g.card && o.epoch <= g.epoch && o.isLive(c.Now()) {
				old = append(old, o)
			}
		}
	}
	for _, o := range old {
		ends, err := endGrant(ctx, tx, who.Org, o.id, who.Person, false, c.Now())
		if err := c.ended(ctx, tx, who.Org, ends, err); err != nil {
			return err
		}
	}
	c.tell(tx, who.Org, ward.Notice{Kind: "grant", Lock: l.id, Chart: l.chart, Person: g.person})
	return nil
}

// members lists who holds a lock and who held it: for each the latest grant that stands, or the latest, oldest first.
func (c *Charts) members(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock) ([]ward.Member, error) {
	all, err := grantsOf(ctx, tx, org, l.id)
	if err != nil {
		return nil, err
	}
	latest := map[string]int{}
	for i, g := range all {
		if at, ok := latest[g.member()]; !ok || g.isLive(c.Now()) || !all[at].isLive(c.Now()) {
			latest[g.member()] = i
		}
	}
	members := []ward.Member{}
	for i, g := range all {
		if latest[g.member()] != i {
			continue
		}
		m := ward.Member{Text: string(g.text), State: "live"}
		switch {
		case g.ended != 0:
			m.State, m.Ended, m.By = "removed", formatMilli(g.ended), g.endedBy
		case !g.isLive(c.Now()):
			m.State, m.Ended = "expired", formatMilli(g.until)
		}
		members = append(members, m)
	}
	return members, nil
}
