// Package locks decides from what people signed who holds a lock's key, and which of its next keys counts: so that
// neither the server's word nor any single member's can lock somebody out, or let somebody in.
//
// An epoch names its members. The next one is due when one of them left, was deactivated, lost the role that such a lock
// asks for, has another card or is past their time, or when a lock among them has turned; never because somebody says
// so. It must name exactly those who remain, and those who were added since. Everybody who holds its key recomputes what
// was sealed to each (seal.SealRecomputable), so all come to the same answer whether it is sound; readers follow the
// first sound try, and each member has one try at each number. An epoch is judged at the place of the membership history
// that it names itself: what is newer makes it due, never unsound, or two honest devices with different news would
// follow different keys.
//
// The rules are pure: no key, no clock, no network. model_test.go searches every order of moves in small groups, with a
// dishonest member and a dishonest server, and shows that none of the rules can be left out.
package locks

import (
	"cmp"
	"slices"
	"time"

	"ward"
	"ward/seal/envelope"
)

// A Member is a person by their card, or a lock by its epoch, with the terms on which they hold a lock.
type Member struct {
	Person      ward.PersonID
	Card        string
	Holder      ward.LockID
	HolderEpoch int64
	Purpose     string
	Until       time.Time // zero for no end
}

func (m Member) name() string { return string(m.Person) + string(m.Holder) }

// A Place is where an author stood: the seq of the membership history they had read, and the time of the newest block
// that the ledger had agreed on.
type Place struct {
	Roll int64
	Time time.Time
}

// Facts are what others signed, at a place.
type Facts interface {
	// Person is someone's current card and their roles, which stay known of who is not active any more.
	Person(p ward.PersonID, at Place) (card string, roles []ward.Role, active bool)
	// Epoch is the newest epoch of a lock.
	Epoch(l ward.LockID, at Place) int64
	// Holds tells whether a lock, such as a team, names the person.
	Holds(l ward.LockID, p ward.PersonID, at Place) bool
}

// An Epoch is a try at a lock's next epoch, as it states itself.
type Epoch struct {
	Number  int64
	Author  ward.PersonID
	At      Place
	Members []Member
}

// A Lock is where a lock stands: its newest epoch that counts, and what was signed since.
type Lock struct {
	Kind  string
	Epoch Epoch
	Added []Member // by grants of this epoch
	Left  []string // ids of persons and locks that left or were taken off
}

// members are those of the epoch and those added since; who was added again has the newer terms.
func (l Lock) members() []Member {
	all := slices.Clone(l.Epoch.Members)
	for _, m := range l.Added {
		all = slices.DeleteFunc(all, func(o Member) bool { return o.name() == m.name() })
		all = append(all, m)
	}
	return all
}

// remains tells whether a member is one of the next epoch's.
func (l Lock) remains(m Member, at Place, facts Facts) bool {
	if slices.Contains(l.Left, m.name()) || !m.Until.IsZero() && !m.Until.After(at.Time) {
		return false
	}
	if m.Holder != "" {
		return true
	}
	_, roles, active := facts.Person(m.Person, at)
	return active && mayHold(l.Kind, roles)
}

// mayHold tells whether people of these roles hold locks of a kind.
func mayHold(kind string, roles []ward.Role) bool {
	switch kind {
	case envelope.LockTeam, envelope.LockEmergency:
		return slices.Contains(roles, ward.Clinician)
	case envelope.LockDirectory:
		return has(roles, ward.Clinician, ward.FrontDesk, ward.Security, ward.Privacy)
	case envelope.LockChart:
		return has(roles, ward.Patient, ward.Proxy, ward.Clinician)
	}
	return len(roles) > 0
}

// mayTurn tells whether members of these roles give locks of a kind their next key. All members of a chart, a team and
// the emergency key may, so that a lock that is due never waits for one person. The list of staff and the directory have
// many members, whom one request each would cost dear.
func mayTurn(kind string, roles []ward.Role) bool {
	if kind == envelope.LockStaff || kind == envelope.LockDirectory {
		return has(roles, ward.Clinician, ward.Admin)
	}
	return true
}

func has(roles []ward.Role, of ...ward.Role) bool {
	return slices.ContainsFunc(of, func(r ward.Role) bool { return slices.Contains(roles, r) })
}

// Due tells whether the lock needs its next epoch.
func (l Lock) Due(at Place, facts Facts) bool {
	return slices.ContainsFunc(l.members(), func(m Member) bool {
		if m.Holder != "" {
			return !l.remains(m, at, facts) || facts.Epoch(m.Holder, at) > m.HolderEpoch
		}
		card, roles, _ := facts.Person(m.Person, at)
		if l.Kind == envelope.LockStaff && !slices.ContainsFunc(roles, ward.Role.IsStaff) {
			return false // names of staff are no secret from who was a patient yesterday, and patients are many
		}
		return !l.remains(m, at, facts) || card != m.Card
	})
}

// List is whom the next epoch names: those who remain, by the card and epoch that are theirs now.
func (l Lock) List(at Place, facts Facts) []Member {
	list := []Member{}
	for _, m := range l.members() {
		if !l.remains(m, at, facts) {
			continue
		}
		if m.Holder != "" {
			m.HolderEpoch = facts.Epoch(m.Holder, at)
		} else {
			m.Card, _, _ = facts.Person(m.Person, at)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Member) int { return cmp.Compare(a.name(), b.name()) })
	return list
}

// Faults are what is wrong with a try in plain view, for whoever holds no key, too.
type Faults uint8

const (
	OtherNumber Faults = 1 << iota // it is not the next, or stands at a place before that of the one before
	NoMember                       // its author is no member at its place, or of none of the roles that turn such a lock
	NotDue                         // nobody left
	OtherList                      // it names others than who remain
	TriedBefore                    // its author had their try at this number
)

// Faults judges a try at the next epoch after the earlier ones, at the place that it names.
func (l Lock) Faults(e Epoch, earlier []Epoch, facts Facts) (faults Faults) {
	note := func(wrong bool, f Faults) {
		if wrong {
			faults |= f
		}
	}
	list := l.List(e.At, facts)
	_, roles, _ := facts.Person(e.Author, e.At)
	isMember := slices.ContainsFunc(list, func(m Member) bool {
		return m.Person == e.Author || m.Holder != "" && facts.Holds(m.Holder, e.Author, e.At)
	})
	note(e.Number != l.Epoch.Number+1 || e.At.Roll < l.Epoch.At.Roll || e.At.Time.Before(l.Epoch.At.Time), OtherNumber)
	note(!isMember || !mayTurn(l.Kind, roles), NoMember)
	note(!l.Due(e.At, facts), NotDue)
	note(!slices.EqualFunc(e.Members, list, Member.equal), OtherList)
	note(slices.ContainsFunc(earlier, func(o Epoch) bool { return o.Number == e.Number && o.Author == e.Author }), TriedBefore)
	return faults
}

func (m Member) equal(o Member) bool {
	same := m.Until.Equal(o.Until)
	m.Until, o.Until = time.Time{}, time.Time{}
	return same && m == o
}

// Follow finds, of the tries at the next epoch in the order of the chain, the one that counts: the first without
// faults that is sound, which who holds its key finds out by recomputing it.
func (l Lock) Follow(tries []Epoch, facts Facts, sound func(i int) bool) (at int, ok bool) {
	for i, e := range tries {
		if l.Faults(e, tries[:i], facts) == 0 && sound(i) {
			return i, true
		}
	}
	return 0, false
}
