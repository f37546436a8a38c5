package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Housekeeping is what the clinic's clients do for each other, since only who holds a key can pass it on: welcome who
// joined, vouch for who lost their keys and was invited again, and turn the locks that are due. Every client does it
// after signing in and when it hears of a change; twice does no harm.

// Housekeep does what this person can do and tells what could not be done. Call it again when something changes.
func (c *Client) Housekeep(ctx context.Context) error {
	locks, err := c.Locks(ctx)
	if err != nil {
		return err
	}
	var failed error
	note := func(err error) {
		if err != nil && !errNotHeld(err) && ward.KindOf(err) != ward.Conflict { // a conflict: a colleague was first
			failed = errors.Join(failed, err)
		}
	}
	if slices.ContainsFunc(c.Roles(), ward.Role.IsStaff) {
		note(c.welcomeNew(ctx, locks))
	}
	// Teams before charts: a chart is granted to its team's newest key.
	slices.SortStableFunc(locks, func(a, b ward.LockSummary) int { return order(a) - order(b) })
	for _, s := range locks {
		if s.Due {
			note(c.turnDue(ctx, s.Lock))
		}
	}
	note(c.sendAnswers(ctx))
	// Turning a team made its charts due.
	again, err := c.Locks(ctx)
	if err != nil {
		return errors.Join(failed, err)
	}
	for _, s := range again {
		if s.Due && s.Kind == envelope.LockChart {
			note(c.turnDue(ctx, s.Lock))
		}
	}
	return failed
}

func order(s ward.LockSummary) int {
	if s.Kind == envelope.LockChart {
		return 1
	}
	return 0
}

func (c *Client) turnDue(ctx context.Context, id ward.LockID) error {
	l, err := c.OpenLock(ctx, id)
	if err != nil {
		return err
	}
	return c.turn(ctx, l)
}

// welcomeNew grants role locks to those who joined, once their card is known to be made with their invitation.
func (c *Client) welcomeNew(ctx context.Context, held []ward.LockSummary) error {
	locks, err := c.clinicLocks()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(held, func(s ward.LockSummary) bool { return s.Lock == locks.Directory }) {
		return nil // cannot check who joined
	}
	w := &welcoming{client: c, checked: map[ward.PersonID]bool{}}
	if w.invitations, err = c.Invitations(ctx); err != nil {
		return err
	}
	if w.bound, err = c.bound(ctx, w.invitations); err != nil {
		return err
	}
	if w.people, err = c.People(ctx); err != nil {
		return err
	}
	w.people = slices.DeleteFunc(w.people, func(p ward.PersonSummary) bool { return p.State == "ended" })
	var failed error
	for _, p := range w.people {
		if p.State == "pending" {
			failed = errors.Join(failed, w.vouch(ctx, p))
		}
	}
	recovered := w.recovered()
	for _, s := range held {
		if s.Kind == envelope.LockChart && !recovered {
			continue // nobody's keys are new, so nobody waits for a chart to be granted again
		}
		if err := w.admit(ctx, s); err != nil && !errNotHeld(err) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// welcoming is one round of looking who is new.
type welcoming struct {
	client      *Client
	people      []ward.PersonSummary
	invitations []ward.Invitation
	bound       map[ward.PersonID][]string
	checked     map[ward.PersonID]bool
}

// recoverySpan is how long after an invitation for lost keys ended charts are looked through for grants to old keys.
const recoverySpan = 30 * 24 * time.Hour

// recovered tells whether somebody lost their keys and joined again of late.
func (w *welcoming) recovered() bool {
	return slices.ContainsFunc(w.invitations, func(v ward.Invitation) bool {
		until, err := ward.ParseTime(v.Until)
		return err == nil && v.Recover && v.State == "accepted" && w.client.now().Before(until.Add(recoverySpan))
	})
}

// isKnown tells whether a person is who was invited: the founder, or one whose card was made with their link.
func (w *welcoming) isKnown(ctx context.Context, p ward.PersonSummary) (bool, error) {
	if known, ok := w.checked[p.Person]; ok {
		return known, nil
	}
	w.client.forgetPerson(p.Person)
	person, err := w.client.person(ctx, p.Person)
	if err != nil {
		return false, fmt.Errorf("check who joined: %w", err)
	}
	founder := w.client.state().clinic.Body.Founder == p.Person && len(person.Cards) == 1
	known := founder || isBound(person.Cards[len(person.Cards)-1], w.bound[p.Person])
	w.checked[p.Person] = known
	return known, nil
}

// vouch signs the card of someone who lost their keys, if it was made with the link by which this person invited them
// again, having checked who they are.
func (w *welcoming) vouch(ctx context.Context, p ward.PersonSummary) error {
	card, err := envelope.Parse[envelope.Card]([]byte(p.CardText))
	if err != nil {
		return err
	}
	k := w.client.state().keyring
	if k == nil || card.Body.Voucher != k.Person || !seal.IsPending(card) {
		return nil
	}
	if known, err := w.isKnown(ctx, p); err != nil || !known {
		return err
	}
	if err := card.Countersign(k.Signing.Sign); err != nil {
		return err
	}
	delete(w.checked, p.Person)
	return do(ctx, w.client, http.MethodPost, path("people", string(p.Person), "vouch"), ward.Vouch{CardText: string(card.Text)})
}

// admit grants a lock to whom it is due by role, and anew to those whose keys are new.
func (w *welcoming) admit(ctx context.Context, s ward.LockSummary) error {
	l, err := w.client.OpenLock(ctx, s.Lock)
	if err != nil {
		return err
	}
	members, err := w.client.Members(ctx, l)
	if err != nil {
		return err
	}
	holds := map[ward.PersonID]envelope.Grant{}
	for _, m := range members {
		if m.State == "live" && m.Grant.Person != "" {
			holds[m.Grant.Person] = m.Grant
		}
	}
	var failed error
	for _, p := range w.people {
		grant, member := holds[p.Person]
		if member && grant.Card == seal.Hash([]byte(p.CardText)) || !member && !w.client.belongs(l, p.Roles) {
			continue
		}
		if !member {
			grant = envelope.Grant{Purpose: envelope.ForWork}
		}
		if err := w.grant(ctx, l, p, grant.Purpose, grant.Until); err != nil && ward.KindOf(err) != ward.Conflict && !errNotHeld(err) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (w *welcoming) grant(ctx context.Context, l *Lock, p ward.PersonSummary, purpose, until string) error {
	known, err := w.isKnown(ctx, p)
	if err != nil || !known {
		return err
	}
	person, err := w.client.person(ctx, p.Person)
	if err != nil || seal.IsPending(person.Cards[len(person.Cards)-1]) {
		return err
	}
	return w.client.grant(ctx, l, p.Person, "", purpose, until)
}

// belongs tells whether people of these roles hold the lock.
func (c *Client) belongs(l *Lock, roles []ward.Role) bool {
	locks, err := c.clinicLocks()
	if err != nil {
		return false
	}
	has := func(of ...ward.Role) bool {
		return slices.ContainsFunc(of, func(r ward.Role) bool { return slices.Contains(roles, r) })
	}
	switch l.Lock {
	case locks.Directory:
		return has(ward.Clinician, ward.FrontDesk, ward.Security, ward.Privacy)
	case locks.Clinicians, locks.Emergency:
		return has(ward.Clinician)
	case locks.Staff:
		return true
	}
	return false
}
