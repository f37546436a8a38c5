package membership

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"ward"
	"ward/seal/envelope"
)

// Each rule judges one type of statement by what held just before it, and gives what to do if it holds. None changes
// anything before that.

// An invitation is a link that was made for a person.
type invitation struct {
	invite envelope.Invite
	hash   string
	time   time.Time
	open   bool
}

// takeCard reads a card, whose author is whoever has the link's key or the card before.
func (h *History) takeCard(text []byte, now time.Time) error {
	s, err := envelope.Parse[envelope.MemberCard](text)
	if err != nil {
		return err
	}
	b := s.Body
	at, err := h.stands(b.Place, b.Time, now)
	if err != nil {
		return err
	}
	said := stated[envelope.MemberCard]{Statement: s, hash: s.Hash(), seq: b.Seq, time: at, view: h.judgedAt(b.Place)}
	holds, err := h.card(said)
	if err != nil {
		return err
	}
	h.take(b.Place, said.hash, at)
	holds()
	return nil
}

func (h *History) card(s stated[envelope.MemberCard]) (func(), error) {
	b := s.Body
	before, known := h.Member(b.Person)
	switch {
	case h.roster == nil && b.Seq == 1:
		return h.foundersCard(s)
	case b.Serial == 1 && known:
		return nil, errors.New("a first card of someone who has one")
	case b.Serial > 1 && (!known || !before.Active):
		return nil, errors.New("a new card of someone who is not active")
	case b.Serial > 1 && (b.Serial != before.Card.Serial+1 || b.Before != before.Card.Hash):
		return nil, errors.New("it does not follow the person's current card")
	case b.Invitation == "" && b.Serial == 1:
		return nil, errors.New("a first card without an invitation")
	case b.Invitation == "":
		return h.ownCard(s, before)
	}
	v := h.invitations[b.Invitation]
	until, _ := ward.ParseTime(inviteOf(v).Until)
	switch {
	case v == nil || !v.open || v.invite.Person != b.Person || v.invite.Recover != (b.Serial > 1):
		return nil, errors.New("no open invitation is for this card")
	case s.time.After(until):
		return nil, errors.New("its invitation has expired")
	}
	if err := s.Verify(b.Signing, v.invite.Verifier); err != nil {
		return nil, err
	}
	if v.invite.Recover {
		return h.cardAfterLoss(s, v, before)
	}
	return h.firstCard(s, v)
}

func inviteOf(v *invitation) envelope.Invite {
	if v == nil {
		return envelope.Invite{}
	}
	return v.invite
}

// cardOf is what a statement says of keys.
func cardOf(s stated[envelope.MemberCard]) Card {
	b := s.Body
	return Card{Hash: s.hash, Serial: b.Serial, Signing: b.Signing, RecipientHash: b.RecipientHash}
}

// foundersCard is the first statement of a roster. One person made this one what they are: nobody else was there.
func (h *History) foundersCard(s stated[envelope.MemberCard]) (func(), error) {
	b, clinic := s.Body, h.clinic.Body
	if b.Person != clinic.Founder || b.Signing != clinic.Signing || b.Serial != 1 || b.Invitation != "" {
		return nil, errors.New("the first card of a clinic is its founder's")
	}
	if err := s.Verify(b.Signing); err != nil {
		return nil, err
	}
	return func() {
		h.set(b.Seq, Member{
			Person: b.Person, Roles: []ward.Role{ward.Clinician, ward.Admin}, Active: true, Card: cardOf(s), Invited: s.time,
			changed: b.Seq, fallen: []need{{roles: []ward.Role{ward.Clinician, ward.Admin}, count: 1, author: b.Person}},
		})
	}, nil
}

// firstCard makes a person, at once or when a second person has confirmed that they are a clinician or administrator.
func (h *History) firstCard(s stated[envelope.MemberCard], v *invitation) (func(), error) {
	b, i := s.Body, v.invite
	m := Member{
		Person: b.Person, Roles: envelope.ParseRoles(i.Roles), Active: true, Card: cardOf(s), Name: i.Name, InvitedBy: i.By, Invited: v.time,
	}
	waits := &matter{what: s.hash, kind: b.Type(), person: b.Person, author: i.By, at: s.time}
	waits.need(s.view, powerful(m.Roles)...)
	waits.possible = func(time.Time) bool { _, known := h.Member(b.Person); return !known }
	waits.effect = func(seq int64, _ time.Time) {
		m.changed, m.fallen = seq, waits.fallen
		h.set(seq, m)
		h.voidCardsOf(b.Person)
	}
	return func() {
		v.open = false
		h.begin(waits, s.seq)
	}, nil
}

// ownCard replaces a card by someone who has the key of the one before: at once. It is a veto of theirs if new keys were
// on their way, since only one of the two devices is theirs.
func (h *History) ownCard(s stated[envelope.MemberCard], m Member) (func(), error) {
	if err := s.Verify(s.Body.Signing, m.Card.Signing); err != nil {
		return nil, err
	}
	vetoes := false
	for _, w := range h.waiting {
		if w.recovers && w.person == m.Person {
			vetoes = true
			if h.outweighed(w) {
				return nil, errOutweighed
			}
		}
	}
	for _, v := range h.invitations {
		vetoes = vetoes || v.open && v.invite.Recover && v.invite.Person == m.Person
	}
	return func() {
		if vetoes {
			h.vetoes[m.Person]++
		}
		m.Card = cardOf(s)
		h.set(s.seq, m)
		h.voidCardsOf(m.Person)
	}, nil
}

var errOutweighed = errors.New("two who met the person outweigh their old device")

// outweighed tells whether a card after lost keys stands against its person's old device.
func (h *History) outweighed(w *matter) bool { return h.vetoes[w.person] >= ownVetoes && w.met >= 2 }

// cardAfterLoss waits for those who checked who it is, and for the time in which it may be vetoed.
func (h *History) cardAfterLoss(s stated[envelope.MemberCard], v *invitation, before Member) (func(), error) {
	waits := &matter{what: s.hash, kind: s.Body.Type(), person: before.Person, author: v.invite.By, at: s.time, recovers: true}
	waits.needAfterLoss(s.view, before.Roles)
	wait := time.Duration(s.view.roster.vetoAt(s.view.seq)) * time.Hour
	if len(waits.fallen) > 0 {
		wait *= 2
	}
	waits.from = v.time.Add(wait)
	waits.possible = func(time.Time) bool { return h.sameRoles(before) && h.sameCard(before) }
	waits.effect = func(seq int64, _ time.Time) {
		m, _ := h.Member(before.Person)
		m.Card, m.fallen, m.vouched = cardOf(s), waits.fallen, waits.agreed
		h.set(seq, m)
		h.voidCardsOf(m.Person)
	}
	return func() {
		v.open = false
		h.waiting = append(h.waiting, waits)
	}, nil
}

// sameRoles tells whether somebody who was active still is, with the roles that they had.
func (h *History) sameRoles(before Member) bool {
	now, _ := h.Member(before.Person)
	return now.Active && slices.Equal(now.Roles, before.Roles)
}

func (h *History) sameCard(before Member) bool {
	now, _ := h.Member(before.Person)
	return now.Card.Hash == before.Card.Hash
}

func (h *History) invite(s stated[envelope.Invite]) (func(), error) {
	b := s.Body
	if _, used := h.invitations[b.Invitation]; used {
		return nil, errors.New("the invitation has an id that was used")
	}
	m, known := h.Member(b.Person)
	active := known && m.Active
	switch {
	case h.roster != nil && string(b.Person) != h.chain:
		return nil, errors.New("a thread invites its own person")
	case b.Recover && !active:
		return nil, errors.New("it gives new keys to someone who is not active")
	case b.Recover && envelope.FormatRoles(m.Roles) != b.Roles:
		return nil, errors.New("it gives new keys with other roles")
	case b.Recover && m.Name != "" && m.Name != b.Name:
		return nil, errors.New("it gives new keys with another name")
	case !b.Recover && known:
		return nil, errors.New("it invites someone who has joined")
	case !s.author.Has(mayInvite(h.roster == nil, b.Recover)...):
		return nil, errors.New("its author may not invite so")
	}
	return func() {
		for _, v := range h.invitations {
			v.open = v.open && v.invite.Person != b.Person
		}
		h.invitations[b.Invitation] = &invitation{invite: b, hash: s.hash, time: s.time, open: true}
	}, nil
}

func mayInvite(staff, recovers bool) []ward.Role {
	switch {
	case !staff:
		return []ward.Role{ward.Clinician, ward.FrontDesk}
	case recovers:
		return []ward.Role{ward.Clinician, ward.Admin}
	}
	return []ward.Role{ward.Admin}
}

// invited finds an open invitation by the hash of its statement.
func (h *History) invited(hash string) *invitation {
	for _, v := range h.invitations {
		if v.open && v.hash == hash {
			return v
		}
	}
	return nil
}

func (h *History) withdraw(s stated[envelope.Withdraw]) (func(), error) {
	v := h.invited(s.Body.What)
	if v == nil {
		return nil, errors.New("it withdraws no open invitation")
	}
	if s.author.Person != v.invite.By && !s.author.Has(mayInvite(h.roster == nil, v.invite.Recover)...) {
		return nil, errors.New("its author may not withdraw it")
	}
	return func() { v.open = false }, nil
}

// refuse is the veto: no new keys for who lost theirs.
func (h *History) refuse(s stated[envelope.Veto]) (func(), error) {
	v, waits := h.invited(s.Body.What), h.waitingFor(s.Body.What)
	var person ward.PersonID
	switch {
	case v != nil && v.invite.Recover:
		person = v.invite.Person
	case waits != nil && waits.recovers:
		person = waits.person
	default:
		return nil, errors.New("it vetoes nothing that can be vetoed")
	}
	own := s.author.Person == person
	switch {
	case !own && !s.author.Has(ward.Security, ward.Privacy, ward.Admin):
		return nil, errors.New("its author may not veto it")
	case own && waits != nil && h.outweighed(waits):
		return nil, errOutweighed
	}
	return func() {
		if own {
			h.vetoes[person]++
		}
		if v != nil {
			v.open = false
		}
		h.drop(waits)
	}, nil
}

func (h *History) roles(s stated[envelope.Roles]) (func(), error) {
	b := s.Body
	m, err := h.changes(b.Person, s.author)
	now := envelope.ParseRoles(b.Roles)
	switch {
	case err != nil:
		return nil, err
	case h.roster != nil:
		return nil, errors.New("roles change in the roster only")
	case !s.author.Has(ward.Admin):
		return nil, errors.New("its author may not change roles")
	case envelope.FormatRoles(m.Roles) == b.Roles:
		return nil, errors.New("it changes nothing")
	}
	added := slices.DeleteFunc(slices.Clone(now), func(r ward.Role) bool { return m.Has(r) })
	guards := slices.ContainsFunc(guarding, func(r ward.Role) bool { return m.Has(r) && !slices.Contains(now, r) })
	waits := &matter{what: s.hash, kind: b.Type(), person: b.Person, author: s.author.Person, at: s.time}
	waits.need(s.view, powerful(added)...)
	if h.lastOf(s.view, m, now) || guards && h.undoneLately(s.author, s.time) {
		if err := waits.insist(s.view); err != nil {
			return nil, err
		}
	}
	waits.possible = func(time.Time) bool { return h.sameRoles(m) }
	waits.effect = func(seq int64, at time.Time) {
		before, _ := h.Member(b.Person)
		after := before
		after.Roles, after.changed, after.fallen = now, seq, slices.Concat(before.fallen, waits.fallen)
		h.set(seq, after)
		h.done[s.hash] = effect{person: b.Person, by: waits.author, before: before, seq: seq, time: at}
	}
	return func() { h.begin(waits, s.seq) }, nil
}

// changes finds an active person whom somebody else changes.
func (h *History) changes(person ward.PersonID, author Member) (Member, error) {
	m, ok := h.Member(person)
	if !ok || !m.Active {
		return m, errors.New("it is about someone who is not active here")
	}
	if author.Person == person {
		return m, errors.New("its author is whom it is about")
	}
	return m, nil
}

func (h *History) rename(s stated[envelope.Rename]) (func(), error) {
	m, err := h.changes(s.Body.Person, s.author)
	if err != nil {
		return nil, err
	}
	if !s.author.Has(mayInvite(h.roster == nil, false)...) {
		return nil, errors.New("its author may not rename")
	}
	return func() {
		m.Name = s.Body.Name
		h.set(s.seq, m)
	}, nil
}

func (h *History) deactivate(s stated[envelope.Deactivate]) (func(), error) {
	b := s.Body
	leaves := h.roster != nil && s.author.Person == b.Person // of their own will
	m, err := h.changes(b.Person, s.author)
	switch {
	case err != nil && !leaves:
		return nil, err
	case !leaves && !s.author.Has(ward.Admin, ward.Security):
		return nil, errors.New("its author may not deactivate anyone")
	}
	if leaves {
		m = s.author
	}
	waits := &matter{what: s.hash, kind: b.Type(), person: b.Person, author: s.author.Person, at: s.time}
	if h.roster == nil && (h.undoneLately(s.author, s.time) || h.lastOf(s.view, m, nil)) {
		if err := waits.insist(s.view); err != nil {
			return nil, err
		}
	}
	waits.possible = func(time.Time) bool { now, _ := h.Member(b.Person); return now.Active }
	waits.effect = func(seq int64, at time.Time) {
		before, _ := h.Member(b.Person)
		after := before
		after.Active, after.Ended, after.changed = false, at, seq
		h.set(seq, after)
		h.voidOf(b.Person)
		h.done[s.hash] = effect{person: b.Person, by: waits.author, before: before, seq: seq, time: at}
	}
	return func() { h.begin(waits, s.seq) }, nil
}

// guarding are the roles of those who can undo what somebody did.
var guarding = []ward.Role{ward.Clinician, ward.Security, ward.Admin}

// undoneLately tells whether something that an author did was undone a moment ago: they do not get rid of others alone.
func (h *History) undoneLately(author Member, at time.Time) bool {
	return at.Before(h.undone[author.Person].Add(UndoTime))
}

// lastOf tells whether the clinic would be left without an active administrator or clinician if a member had only
// these roles. The last of either cannot be removed by one person.
func (h *History) lastOf(v view, m Member, remaining []ward.Role) bool {
	return slices.ContainsFunc([]ward.Role{ward.Admin, ward.Clinician}, func(r ward.Role) bool {
		others := slices.DeleteFunc(v.active(r), func(o Member) bool { return o.Person == m.Person })
		return m.Has(r) && !slices.Contains(remaining, r) && len(others) == 0
	})
}

// An effect is what a Reinstate may undo.
type effect struct {
	person, by ward.PersonID
	before     Member
	seq        int64
	time       time.Time
}

func (h *History) reinstate(s stated[envelope.Reinstate]) (func(), error) {
	e, ok := h.done[s.Body.What]
	switch {
	case !ok || e.by == e.person:
		return nil, errors.New("it undoes nothing that can be undone")
	case !s.time.Before(e.time.Add(UndoTime)):
		return nil, fmt.Errorf("it comes later than %d hours after", int(UndoTime.Hours()))
	case s.author.Person == e.by:
		return nil, errors.New("its author did what it undoes")
	case !s.author.had(guarding...):
		return nil, errors.New("its author may not undo it")
	}
	waits := &matter{what: s.hash, kind: s.Body.Type(), person: e.person, author: s.author.Person, undoes: e.by, at: s.time}
	waits.possible = func(at time.Time) bool {
		now, _ := h.Member(e.person)
		return now.changed == e.seq && at.Before(e.time.Add(UndoTime))
	}
	if !waits.possible(s.time) {
		return nil, errors.New("what it undoes was changed since")
	}
	if err := waits.insist(s.view); err != nil {
		return nil, err
	}
	waits.effect = func(seq int64, at time.Time) {
		m, _ := h.Member(e.person) // whose card and name may be others since
		m.Roles, m.Active, m.Ended, m.changed = e.before.Roles, e.before.Active, time.Time{}, seq
		h.set(seq, m)
		h.undone[e.by] = at
		delete(h.done, s.Body.What)
		h.waiting = slices.DeleteFunc(h.waiting, func(w *matter) bool { return w.person == e.person && w.undoes != "" })
	}
	return func() { h.begin(waits, s.seq) }, nil
}

// had is Has, also of who was deactivated.
func (m Member) had(roles ...ward.Role) bool {
	m.Active = true
	return m.Has(roles...)
}

func (h *History) setRules(s stated[envelope.Rules]) (func(), error) {
	if h.roster != nil || !s.author.Has(ward.Admin) {
		return nil, errors.New("its author may not set the clinic's rules")
	}
	waits := &matter{what: s.hash, kind: s.Body.Type(), author: s.author.Person, at: s.time}
	waits.need(s.view, ward.Admin)
	waits.possible = func(time.Time) bool { return true }
	waits.effect = func(seq int64, _ time.Time) { h.veto = append(h.veto, vetoTime{seq, s.Body.Veto}) }
	return func() { h.begin(waits, s.seq) }, nil
}
