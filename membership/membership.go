// Package membership computes who is who in a clinic from what people signed: who joined, by whose invitation, with
// which keys and roles, confirmed by whom; new keys, new roles, and ends. The server's word is not asked.
//
// The signed history of a clinic is a chain of statements (seal/envelope) that begins at its founding statement, which
// every client pins: the roster, of staff alone. Each patient and proxy has a chain of their own, a thread, whose
// statements name a head of the roster: their authors are judged by what the roster says there. So who checks one
// patient's keys needs the roster and that thread, and learns of no other patient.
//
// A statement that breaks a rule ends its chain for every reader, at the same place: nothing after it counts. The rules
// are in rules.go, what waits for a second person in pending.go; docs/formats.md (Membership) is the reference for both
// implementations, testdata/vectors/membership holds them together.
//
// It holds no secret, so the server uses it too, and takes no statement that readers would refuse.
package membership

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/seal/envelope"
)

const (
	// Skew is how far two honest clocks may be apart.
	Skew = 10 * time.Minute
	// UndoTime is how long a deactivation or a change of roles can be undone: a long weekend.
	UndoTime = 72 * time.Hour
	// Young is how long who was invited confirms nothing of their inviter's, who else could make their own second person.
	Young = 72 * time.Hour
	// DefaultVeto is how many hours a card after lost keys can be vetoed, until the clinic sets another time: long enough
	// that somebody looks at their old device.
	DefaultVeto = 24
	// ownVetoes is how many vetoes a person's old device has before two who met the person outweigh it: it may be the
	// thief's.
	ownVetoes = 2
)

// A Head is where a chain stands.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"` // of the statement at Seq
}

// A Member is what a chain says of one person at one place.
type Member struct {
	Person    ward.PersonID
	Roles     []ward.Role
	Active    bool
	Card      Card   // current; of no use once not Active
	Name      string // commitment, see envelope.NameHash
	InvitedBy ward.PersonID
	Invited   time.Time
	Ended     time.Time       // when deactivated, if not Active
	Since     int64           // the seq from which this holds
	changed   int64           // the seq at which roles or activity changed last
	fallen    []need          // what nobody else was there to confirm
	vouched   []ward.PersonID // who confirmed some of it since: each counts once
}

// Alone tells whether one person alone made this member what they are.
func (m Member) Alone() bool { return len(m.fallen) > 0 }

// Has tells whether the member is active and has one of the roles.
func (m Member) Has(roles ...ward.Role) bool {
	return m.Active && slices.ContainsFunc(roles, func(r ward.Role) bool { return slices.Contains(m.Roles, r) })
}

// A Card is a person's public keys, as a chain has them.
type Card struct {
	Hash          string
	Serial        int64
	Signing       string
	RecipientHash string
}

// A History is a chain as far as it was read: the roster, or a thread.
type History struct {
	org    ward.OrgID
	chain  string
	roster *History // of a thread
	clinic *envelope.Statement[envelope.Clinic]
	hashes []string    // by seq; in a thread the first is empty
	times  []time.Time // by seq, as claimed
	latest time.Time
	named  int64 // the highest seq of the roster that the thread named

	people      map[ward.PersonID][]Member // what held, in order of Since
	invitations map[ward.InvitationID]*invitation
	waiting     []*matter
	done        map[string]effect // what a Reinstate may undo, by hash
	undone      map[ward.PersonID]time.Time
	vetoes      map[ward.PersonID]int // of persons against their own new cards
	veto        []vetoTime
}

// A vetoTime is how many hours a card after lost keys can be vetoed, from a seq on.
type vetoTime struct{ since, hours int64 }

// NewRoster begins a clinic's roster at its founding statement, whose hash the caller has pinned.
func NewRoster(clinic *envelope.Statement[envelope.Clinic]) (*History, error) {
	if err := clinic.Verify(clinic.Body.Signing); err != nil {
		return nil, err
	}
	at, err := ward.ParseTime(clinic.Body.Time)
	if err != nil {
		return nil, err
	}
	h := newHistory(clinic.Body.Org, string(clinic.Body.Org))
	h.clinic, h.hashes, h.times, h.latest = clinic, []string{clinic.Hash()}, []time.Time{at}, at
	return h, nil
}

// NewThread begins the chain of a patient or proxy. The roster must have been read at least as far as the thread's
// statements name it.
func NewThread(roster *History, person ward.PersonID) *History {
	h := newHistory(roster.org, string(person))
	began := roster.times[0]
	h.roster, h.hashes, h.times, h.latest = roster, []string{""}, []time.Time{began}, began
	return h
}

func newHistory(org ward.OrgID, chain string) *History {
	return &History{
		org: org, chain: chain, people: map[ward.PersonID][]Member{}, invitations: map[ward.InvitationID]*invitation{},
		done: map[string]effect{}, undone: map[ward.PersonID]time.Time{}, vetoes: map[ward.PersonID]int{}, veto: []vetoTime{{0, DefaultVeto}},
	}
}

// Chain is the organisation's id for the roster, and the person's for a thread.
func (h *History) Chain() string { return h.chain }

// Head is the chain's newest statement.
func (h *History) Head() Head {
	seq := int64(len(h.hashes) - 1)
	return Head{Seq: seq, Hash: h.hashes[seq]}
}

// HashAt is the hash of the statement at a seq, or empty.
func (h *History) HashAt(seq int64) string {
	if seq < 0 || seq >= int64(len(h.hashes)) {
		return ""
	}
	return h.hashes[seq]
}

// Member finds a person as of the newest statement.
func (h *History) Member(person ward.PersonID) (Member, bool) {
	return h.MemberAt(person, h.Head().Seq)
}

// MemberAt finds a person as of the statement at seq.
func (h *History) MemberAt(person ward.PersonID, seq int64) (Member, bool) {
	line := h.people[person]
	for i := len(line) - 1; i >= 0; i-- {
		if line[i].Since <= seq {
			return line[i], true
		}
	}
	return Member{}, false
}

// Members lists everyone as of the statement at seq, by id.
func (h *History) Members(seq int64) (all []Member) {
	for _, person := range slices.Sorted(maps.Keys(h.people)) {
		if m, ok := h.MemberAt(person, seq); ok {
			all = append(all, m)
		}
	}
	return all
}

// Cards lists the cards that a person ever had that counted, oldest first, each with the seq from which it did.
func (h *History) Cards(person ward.PersonID) (cards []Member) {
	for _, m := range h.people[person] {
		if len(cards) == 0 || cards[len(cards)-1].Card.Hash != m.Card.Hash {
			cards = append(cards, m)
		}
	}
	return cards
}

// Changed lists, by id, whom the statement at seq changed.
func (h *History) Changed(seq int64) (changed []ward.PersonID) {
	for _, person := range slices.Sorted(maps.Keys(h.people)) {
		if slices.ContainsFunc(h.people[person], func(m Member) bool { return m.Since == seq }) {
			changed = append(changed, person)
		}
	}
	return changed
}

// Veto is how many hours a card after lost keys can be vetoed.
func (h *History) Veto() int64 { return h.vetoAt(h.Head().Seq) }

func (h *History) vetoAt(seq int64) int64 {
	for _, v := range slices.Backward(h.veto) {
		if v.since <= seq {
			return v.hours
		}
	}
	return DefaultVeto
}

// A BadStatement says which statement broke which rule. The chain is as it was before.
type BadStatement struct {
	Chain string
	Seq   int64
	Err   error
}

func (b *BadStatement) Error() string {
	return fmt.Sprintf("membership %s, statement %d: %v", b.Chain, b.Seq, b.Err)
}

func (b *BadStatement) Unwrap() error { return b.Err }

// Read takes statements in order, up to the first that breaks a rule.
func (h *History) Read(texts [][]byte, now time.Time) error {
	for _, text := range texts {
		if err := h.Append(text, now); err != nil {
			return err
		}
	}
	return nil
}

// Append takes the next statement, or leaves the chain as it was and gives a *BadStatement. now is the reader's clock:
// what claims to be of the future does not count yet.
func (h *History) Append(text []byte, now time.Time) error {
	if err := h.append(text, now); err != nil {
		return &BadStatement{Chain: h.chain, Seq: h.Head().Seq + 1, Err: err}
	}
	return nil
}

func (h *History) append(text []byte, now time.Time) error {
	kind, _, _ := strings.Cut(string(text[:min(len(text), 64)]), "\n")
	take, known := rules[kind]
	if !known {
		return fmt.Errorf("%.40q is not a statement of membership", kind)
	}
	return take(h, text, now)
}

// rules are what each type of statement is judged by.
var rules = map[string]func(*History, []byte, time.Time) error{
	envelope.MemberCard{}.Type(): (*History).takeCard,
	envelope.Invite{}.Type():     taking((*History).invite),
	envelope.Withdraw{}.Type():   taking((*History).withdraw),
	envelope.Confirm{}.Type():    taking((*History).confirm),
	envelope.Complete{}.Type():   taking((*History).complete),
	envelope.Veto{}.Type():       taking((*History).refuse),
	envelope.Roles{}.Type():      taking((*History).roles),
	envelope.Rename{}.Type():     taking((*History).rename),
	envelope.Deactivate{}.Type(): taking((*History).deactivate),
	envelope.Reinstate{}.Type():  taking((*History).reinstate),
	envelope.Rules{}.Type():      taking((*History).setRules),
}

// A stated is a statement with what was found of it before its own rule is asked.
type stated[B envelope.Body] struct {
	*envelope.Statement[B]
	hash   string
	seq    int64
	time   time.Time
	author Member // as they were just before; nobody for cards
	view   view   // by which it is judged
}

// taking makes of a rule what reads a statement with an author, checks its place, author and signature, asks the rule,
// and, if that agrees, lets the statement take effect.
func taking[B envelope.Membership](rule func(*History, stated[B]) (func(), error)) func(*History, []byte, time.Time) error {
	return func(h *History, text []byte, now time.Time) error {
		s, err := envelope.Parse[B](text)
		if err != nil {
			return err
		}
		at, err := h.stands(s.Body.Stands(), s.Body.States().Time, now)
		if err != nil {
			return err
		}
		said := stated[B]{Statement: s, hash: s.Hash(), seq: s.Body.Stands().Seq, time: at, view: h.judgedAt(s.Body.Stands())}
		if said.author, err = h.author(said.view, s.Body.States(), at, s.Body.Type()); err != nil {
			return err
		}
		if err := s.Verify(said.author.Card.Signing); err != nil {
			return err
		}
		holds, err := rule(h, said)
		if err != nil {
			return err
		}
		h.take(s.Body.Stands(), said.hash, at)
		holds()
		return nil
	}
}

// stands checks that a statement is the next one, and gives the time that it claims.
func (h *History) stands(p envelope.Place, claimed string, now time.Time) (time.Time, error) {
	head := h.Head()
	at, err := ward.ParseTime(claimed)
	switch {
	case err != nil:
		return at, err
	case p.Org != h.org || p.Chain != h.chain:
		return at, errors.New("it is of another chain")
	case p.Seq != head.Seq+1:
		return at, fmt.Errorf("it has seq %d in place %d", p.Seq, head.Seq+1)
	case p.Previous != head.Hash:
		return at, errors.New("it does not name the statement before it")
	case at.Before(h.latest.Add(-Skew)):
		return at, errors.New("it claims to be older than what came before it")
	case at.After(now.Add(Skew)):
		return at, errors.New("it claims to be of the future")
	case h.roster == nil:
		return at, nil
	case p.RosterSeq < h.named:
		return at, errors.New("it names an older head of the roster than the statement before it")
	case p.RosterHash != h.roster.HashAt(p.RosterSeq):
		return at, errors.New("it names a head that the roster does not have")
	case at.Before(h.roster.times[p.RosterSeq].Add(-Skew)):
		return at, errors.New("it claims to be older than the roster's statement that it names")
	}
	return at, nil
}

// take moves the head.
func (h *History) take(p envelope.Place, hash string, at time.Time) {
	h.hashes, h.times, h.named = append(h.hashes, hash), append(h.times, at), p.RosterSeq
	if at.After(h.latest) {
		h.latest = at
	}
}

// A view is the roster at a place: who may state and confirm things there.
type view struct {
	roster *History
	seq    int64
}

func (v view) member(person ward.PersonID) (Member, bool) { return v.roster.MemberAt(person, v.seq) }

// active lists who is active and has one of the roles.
func (v view) active(roles ...ward.Role) []Member {
	return slices.DeleteFunc(v.roster.Members(v.seq), func(m Member) bool { return !m.Has(roles...) })
}

// judgedAt is the view by which a statement is judged: what held just before it.
func (h *History) judgedAt(p envelope.Place) view {
	if h.roster == nil {
		return view{h, h.Head().Seq}
	}
	return view{h.roster, p.RosterSeq}
}

// author finds who states something: staff, or, in their own thread, its person.
func (h *History) author(v view, a envelope.Author, at time.Time, kind string) (Member, error) {
	m, ok := v.member(a.By)
	if h.roster != nil && string(a.By) == h.chain {
		m, ok = h.Member(a.By)
	}
	undoes := kind == envelope.Reinstate{}.Type() || kind == envelope.Confirm{}.Type() // of which the rules ask more
	switch {
	case !ok:
		return m, errors.New("its author is not of this clinic")
	case !m.Active && !(undoes && m.endedLately(at)):
		return m, errors.New("its author is not active")
	case m.Card.Hash != a.Card:
		return m, errors.New("its author's card is not their current one")
	}
	return m, nil
}

func (m Member) endedLately(at time.Time) bool {
	return !m.Active && at.Before(m.Ended.Add(UndoTime))
}

// set changes what holds of a person, from seq on.
func (h *History) set(seq int64, m Member) {
	m.Since = seq
	if !m.Alone() {
		m.vouched = nil
	}
	line := h.people[m.Person]
	if n := len(line); n > 0 && line[n-1].Since == seq {
		line = line[:n-1]
	}
	h.people[m.Person] = append(line, m)
}
