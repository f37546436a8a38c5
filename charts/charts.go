// Package charts keeps sealed records: locks, who holds them, and their entries in order.
//
// A lock is a key pair that turns in epochs. A chart is two of them (general, restricted); a team, the directory of
// names, the list of staff and the emergency key are one each (docs/decisions/0002). The rules, which this package
// checks for everyone and every client checks again for itself:
//
//   - A lock's id is made from its first keys. Each later epoch is signed with the key of the one before, and comes
//     in one step with grants to exactly those who remain.
//   - A grant is signed by its granter and with the lock's own key, so only a holder makes one. It stands until it
//     is taken back or its time is over; then the lock is due for a new epoch.
//   - An entry is for the current epoch, by the person and the browser that send it. It gets the next place in its
//     lock's chain, once, and nothing is ever overwritten: amending and retracting are entries too.
//
// What it cannot do is read: it sees ids, coarse kinds, sizes, times, public keys and signatures.
package charts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// People is what charts needs to know of people.
type People interface {
	// Card is the person's newest card that counts.
	Card(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (Card, error)
	// Certified fails unless the key is of a browser that the person's current card certified.
	Certified(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, key string) error
}

// Card is what charts needs of a person's card.
type Card struct {
	Hash    string // of its text
	Signing string // b64
	Roles   []ward.Role
	Active  bool
}

// Visits is what charts ask of visits.
type Visits interface {
	// CancelOf cancels what is booked for a chart that someone erases.
	CancelOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, by ward.PersonID) error
}

// Notices is where changes are told.
type Notices interface {
	Publish(org ward.OrgID, n ward.Notice) error
}

// Config is what charts is made of.
type Config struct {
	DB      *store.DB
	Ledger  *ledger.Ledger
	People  People
	Visits  Visits
	Notices Notices
	Now     func() time.Time
}

// Charts answers the routes about locks and charts.
type Charts struct {
	Config
	forgotten chan struct{} // holds something while a sweep is asked for
}

// New makes a Charts.
func New(config Config) *Charts { return &Charts{config, make(chan struct{}, 1)} }

// lock is a row of locks.
type lock struct {
	id          ward.LockID
	kind        string
	chart       ward.ChartID
	compartment string
	epoch       int64
	head        envelope.Head
	owner       ward.PersonID // of the chart
}

// Create stores new locks with their first grants: a patient's chart, a clinic's four, a team. The author made
// them all. It checks everything but whether policy lets them, which the caller has decided.
func (c *Charts) Create(ctx context.Context, tx *store.Tx, org ward.OrgID, author ward.PersonID, locks []ward.NewLock) error {
	made := make([]ward.LockID, len(locks))
	for i, n := range locks {
		l, err := c.create(ctx, tx, org, author, n)
		if err != nil {
			return err
		}
		made[i] = l.id
	}
	for i, n := range locks { // after all locks are there, since one may be granted to another
		if err := onlyOf(made[i], n.Grants); err != nil {
			return err
		}
		if err := c.grantAll(ctx, tx, org, author, n.Grants, true); err != nil {
			return err
		}
	}
	return nil
}

func (c *Charts) create(ctx context.Context, tx *store.Tx, org ward.OrgID, author ward.PersonID, n ward.NewLock) (lock, error) {
	e, err := envelope.Parse[envelope.Epoch]([]byte(n.Epoch))
	if err != nil {
		return lock{}, invalid(err)
	}
	b := e.Body
	if b.Org != org || b.Author != author || b.Epoch != 1 {
		return lock{}, ward.Errorf(ward.Invalid, "a new lock must be of this clinic, by the person who sends it, and in its first epoch")
	}
	if err := c.checkMade(b.Time); err != nil {
		return lock{}, err
	}
	card, err := c.People.Card(ctx, tx, org, author)
	if err != nil {
		return lock{}, err
	}
	if err := e.Verify(card.Signing, b.Verify); err != nil {
		return lock{}, invalid(err)
	}
	if b.Kind == envelope.LockChart {
		if err := c.createChart(ctx, tx, org, author, b); err != nil {
			return lock{}, err
		}
	}
	l := lock{id: b.Lock, kind: b.Kind, chart: b.Chart, compartment: b.Compartment, epoch: 1, head: envelope.Start(b.Lock), owner: author}
	if err := insertLock(ctx, tx, org, l, c.Now()); err != nil {
		if store.IsDuplicate(err) {
			return lock{}, ward.Errorf(ward.Conflict, "this lock, or this part of the chart, exists already")
		}
		return lock{}, err
	}
	if err := insertEpoch(ctx, tx, org, b, e.Text, nil); err != nil {
		return lock{}, err
	}
	return l, c.Ledger.Commit(ctx, tx, org, ledger.Leaf{Kind: receipt.LeafEpoch, Ref: epochRef(b.Lock, b.Epoch), Content: e.Text})
}

// createChart makes the chart's row with its first lock. A chart has each compartment once, and all are its owner's.
func (c *Charts) createChart(ctx context.Context, tx *store.Tx, org ward.OrgID, author ward.PersonID, b envelope.Epoch) error {
	taken := ward.Errorf(ward.Conflict, "this chart exists already")
	owner, err := chartOwner(ctx, tx, org, b.Chart)
	if errors.Is(err, store.ErrNoRow) {
		err := insertChart(ctx, tx, org, b.Chart, author, c.Now())
		if store.IsDuplicate(err) { // made at the same time
			err = taken
		}
		return err
	}
	if err != nil {
		return err
	}
	if owner != author {
		return taken
	}
	has, err := hasCompartment(ctx, tx, org, b.Chart, b.Compartment)
	if err == nil && has {
		err = ward.Errorf(ward.Conflict, "this chart has a %s part already", b.Compartment)
	}
	return err
}

// onlyOf makes sure that what comes with a new lock grants that lock, each member once. Grants of other locks are for
// policy to decide, on their own route.
func onlyOf(id ward.LockID, grants []ward.NewGrant) error {
	members := map[string]bool{}
	for _, n := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return invalid(err)
		}
		member := string(s.Body.Person) + string(s.Body.Holder)
		if s.Body.Lock != id || members[member] {
			return ward.Errorf(ward.Invalid, "a new lock comes with grants of itself, one for each member")
		}
		members[member] = true
	}
	if len(members) > ward.MaxGrants {
		return ward.Errorf(ward.Invalid, "a lock may be granted to %d members", ward.MaxGrants)
	}
	return nil
}

// madeTolerance is how old an epoch or a grant may be when it arrives: they are made on the way here, by devices whose
// clock may be in the wrong zone.
const madeTolerance = 24 * time.Hour

// checkMade refuses an epoch or a grant that was made at another time than now.
func (c *Charts) checkMade(text string) error {
	made, err := ward.ParseTime(text)
	if err != nil {
		return invalid(err)
	}
	if now := c.Now(); made.After(now.Add(aheadTolerance)) || made.Before(now.Add(-madeTolerance)) {
		return ward.Errorf(ward.Invalid, "what was sent is dated %s, which is not now", text).WithHint("Set this device's clock.")
	}
	return nil
}

// HeldBy lists the locks that a person was granted, directly and now, and through which other locks may be read:
// teams, not charts.
func (c *Charts) HeldBy(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.LockID, error) {
	return heldBy(ctx, tx, org, person, c.Now())
}

// Audience finds whom a notice about a lock or chart concerns: who may read it, and whose it is. Officers hear of a whole
// chart's, which is told when somebody broke the glass, and when that is over.
func (c *Charts) Audience(ctx context.Context, tx *store.Tx, org ward.OrgID, n ward.Notice) (about ward.Audience, err error) {
	if n.Kind == "grant" && n.Lock == "" {
		about.Roles = []ward.Role{ward.Privacy, ward.Security}
	}
	about.People, err = hearers(ctx, tx, org, n, c.Now())
	return about, err
}

// EndPerson takes a person off everything they hold. What they held is due for a new epoch.
func (c *Charts) EndPerson(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID) error {
	ends, err := endGrantsOf(ctx, tx, org, person, by, c.Now())
	return c.ended(ctx, tx, org, ends, err)
}

// Rekeyed marks what was granted to a person's earlier cards. What they hold is due for a new epoch, since whoever has their
// old keys could read on.
func (c *Charts) Rekeyed(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, card string) error {
	n, err := tx.Exec(ctx, `UPDATE grants SET outdated = 1 WHERE org = $1 AND person = $2 AND card <> $3 AND ended = 0`, string(org), string(person), card)
	if err == nil && n > 0 {
		c.tell(tx, org, ward.Notice{Kind: "person", Person: person})
	}
	return err
}

// EndRoles takes a member of staff off what the roles that remain to them no longer entitle to: who is no clinician
// holds no chart, team or emergency key, and who does not know people by name holds no directory.
func (c *Charts) EndRoles(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID, remaining []ward.Role) error {
	who := ward.Caller{Roles: remaining}
	var kinds []string
	if !who.Has(ward.Clinician) {
		kinds = append(kinds, envelope.LockChart, envelope.LockTeam, envelope.LockEmergency)
	}
	if !slices.ContainsFunc([]ward.Role{ward.Clinician, ward.FrontDesk, ward.Security, ward.Privacy}, who.Has) {
		kinds = append(kinds, envelope.LockDirectory)
	}
	if len(kinds) == 0 {
		return nil
	}
	ends, err := endGrantsOf(ctx, tx, org, person, by, c.Now(), kinds...)
	return c.ended(ctx, tx, org, ends, err)
}

// EraseOf erases every chart of a person, and takes them off everything else.
func (c *Charts) EraseOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	owned, err := chartsOf(ctx, tx, org, person)
	if err != nil {
		return err
	}
	for _, chart := range owned {
		if err := c.erase(ctx, tx, org, chart, person); err != nil {
			return err
		}
	}
	if err := c.EndPerson(ctx, tx, org, person, person); err != nil {
		return err
	}
	return c.eraseWritten(ctx, tx, org, person)
}

// ChartsOf lists a person's own charts.
func (c *Charts) ChartsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.ChartID, error) {
	return chartsOf(ctx, tx, org, person)
}

// Patient is whose chart it is.
func (c *Charts) Patient(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) (ward.PersonID, error) {
	owner, err := chartOwner(ctx, tx, org, chart)
	if errors.Is(err, store.ErrNoRow) {
		return "", missing("chart")
	}
	return owner, err
}

// HoldersOf lists who was granted a part of a chart directly and now.
func (c *Charts) HoldersOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) ([]ward.PersonID, error) {
	return list[ward.PersonID](ctx, tx, `SELECT DISTINCT g.person FROM locks l JOIN grants g ON g.org = l.org AND g.lock = l.lock
		WHERE l.org = $1 AND l.chart = $2 AND g.person <> '' AND `+live+`$3)`, string(org), string(chart), c.Now().UnixMilli())
}

// Held lists the charts that a person was granted directly and now: those of others, to whom they are a proxy.
func (c *Charts) Held(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.ChartID, error) {
	return list[ward.ChartID](ctx, tx, `SELECT DISTINCT l.chart FROM grants g JOIN locks l ON l.org = g.org AND l.lock = g.lock
		WHERE g.org = $1 AND g.person = $2 AND l.kind = 'chart' AND `+live+`$3)`, string(org), string(person), c.Now().UnixMilli())
}

// Outside is a lock as it may be shown to someone who has yet to be granted it: ids and public keys.
func (c *Charts) Outside(ctx context.Context, tx *store.Tx, org ward.OrgID, ids ...ward.LockID) ([]ward.LockSummary, error) {
	all := []ward.LockSummary{}
	for _, id := range ids {
		s, err := summaryOf(ctx, tx, org, id, c.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Holders lists who reads a person's charts, so that they may know of each other.
func (c *Charts) Holders(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.PersonID, error) {
	return holdersAround(ctx, tx, org, person, c.Now())
}

// Regrant stores grants of the staff list that a person who just joined made for themselves. One of an epoch that is over,
// since the list was rotated after they were invited, is left out: a member of staff grants them the new one.
func (c *Charts) Regrant(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, grants []ward.NewGrant) error {
	var current []ward.NewGrant
	for _, g := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
		if err != nil {
			return invalid(err)
		}
		l, err := getLock(ctx, tx, org, s.Body.Lock)
		if err != nil {
			return err
		}
		if l.kind != envelope.LockStaff || s.Body.Person != person || s.Body.Granter != person {
			return ward.Errorf(ward.Invalid, "who joins can only grant themselves the list of staff")
		}
		if s.Body.Epoch == l.epoch {
			current = append(current, g)
		}
	}
	return c.grantAll(ctx, tx, org, person, current, false)
}

// RegrantHeld stores grants that a person makes of what they hold to their own new card, each on the terms of one that stands.
func (c *Charts) RegrantHeld(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, grants []ward.NewGrant) error {
	if len(grants) > maxRegranted {
		return ward.Errorf(ward.TooLarge, "new keys come with %d grants at most", maxRegranted)
	}
	for _, g := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
		if err != nil {
			return invalid(err)
		}
		all, err := grantsOf(ctx, tx, org, s.Body.Lock)
		if err != nil {
			return err
		}
		holds := slices.ContainsFunc(all, func(g grantRow) bool {
			return g.person == person && g.isLive(c.Now()) && g.purpose == s.Body.Purpose && endsTogether(s.Body.Until, g.until)
		})
		if s.Body.Person != person || s.Body.Granter != person || !holds {
			return ward.Errorf(ward.Invalid, "new keys are granted what their person holds, by themselves")
		}
	}
	return c.grantAll(ctx, tx, org, person, grants, false)
}

// maxRegranted is how many locks somebody may hold themselves and still change their keys in one operation: a proxy of many,
// or a clinician with teams, has a few dozen.
const maxRegranted = 500

// readers fills in how the caller may read: of persons and locks that hold these, only the caller and what the caller
// holds, which is all that policy compares with.
func readers(who ward.Caller, seen []seenLock, about *policy.Resource) {
	me := []ward.PersonID{who.Person}
	for _, l := range seen {
		about.ReaderLocks = append(about.ReaderLocks, l.through...)
		if l.direct {
			about.Readers = me
		}
		if l.broken {
			about.Emergency = me
		}
	}
}

// tell publishes a notice once the operation is durable.
func (c *Charts) tell(tx *store.Tx, org ward.OrgID, n ward.Notice) {
	tx.AfterCommit(func() { c.Notices.Publish(org, n) }) // a lost notice costs a reload
}

// invalid makes an error about something that was sent safe to show: it speaks of the sender's own data.
func invalid(err error) error {
	return &ward.Error{Kind: ward.Invalid, Message: err.Error(), Hint: "See docs/formats.md.", Err: fmt.Errorf("%w", err)}
}

func missing(what string) error {
	return ward.Errorf(ward.Missing, "there is no such %s here", what)
}
