package membership

import (
	"errors"
	"slices"
	"time"

	"ward"
	"ward/seal/envelope"
)

// What one person alone may not do waits here for others. Who is needed is fixed when it is stated: if nobody who could
// confirm is there, a clinic that just begins must still get on, and what was made so is marked.

// A need is that so many people with one of the roles confirm something.
type need struct {
	roles  []ward.Role
	count  int
	by     []ward.PersonID
	author ward.PersonID // of one that fell away: who went on without it
}

func (n need) open() int { return n.count - len(n.by) }

// A matter is a statement that waits.
type matter struct {
	what     string
	kind     string
	person   ward.PersonID // whom it is about
	author   ward.PersonID // who wants it: of a card, who invited
	undoes   ward.PersonID // of a Reinstate: who did what it undoes
	at       time.Time
	needs    []need
	fallen   []need // those that nobody could meet
	inviter  bool   // nobody else could: who invited may confirm
	recovers bool   // a card after lost keys, which can be vetoed
	met      int    // confirmations by who met the person
	agreed   []ward.PersonID
	from     time.Time // of a card after lost keys: when it can no longer be vetoed
	possible func(at time.Time) bool
	effect   func(seq int64, at time.Time)
}

// A Pending is something that waits for confirmation, or for the time of a veto to pass.
type Pending struct {
	What   string
	Type   string
	Person ward.PersonID
	Author ward.PersonID
	At     time.Time
	Needs  [][]ward.Role // for each confirmation that is missing, the roles of which one will do
	From   time.Time     // of a card after lost keys that was confirmed: from when it can be completed
}

// Pending lists what waits, in order.
func (h *History) Pending() (all []Pending) {
	for _, w := range h.waiting {
		p := Pending{What: w.what, Type: w.kind, Person: w.person, Author: w.author, At: w.at}
		for _, n := range w.needs {
			for range n.open() {
				p.Needs = append(p.Needs, n.roles)
			}
		}
		if w.recovers && len(p.Needs) == 0 {
			p.From = w.from
		}
		all = append(all, p)
	}
	return all
}

// another tells whether a member can stand behind what the author wants: somebody else, and not whom the author brought
// in a moment ago. Whom it is about can only where it gives them back what they had.
func (w *matter) another(m Member, at time.Time) bool {
	young := m.InvitedBy == w.author && at.Before(m.Invited.Add(Young))
	return m.Person != w.author && (m.Person != w.person || w.undoes != "") && m.Person != w.undoes && !young
}

// could lists who could confirm at the matter's own place.
func (w *matter) could(v view, roles ...ward.Role) []Member {
	return slices.DeleteFunc(v.roster.Members(v.seq), func(m Member) bool {
		has := m.Has(roles...) || w.undoes != "" && m.endedLately(w.at) && m.had(roles...)
		return !has || !w.another(m, w.at)
	})
}

// powerful are the roles for which a second person is needed.
func powerful(roles []ward.Role) []ward.Role {
	return slices.DeleteFunc(slices.Clone(roles), func(r ward.Role) bool { return r != ward.Clinician && r != ward.Admin })
}

// need asks for a confirmation for each power that is given.
func (w *matter) need(v view, powers ...ward.Role) {
	for _, power := range powers {
		roles := []ward.Role{power}
		if len(w.could(v, roles...)) == 0 {
			roles = []ward.Role{ward.Clinician}
		}
		if n := (need{roles: roles, count: 1}); len(w.could(v, roles...)) > 0 {
			w.needs = append(w.needs, n)
			continue
		}
		if power == ward.Admin {
			roles = []ward.Role{ward.Clinician, ward.Admin}
		}
		w.fallen = append(w.fallen, need{roles: roles, count: 1, author: w.author})
	}
}

// insist asks for one who stays behind, and fails if there is nobody.
func (w *matter) insist(v view) error {
	if len(w.could(v, guarding...)) == 0 {
		return errors.New("it needs a second person, and there is none")
	}
	w.needs = append(w.needs, need{roles: guarding, count: 1})
	return nil
}

// needAfterLoss asks for those who checked that who lost their keys is who they say. A clinician's or an
// administrator's keys open more, so two must have.
func (w *matter) needAfterLoss(v view, of []ward.Role) {
	roles, count := []ward.Role{ward.Clinician, ward.FrontDesk}, 1
	if slices.ContainsFunc(of, ward.Role.IsStaff) {
		roles = []ward.Role{ward.Clinician, ward.Admin}
		count += min(1, len(powerful(of)))
	}
	could := len(w.could(v, roles...))
	w.inviter = could == 0
	w.needs = []need{{roles: roles, count: max(1, min(count, could))}}
	for range count - could {
		w.fallen = append(w.fallen, need{roles: roles, count: 1, author: w.author})
	}
}

func (h *History) waitingFor(hash string) *matter {
	for _, w := range h.waiting {
		if w.what == hash {
			return w
		}
	}
	return nil
}

// begin lets a matter wait, or take effect at once if nobody is needed.
func (h *History) begin(w *matter, seq int64) {
	if w.isAgreed() {
		w.effect(seq, w.at)
		return
	}
	h.waiting = append(h.waiting, w)
}

func (w *matter) isAgreed() bool {
	return !slices.ContainsFunc(w.needs, func(n need) bool { return n.open() > 0 })
}

func (h *History) drop(w *matter) {
	h.waiting = slices.DeleteFunc(h.waiting, func(o *matter) bool { return o == w })
}

// voidOf ends whatever waits that is about a person who leaves.
func (h *History) voidOf(person ward.PersonID) {
	h.waiting = slices.DeleteFunc(h.waiting, func(w *matter) bool { return w.person == person })
	h.voidCardsOf(person)
}

// voidCardsOf ends other cards of a person that wait, and open invitations to new keys: they have a card. What others
// decide of them waits on.
func (h *History) voidCardsOf(person ward.PersonID) {
	h.waiting = slices.DeleteFunc(h.waiting, func(w *matter) bool { return w.person == person && w.kind == envelope.MemberCard{}.Type() })
	for _, v := range h.invitations {
		v.open = v.open && (v.invite.Person != person || !v.invite.Recover)
	}
}

func (h *History) confirm(s stated[envelope.Confirm]) (func(), error) {
	w := h.waitingFor(s.Body.What)
	if w == nil {
		return h.confirmAlone(s)
	}
	m := s.author
	inviter := w.inviter && m.Person == w.author && s.Body.How == envelope.Met
	switch {
	case !m.Active && w.undoes == "":
		return nil, errors.New("its author is not active")
	case h.roster != nil && string(m.Person) == h.chain, !w.another(m, s.time) && !inviter:
		return nil, errors.New("its author is not a second person")
	case slices.Contains(w.agreed, m.Person):
		return nil, errors.New("its author has confirmed it already")
	}
	var meets []int
	for i, n := range w.needs {
		if m.had(n.roles...) && (n.open() > 0 || w.recovers) {
			meets = append(meets, i)
		}
	}
	if len(meets) == 0 {
		return nil, errors.New("nobody of its author's roles is needed")
	}
	if last := w.agreesWith(meets); last && !w.recovers && !w.possible(s.time) {
		return nil, errors.New("what it confirms is no longer possible")
	}
	return func() {
		w.agreed = append(w.agreed, m.Person)
		for _, i := range meets {
			if w.needs[i].open() > 0 {
				w.needs[i].by = append(w.needs[i].by, m.Person)
			}
		}
		if s.Body.How == envelope.Met {
			w.met++
		}
		if w.isAgreed() && !w.recovers {
			h.drop(w)
			w.effect(s.seq, s.time)
		}
	}, nil
}

// agreesWith tells whether one more confirmation, of these needs, is the last.
func (w *matter) agreesWith(meets []int) bool {
	for i, n := range w.needs {
		open := n.open()
		if slices.Contains(meets, i) {
			open--
		}
		if open > 0 {
			return false
		}
	}
	return true
}

// confirmAlone takes from a member the mark that one person alone made them what they are.
func (h *History) confirmAlone(s stated[envelope.Confirm]) (func(), error) {
	for person := range h.people {
		m, _ := h.Member(person)
		if !m.Active || !m.Alone() || m.Card.Hash != s.Body.What {
			continue
		}
		mine := slices.IndexFunc(m.fallen, func(n need) bool {
			w := matter{person: person, author: n.author}
			return s.author.Has(n.roles...) && w.another(s.author, s.time)
		})
		switch {
		case mine < 0, h.roster != nil && string(s.author.Person) == h.chain:
			return nil, errors.New("its author could not have confirmed this")
		case slices.Contains(m.vouched, s.author.Person):
			return nil, errors.New("its author has confirmed it already")
		}
		return func() {
			m.fallen = slices.Delete(slices.Clone(m.fallen), mine, mine+1)
			m.vouched = append(slices.Clone(m.vouched), s.author.Person)
			h.set(s.seq, m)
		}, nil
	}
	return nil, errors.New("it confirms nothing that waits")
}

func (h *History) complete(s stated[envelope.Complete]) (func(), error) {
	w := h.waitingFor(s.Body.What)
	switch {
	case w == nil || !w.recovers:
		return nil, errors.New("it completes no card that waits")
	case h.roster != nil && string(s.author.Person) == h.chain:
		return nil, errors.New("its author is whom it is about")
	case !w.isAgreed():
		return nil, errors.New("the card it completes is not confirmed")
	case s.time.Before(w.from):
		return nil, errors.New("the card it completes can still be vetoed")
	case !w.possible(s.time):
		return nil, errors.New("what it completes is no longer possible")
	}
	return func() {
		h.drop(w)
		w.effect(s.seq, s.time)
	}, nil
}
