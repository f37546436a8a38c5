package locks

import (
	"flag"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"ward"
	"ward/seal/envelope"
)

// The model: small groups that share one chart's lock, one of them dishonest, the server too. It searches every order of
// writing, ending, granting again and turning, also turning for whom one likes, with whatever news one claims to have,
// and with a history that opens nothing. Which epoch counts, when the next is due and whom it names say this package's
// rules. What a server withholds is a move that is not made.

var deep = flag.Bool("deep", false, "search longer: five epochs, three ends")

type set = uint8

const (
	maxEpochs = 5
	maxEnds   = 3
)

var (
	names  = [...]string{"patient", "doctor1", "doctor2", "proxy"}
	roleOf = [...]ward.Role{ward.Patient, ward.Clinician, ward.Clinician, ward.Proxy}
	chief  = int8(0) // the patient, whom nobody ends
)

// rules that are off are shown to be needed.
type rules struct {
	off      Faults // of this package
	unsound  bool   // nobody recomputes what was sealed to the others
	stale    bool   // keys are sealed before the newest facts were read
	replaces bool   // who grants again replaces what was sealed before
}

type modelEpoch struct {
	parent, author, place int8
	list, good, seen      set // whom it names, for whom what was sealed is right, who ever had the key
	history               bool
	endedThen             set  // who had been ended, whatever its author claims
	content, leaks        bool // someone honest wrote here; while one who had been ended had the key
}

type state struct {
	n, ends int8
	e       [maxEpochs]modelEpoch
	order   [maxEnds]int8 // who was ended, one after the other: the membership history
}

func (s *state) endedAt(place int8) (ended set) {
	for _, p := range s.order[:place] {
		ended |= bit(p)
	}
	return ended
}

func (s *state) ended() set { return s.endedAt(s.ends) }

// Person, Epoch and Holds are the facts of the model.
func (s *state) Person(p ward.PersonID, at Place) (string, []ward.Role, bool) {
	i := slices.Index(names[:], string(p))
	return "card of " + string(p), []ward.Role{roleOf[i]}, !has1(s.endedAt(int8(at.Roll)), int8(i))
}
func (s *state) Epoch(ward.LockID, Place) int64               { return 0 }
func (s *state) Holds(ward.LockID, ward.PersonID, Place) bool { return false }

func (s *state) epoch(i int8) Epoch {
	e := Epoch{Number: 1, Author: ward.PersonID(names[s.e[i].author]), At: Place{Roll: int64(s.e[i].place)}, Members: []Member{}}
	for at := s.e[i].parent; at >= 0; at = s.e[at].parent {
		e.Number++
	}
	for p, name := range names {
		if has1(s.e[i].list, int8(p)) {
			e.Members = append(e.Members, Member{Person: ward.PersonID(name), Card: "card of " + name, Purpose: envelope.ForCare})
		}
	}
	slices.SortFunc(e.Members, func(a, b Member) int { return strings.Compare(a.name(), b.name()) })
	return e
}

func (s *state) lock(i int8) Lock { return Lock{Kind: envelope.LockChart, Epoch: s.epoch(i)} }

func setOf(members []Member) (all set) {
	for _, m := range members {
		all |= bit(int8(slices.Index(names[:], string(m.Person))))
	}
	return all
}

type run struct {
	rules
	epochs, ends int8
	people       int
	bad          int8
	known        map[[maxEpochs * 5]int8]int8
}

func has1(s set, p int8) bool { return s>>uint(p)&1 == 1 }
func bit(p int8) set          { return 1 << uint(p) }

func (r *run) all() set          { return 1<<uint(r.people) - 1 }
func (r *run) live(s *state) set { return r.all() &^ s.ended() }

// honest are those who are honest and have not been ended.
func (r *run) honest(s *state) set { return r.live(s) &^ bit(r.bad) }

func (e modelEpoch) sound() bool { return e.list&^e.good == 0 && e.history }

// next is the epoch that readers follow after one.
func (r *run) next(s *state, at int8) (int8, bool) {
	lock := s.lock(at)
	var tries []Epoch
	var which []int8
	for i := at + 1; i < s.n; i++ {
		if s.e[i].parent == at {
			tries, which = append(tries, s.epoch(i)), append(which, i)
		}
	}
	sound := func(i int) bool { return r.unsound || s.e[which[i]].sound() }
	if r.off == 0 {
		i, ok := lock.Follow(tries, s, sound)
		if !ok {
			return 0, false
		}
		return which[i], true
	}
	for i, e := range tries {
		if lock.Faults(e, tries[:i], s)&^r.off == 0 && sound(i) {
			return which[i], true
		}
	}
	return 0, false
}

// current is the epoch that readers end at. It depends on less than the whole state, and is asked for often.
func (r *run) current(s *state) (at int8) {
	var key [maxEpochs * 5]int8
	for i, e := range s.e[:s.n] {
		sound := int8(0)
		if e.sound() {
			sound = 1
		}
		copy(key[i*5:], []int8{e.parent + 1, e.author + 1, int8(s.endedAt(e.place)) | e.place<<4, int8(e.list), sound})
	}
	if known, ok := r.known[key]; ok {
		return known
	}
	for {
		next, ok := r.next(s, at)
		if !ok {
			r.known[key] = at
			return at
		}
		at = next
	}
}

func (r *run) isDue(s *state, cur int8) bool { return s.lock(cur).Due(Place{Roll: int64(s.ends)}, s) }

// opens tells whether what the server has lets p open epoch i: what was sealed to them, or a later epoch's history.
func opens(s *state, p, i int8) bool {
	if has1(s.e[i].good, p) {
		return true
	}
	for j := i + 1; j < s.n; j++ {
		if s.e[j].parent == i && s.e[j].history && opens(s, p, j) {
			return true
		}
	}
	return false
}

type step struct {
	what string
	next state
}

func (r *run) moves(s *state) (out []step) {
	cur := r.current(s)
	live, due := r.live(s), r.isDue(s, cur)
	for p := int8(0); p < int8(r.people); p++ {
		isBad := p == r.bad
		for q := int8(0); q < int8(r.people); q++ { // the patient ends whom they like, doctors each other and the proxy
			if s.ends < r.ends && has1(live, p) && has1(live, q) && p != q && q != chief && p != 3 && (isBad || q == r.bad) {
				t := *s
				t.order[t.ends] = q
				t.ends++
				out = append(out, step{names[p] + " ends " + names[q], t})
			}
		}
		member := has1(live, p) && has1(s.e[cur].list, p)
		if !isBad && member && opens(s, p, cur) && !s.e[cur].content && (!due || r.stale) {
			t := *s
			t.e[cur].content, t.e[cur].leaks = true, s.e[cur].seen&s.ended() != 0
			out = append(out, step{names[p] + " writes", t})
		}
		for q := int8(0); q < int8(r.people); q++ {
			if p == q || !has1(s.e[cur].list, q) || !has1(live, q) || !has1(live, p) {
				continue
			}
			switch {
			case isBad && r.replaces && has1(s.e[cur].seen, p) && has1(s.e[cur].good, q):
				t := *s
				t.e[cur].good &^= bit(q)
				out = append(out, step{names[p] + " replaces what was sealed to " + names[q] + " by garbage", t})
			case !isBad && opens(s, p, cur) && !has1(s.e[cur].good, q):
				t := *s
				t.e[cur].good |= bit(q)
				t.e[cur].seen |= bit(q)
				out = append(out, step{names[p] + " seals the key to " + names[q] + " again", t})
			}
		}
		if s.n < r.epochs {
			out = append(out, r.turns(s, p, cur, due)...)
		}
	}
	return out
}

// turns are the ways in which p gives the lock its next key.
func (r *run) turns(s *state, p, cur int8, due bool) (out []step) {
	add := func(what string, parent, place int8, list, good set, history bool) {
		t := *s
		t.e[t.n] = modelEpoch{parent: parent, author: p, place: place, list: list, good: good, seen: good | bit(p), history: history, endedThen: s.ended()}
		t.n++
		lock, earlier := s.lock(parent), []Epoch{}
		for i := parent + 1; i < s.n; i++ {
			if s.e[i].parent == parent {
				earlier = append(earlier, s.epoch(i))
			}
		}
		if p != r.bad || lock.Faults(t.epoch(t.n-1), earlier, &t)&^r.off == 0 { // what nobody follows changes nothing
			out = append(out, step{names[p] + what, t})
		}
	}
	if p != r.bad {
		if !has1(r.honest(s), p) || !has1(s.e[cur].list, p) || !opens(s, p, cur) || !due && r.off&NotDue == 0 {
			return nil
		}
		lock := s.lock(cur)
		places := []int8{s.ends}
		if r.stale { // the server tells nothing of what happened since
			places = nil
			for place := s.e[cur].place; place <= s.ends; place++ {
				places = append(places, place)
			}
		}
		for _, place := range places {
			list := setOf(lock.List(Place{Roll: int64(place)}, s))
			add(" turns the lock", cur, place, list, list, true)
		}
		if r.off&OtherList != 0 {
			add(" turns the lock for whom the server says", cur, s.ends, s.e[cur].list, s.e[cur].list, true)
		}
		return out
	}
	for parent := range s.n {
		if !has1(s.e[parent].seen, p) {
			continue
		}
		for place := s.e[parent].place; place <= s.ends; place++ {
			list := setOf(s.lock(parent).List(Place{Roll: int64(place)}, s))
			lists := []set{list}
			if r.off&OtherList != 0 {
				lists = append(lists, bit(p))
			}
			for _, list := range lists {
				for good := set(0); good <= list; good++ {
					if good&^list == 0 {
						add(fmt.Sprintf(" turns epoch %d, right for %s only", parent+1, peopleOf(good)), parent, place, list, good, true)
						add(fmt.Sprintf(" turns epoch %d, right for %s only, without its history", parent+1, peopleOf(good)), parent, place, list, good, false)
					}
				}
			}
		}
	}
	return out
}

func peopleOf(s set) string {
	var out []string
	for p, name := range names {
		if has1(s, int8(p)) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return "nobody"
	}
	return strings.Join(out, "+")
}

// helped tells whether someone honest, still a member, opens epoch i, and so can seal it to the others again.
func (r *run) helped(s *state, i int8) bool {
	for p := int8(0); p < int8(r.people); p++ {
		if has1(r.honest(s), p) && opens(s, p, i) {
			return true
		}
	}
	return false
}

// wrong says what must not be and is.
func (r *run) wrong(s *state) string {
	cur := r.current(s)
	honest := r.honest(s)
	counted := 0
	for i := cur; i > 0; i = s.e[i].parent {
		counted++
		if has1(s.endedAt(s.e[i].place), s.e[i].author) {
			return "an epoch counts whose author had been ended at its place"
		}
	}
	for i := range s.n {
		e := s.e[i]
		if i > 0 && e.author != r.bad && e.seen&e.endedThen != 0 {
			return "someone honest sealed a new key to one who had been ended"
		}
		if e.leaks {
			return "someone honest wrote where one who had been ended reads"
		}
		if e.content && honest&e.list != 0 && !r.helped(s, i) {
			return "nobody honest opens what someone honest wrote"
		}
	}
	switch {
	case honest != 0 && !r.helped(s, cur):
		return "nobody honest opens the current key, for good"
	case honest&^s.e[cur].list != 0:
		return "the current epoch does not name someone honest"
	case counted > int(s.ends):
		return "more epochs count than people left"
	}
	for i := range s.n {
		tries := 0
		for j := i + 1; j < s.n; j++ {
			if s.e[j].parent == i {
				tries++
			}
		}
		if tries > bits.OnesCount8(s.e[i].list) {
			return "more tries at a number than members"
		}
	}
	if r.isDue(s, cur) && honest != 0 && !r.canTurn(s, cur) {
		return "the lock is due and nobody honest may turn it"
	}
	return ""
}

func (r *run) canTurn(s *state, cur int8) bool {
	for p := int8(0); p < int8(r.people); p++ {
		if !has1(r.honest(s)&s.e[cur].list, p) || !opens(s, p, cur) {
			continue
		}
		tried := slices.ContainsFunc(s.e[1:s.n], func(e modelEpoch) bool { return e.parent == cur && e.author == p })
		if !tried {
			return true
		}
	}
	return false
}

// search goes through all states, and gives the shortest way to one that must not be.
func (r *run) search() (states int, wrong string, way []string) {
	r.known = map[[maxEpochs * 5]int8]int8{}
	type from struct {
		before state
		what   string
	}
	begin := state{n: 1}
	begin.e[0] = modelEpoch{parent: -1, author: chief, list: r.all(), good: r.all(), seen: r.all(), history: true}
	came := map[state]from{begin: {}}
	for queue := []state{begin}; len(queue) > 0; {
		s := queue[0]
		queue = queue[1:]
		if wrong = r.wrong(&s); wrong != "" {
			for at := s; at != begin; at = came[at].before {
				way = append(way, came[at].what)
			}
			slices.Reverse(way)
			return len(came), wrong, way
		}
		for _, m := range r.moves(&s) {
			if _, ok := came[m.next]; !ok {
				came[m.next] = from{s, m.what}
				queue = append(queue, m.next)
			}
		}
	}
	return len(came), "", nil
}

// groups runs a search for each small group and each who may be dishonest, until something is wrong.
func groups(rl rules, epochs, ends int8, people int) (states int, wrong string) {
	for n := 2; n <= people; n++ {
		for bad := range int8(n) {
			if bad == 2 {
				continue // as the other doctor
			}
			r := run{rules: rl, epochs: epochs, ends: ends, people: n, bad: bad}
			more, found, way := r.search()
			states += more
			if found != "" {
				return states, fmt.Sprintf("%s (%d people, %s is dishonest): %s", found, n, names[bad], strings.Join(way, "; "))
			}
		}
	}
	return states, ""
}

func TestNoSingleMemberLocksAnyoneOut(t *testing.T) {
	epochs, ends := int8(4), int8(2)
	if *deep {
		epochs, ends = maxEpochs, maxEnds
	}
	states, wrong := groups(rules{}, epochs, ends, len(names))
	t.Logf("%d states", states)
	if wrong != "" {
		t.Error(wrong)
	}
	if states < 10_000 {
		t.Errorf("only %d states: the model does not move", states)
	}
}

func TestEachRuleIsNeeded(t *testing.T) {
	for name, rl := range map[string]rules{
		"an author is a member":               {off: NoMember},
		"only a lock that is due is turned":   {off: NotDue},
		"an epoch names those who remain":     {off: OtherList},
		"each member has one try at a number": {off: TriedBefore},
		"who holds a key recomputes":          {unsound: true},
		"newest facts come before sealing":    {stale: true},
		"what was sealed is only added to":    {replaces: true},
	} {
		t.Run(name, func(t *testing.T) {
			states, wrong := groups(rl, 4, 2, len(names))
			if wrong == "" {
				t.Errorf("without it nothing goes wrong in %d states", states)
			}
			t.Log(wrong)
		})
	}
}
