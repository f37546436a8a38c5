package visits

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// Guests are people without an account: an interpreter, a daughter, a colleague from elsewhere. Someone of the visit
// makes a link whose secret is in its fragment, so it reaches no server. The guest's browser makes a key of its own,
// signs its arrival with the link and with that key, and waits at the door. Only the host can read the guest's name and
// let them in; everyone else in the visit can read it then. See docs/formats.md and docs/decisions/0009.

// Sessions lets guests act: identity fills it in.
type Sessions interface {
	// BeginGuest starts the session of a guest in the browser with this key, by which the request must be proven.
	BeginGuest(ctx context.Context, tx *store.Tx, r *http.Request, guest ward.Caller, until time.Time) (ward.GuestSession, error)
	// EndGuests ends the sessions of a visit's guests: all, or one's.
	EndGuests(ctx context.Context, tx *store.Tx, org ward.OrgID, visit ward.VisitID, only ward.PersonID) error
}

// States of a guest's link.
const (
	linkOpen      = "open"
	linkUsed      = "used"
	linkWithdrawn = "withdrawn"
)

const (
	// maxLinks bounds the links that were ever made for one visit, so that a stolen session cannot fill the table.
	maxLinks = 40
	// keptForHost is how many links only the host can make: an interpreter and one more, however many others asked in.
	keptForHost = 2
)

// InviteGuest answers POST /api/visits/{visit}/guests: someone of the visit makes a link.
func (v *Visits) InviteGuest(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.NewVisitGuest](r.Body)
	if err != nil {
		return nil, err
	}
	s, err := envelope.Parse[envelope.Guest]([]byte(body.GuestText))
	if err != nil {
		return nil, ward.Errorf(ward.Invalid, "the link is not valid: %w", err)
	}
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	switch b := s.Body; {
	case b.Org != who.Org || b.Visit != of.id || b.Inviter != who.Person:
		return nil, ward.Errorf(ward.Invalid, "the link is to another visit, or by someone else")
	case s.Verify(who.Browser) != nil:
		return nil, ward.Errorf(ward.Invalid, "the link is not signed by this browser")
	case len(body.Welcome) > ward.MaxSealedName || envelope.CheckSealed(body.Welcome) != nil:
		return nil, ward.Errorf(ward.Invalid, "the welcome is not sealed to the link")
	case of.over(v.Now()):
		return nil, ward.Errorf(ward.Gone, "this visit is over")
	}
	// Whoever makes a link chooses the guest's id. With that of a person, such as the host's, the guest would pass for them.
	if _, err := v.People.RolesOf(ctx, tx, who.Org, s.Body.Guest); err == nil {
		return nil, ward.Errorf(ward.Invalid, "a guest's id is nobody else's")
	} else if ward.KindOf(err) != ward.Missing {
		return nil, err
	}
	all, err := guestsOf(ctx, tx, who.Org, of.id)
	if err != nil {
		return nil, err
	}
	live, kept := 0, keptForHost
	for _, g := range all {
		if g.state != linkWithdrawn {
			live++
		}
	}
	if of.host == who.Person {
		kept = 0
	}
	if live+kept >= ward.MaxGuests || len(all)+kept >= maxLinks {
		return nil, ward.Errorf(ward.Conflict, "a visit has at most %d links for guests, of which %d are for the clinician", ward.MaxGuests, keptForHost).
			WithHint("Withdraw one that is not needed.")
	}
	err = insertGuest(ctx, tx, who.Org, guest{
		visit: of.id, id: s.Body.Guest, inviter: who.Person, text: s.Text, welcome: body.Welcome, state: linkOpen,
	}, v.Now())
	if err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, of.seq)
	return nil, v.recordGuest(ctx, tx, who, of, "invited-guest", s.Body.Guest)
}

// WithdrawGuest answers DELETE /api/visits/{visit}/guests/{guest}: whoever made the link, or the host, closes it.
func (v *Visits) WithdrawGuest(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	g, err := getGuest(ctx, tx, ward.PersonID(r.PathValue("guest")))
	switch {
	case err != nil:
		return nil, err
	case g.org != who.Org || g.visit != of.id || g.inviter != who.Person && of.host != who.Person:
		return nil, noLink()
	case g.state == linkUsed:
		return nil, ward.Errorf(ward.Conflict, "the guest is at the door already").WithHint("The clinician can send them away.")
	}
	g.state = linkWithdrawn
	if err := setGuest(ctx, tx, g); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, of.seq)
	return nil, v.recordGuest(ctx, tx, who, of, "withdrew-guest", g.id)
}

// OpenGuest answers POST /api/guests/{guest}/open, to whoever has a link: the welcome, which only they can open, and
// the host's keys, which the welcome names.
func (v *Visits) OpenGuest(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	g, of, err := v.link(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	answer := ward.GuestOpened{Welcome: g.welcome, Used: g.state == linkUsed, Visit: of.wire()}
	answer.Visit.Chart, answer.Visit.Epoch, answer.Visit.Seq = "", 0, 0
	if answer.Org, err = v.People.Of(ctx, tx, g.org); err != nil {
		return nil, err
	}
	answer.Host, err = v.People.HostOf(ctx, tx, g.org, of.host)
	return answer, err
}

// GuestArrives answers POST /api/guests/{guest}/arrive. A link is used once: who came first with it may come back in the
// same browser, and nobody else.
func (v *Visits) GuestArrives(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.GuestArrival](r.Body)
	if err != nil {
		return nil, err
	}
	arrival, err := envelope.Parse[envelope.Arrival]([]byte(body.ArrivalText))
	if err != nil {
		return nil, ward.Errorf(ward.Invalid, "the arrival is not valid: %w", err)
	}
	g, of, err := v.link(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	link, err := envelope.Parse[envelope.Guest](g.text)
	if err != nil {
		return nil, err
	}
	who := ward.Caller{Org: g.org, Person: g.id, Visit: g.visit, Roles: []ward.Role{ward.Guest}, Browser: arrival.Body.Key}
	switch b := arrival.Body; {
	case of.me == removed:
		return nil, ward.Errorf(ward.Gone, "you were taken out of this visit").WithHint("Ask the clinic.")
	case b.Org != g.org || b.Visit != g.visit || b.Guest != g.id:
		return nil, ward.Errorf(ward.Invalid, "the arrival is at another visit")
	case arrival.Verify(link.Body.Link, b.Key) != nil:
		return nil, ward.Errorf(ward.Invalid, "the arrival is not signed with this link")
	case len(body.Hello) > ward.MaxSealedName || envelope.CheckSealed(body.Hello) != nil || envelope.Hash(body.Hello) != b.SHA256:
		return nil, ward.Errorf(ward.Invalid, "the name is not sealed, or not the one that was signed")
	case g.state == linkUsed && g.browser != b.Key:
		if err := v.recordDenied(ctx, tx, who, of, "guest-link-again"); err != nil {
			return nil, err
		}
		return nil, counted{ward.Errorf(ward.Gone, "this link has been used").WithHint("If it was not you, tell whoever sent it. Ask them for a new one.")}
	}
	at, err := v.member(ctx, tx, g.org, g.visit, g.id)
	if err != nil && ward.KindOf(err) != ward.Missing {
		return nil, err
	}
	if at.state != admitted { // what the host let in stays as it was
		g.state, g.browser, g.arrival, g.hello = linkUsed, arrival.Body.Key, arrival.Text, body.Hello
		if err := setGuest(ctx, tx, g); err != nil {
			return nil, err
		}
	}
	answer, err := v.Sessions.BeginGuest(ctx, tx, r, who, time.UnixMilli(of.ends).Add(staysOpen))
	if err != nil {
		return nil, err
	}
	return answer, v.recordGuest(ctx, tx, who, of, "guest-arrived", g.id)
}

// link finds a guest's link and its visit, if both still count.
func (v *Visits) link(ctx context.Context, tx *store.Tx, r *http.Request) (guest, visit, error) {
	id := ward.PersonID(r.PathValue("guest"))
	g, err := getGuest(ctx, tx, id)
	if err != nil {
		return g, visit{}, err
	}
	of, err := holdVisit(ctx, tx, ward.Caller{Org: g.org, Person: id}, g.visit)
	switch {
	case err != nil:
		return g, of, err
	case of.over(v.Now()):
		return g, of, ward.Errorf(ward.Gone, "this visit is over")
	case g.state == linkWithdrawn:
		return g, of, ward.Errorf(ward.Gone, "this link was withdrawn").WithHint("Ask whoever sent it for a new one.")
	}
	return g, of, nil
}

// noLink is the one answer to an unknown link.
func noLink() error {
	return ward.Errorf(ward.Missing, "there is no such link here").WithHint("Check that the whole link was copied, or ask for a new one.")
}

// VisitPeople answers GET /api/visits/{visit}/people: the keys of the host, and of those admitted for who is in, so that
// everyone can check everyone, guests too.
func (v *Visits) VisitPeople(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	people := []ward.PersonID{of.host}
	if of.me == admitted {
		all, err := membersOf(ctx, tx, who.Org, of.id)
		if err != nil {
			return nil, err
		}
		guests, err := guestsOf(ctx, tx, who.Org, of.id)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			isGuest := slices.ContainsFunc(guests, func(g guest) bool { return g.id == m.id })
			if m.state == admitted && m.id != of.host && !isGuest {
				people = append(people, m.id)
			}
		}
	}
	answer := ward.VisitPeople{People: make([]ward.PersonCards, len(people))}
	for i, person := range people {
		if answer.People[i], err = v.People.CardsOf(ctx, tx, who.Org, person); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// isAdmissible checks what an admission says of a guest against who came, and of a person against who they are.
func (v *Visits) isAdmissible(ctx context.Context, tx *store.Tx, org ward.OrgID, of visit, m member, a envelope.Admission) error {
	g, err := getGuest(ctx, tx, m.id)
	isGuest := err == nil && g.org == org && g.visit == of.id // of another visit they are nobody here
	if err != nil && ward.KindOf(err) != ward.Missing {
		return err
	}
	switch {
	case isGuest != (a.Role == envelope.AsGuest):
		return ward.Errorf(ward.Invalid, "guests are let in as guests, and nobody else is")
	case isGuest && g.browser != a.Guest:
		return ward.Errorf(ward.Conflict, "this is not the browser that the guest came with")
	}
	return nil
}

func (v *Visits) recordGuest(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, action string, guest ward.PersonID) error {
	return v.Ledger.Append(ctx, tx, who.Org, ward.Event{
		Person: who.Person, Roles: who.Roles, Action: action, About: "guest:" + string(guest), Chart: of.chart, Decision: "allow",
	})
}

func (v *Visits) recordDenied(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, action string) error {
	return v.Ledger.Append(ctx, tx, who.Org, ward.Event{
		Person: who.Person, Roles: who.Roles, Action: action, About: "visit:" + string(of.id), Chart: of.chart, Decision: "deny",
	})
}

// counted is a failure after which what was written, such as a refusal on record, stays.
type counted struct{ error }

// Counts tells the guard so.
func (counted) Counts() bool { return true }

func (c counted) Unwrap() error { return c.error }

// guest is a row of visit_guests.
type guest struct {
	org     ward.OrgID
	visit   ward.VisitID
	id      ward.PersonID
	inviter ward.PersonID
	text    []byte
	welcome []byte
	state   string
	browser string
	arrival []byte
	hello   []byte
}

// wire shows a link: what came with it to the host only.
func (g guest) wire(toHost bool) ward.VisitGuest {
	shown := ward.VisitGuest{GuestText: string(g.text), State: g.state}
	if toHost && g.state == linkUsed {
		shown.ArrivalText, shown.Hello = string(g.arrival), g.hello
	}
	return shown
}

const guestColumns = `org, visit, guest, inviter, text, welcome, state, browser, arrival, hello`

func scanGuest(row interface{ Scan(...any) error }) (guest, error) {
	var g guest
	err := row.Scan((*string)(&g.org), (*string)(&g.visit), (*string)(&g.id), (*string)(&g.inviter), &g.text, &g.welcome, &g.state, &g.browser, &g.arrival, &g.hello)
	return g, err
}

func getGuest(ctx context.Context, tx *store.Tx, id ward.PersonID) (guest, error) {
	g, err := scanGuest(tx.Row(ctx, `SELECT `+guestColumns+` FROM visit_guests WHERE guest = $1`, string(id)))
	if errors.Is(err, store.ErrNoRow) {
		return g, noLink()
	}
	return g, err
}

func guestsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID) ([]guest, error) {
	found, err := tx.Rows(ctx, `SELECT `+guestColumns+` FROM visit_guests WHERE org = $1 AND visit = $2 ORDER BY created, guest`, string(org), string(id))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []guest
	for found.Next() {
		g, err := scanGuest(found)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, found.Err()
}

func insertGuest(ctx context.Context, tx *store.Tx, org ward.OrgID, g guest, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO visit_guests (`+guestColumns+`, created) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10)`,
		string(org), string(g.visit), string(g.id), string(g.inviter), g.text, g.welcome, g.state, []byte{}, []byte{}, now.UnixMilli())
	if store.IsDuplicate(err) {
		return ward.Errorf(ward.Conflict, "this link exists already")
	}
	return err
}

func setGuest(ctx context.Context, tx *store.Tx, g guest) error {
	if g.arrival == nil {
		g.arrival, g.hello = []byte{}, []byte{}
	}
	_, err := tx.Exec(ctx, `UPDATE visit_guests SET state = $1, browser = $2, arrival = $3, hello = $4 WHERE guest = $5`,
		g.state, g.browser, g.arrival, g.hello, string(g.id))
	return err
}
