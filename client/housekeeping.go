package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Housekeeping is what the clinic's clients do for each other, since only who holds a key can pass it on: welcome who
// joined, complete new keys that nobody refused in time, and turn the locks that are due. Every client does it
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

// welcomeNew grants role locks to those who joined, and anew to those whose keys are new, as the history has them.
func (c *Client) welcomeNew(ctx context.Context, held []ward.LockSummary) error {
	people, err := c.People(ctx)
	if err != nil {
		return err
	}
	w := &welcoming{client: c, known: map[ward.PersonID]*seal.Person{}}
	for _, p := range people {
		if p.State == "active" {
			w.people = append(w.people, p)
		}
	}
	renewed, err := w.renewed(ctx)
	if err != nil {
		return err
	}
	failed := c.completeDue(ctx, renewed)
	for _, s := range held {
		if s.Kind == envelope.LockChart && len(renewed) == 0 {
			continue // nobody's keys are new, so nobody waits for a chart to be granted again
		}
		if err := w.admit(ctx, s); err != nil && !errNotHeld(err) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// completeDue states of new keys after a loss that the time is over in which they could be refused.
func (c *Client) completeDue(ctx context.Context, people []ward.PersonID) (failed error) {
	for _, person := range people {
		waits, err := c.Pending(ctx, person)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		for _, w := range waits {
			if w.Person != person || w.From.IsZero() || c.now().Before(w.From) || w.Person == c.Person() {
				continue
			}
			if err := c.Complete(ctx, w.Person, w.What); err != nil && ward.KindOf(err) != ward.Conflict {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

// welcoming is one round of looking who is new.
type welcoming struct {
	client *Client
	people []ward.PersonSummary
	known  map[ward.PersonID]*seal.Person
}

// find finds a person anew, once a round; nobody if the history has no such person.
func (w *welcoming) find(ctx context.Context, id ward.PersonID) (*seal.Person, error) {
	if p, ok := w.known[id]; ok {
		return p, nil
	}
	w.client.forgetPerson(id)
	p, err := w.client.person(ctx, id)
	if errors.Is(err, seal.ErrNoMember) {
		p, err = nil, nil
	}
	if err == nil {
		w.known[id] = p
	}
	return p, err
}

// recoverySpan is how long after an invitation for lost keys ended charts are looked through for grants to old keys.
const recoverySpan = 30 * 24 * time.Hour

// renewed lists who lost their keys and joined again of late.
func (w *welcoming) renewed(ctx context.Context) (people []ward.PersonID, err error) {
	invitations, err := w.client.Invitations(ctx)
	for _, v := range invitations {
		until, err := ward.ParseTime(v.Until)
		if err == nil && v.Recover && v.State == "accepted" && w.client.now().Before(until.Add(recoverySpan)) && !slices.Contains(people, v.Person) {
			people = append(people, v.Person)
		}
	}
	return people, err
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
	for _, hint := range w.people {
		id := hint.Person
		grant, member := holds[id]
		if member && grant.Card == hint.Card || !member && !w.client.belongs(l, hint.Roles) {
			continue // if the server says so falsely, somebody waits for their key
		}
		p, err := w.find(ctx, id)
		if err != nil || p == nil || !p.Member.Active {
			failed = errors.Join(failed, err)
			continue
		}
		if member && grant.Card == p.Current().Hash || !member && !w.client.belongs(l, p.Roles()) {
			continue
		}
		if !member {
			grant = envelope.Grant{Purpose: envelope.ForWork}
		}
		if err := w.client.grant(ctx, l, id, "", grant.Purpose, grant.Until); err != nil && ward.KindOf(err) != ward.Conflict && !errNotHeld(err) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
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
