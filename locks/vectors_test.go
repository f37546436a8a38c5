package locks

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ward"
)

var update = flag.Bool("update", false, "write testdata/vectors/locks anew")

const vectorFolder = "../testdata/vectors/locks"

// A vector is a lock with tries at its next epoch (testdata/vectors/README.md).
type vector struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Good   bool   `json:"good"` // the last try has no fault
	Wrong  string `json:"wrong,omitempty"`
	Input  input  `json:"input"`
	Output output `json:"output"`
}

type input struct {
	Kind   string                          `json:"kind"`
	Epoch  try                             `json:"epoch"`
	Added  []line                          `json:"added"`
	Left   []string                        `json:"left"`
	People map[ward.PersonID][]standing    `json:"people"` // of each, from which place on what holds
	Epochs map[ward.LockID]int64           `json:"epochs"`
	Holds  map[ward.LockID][]ward.PersonID `json:"holds"`
	Tries  []try                           `json:"tries"`
	Sound  []bool                          `json:"sound"` // of each try
}

type standing struct {
	Since  int64       `json:"since"`
	Card   string      `json:"card"`
	Roles  []ward.Role `json:"roles"`
	Active bool        `json:"active"`
}

type try struct {
	Number  int64         `json:"number"`
	Author  ward.PersonID `json:"author"`
	Roll    int64         `json:"roll"`
	Time    string        `json:"time"`
	Members []line        `json:"members"`
}

type line struct {
	Person      ward.PersonID `json:"person,omitempty"`
	Card        string        `json:"card,omitempty"`
	Holder      ward.LockID   `json:"holder,omitempty"`
	HolderEpoch int64         `json:"holderEpoch,omitempty"`
	Purpose     string        `json:"purpose"`
	Until       string        `json:"until,omitempty"`
}

type output struct {
	Due     bool       `json:"due"` // at the place of the last try
	List    []line     `json:"list"`
	Faults  [][]string `json:"faults"` // of each try
	Follows int        `json:"follows"`
}

func (f facts) Person(p ward.PersonID, at Place) (card string, roles []ward.Role, active bool) {
	for _, s := range f.People[p] {
		if s.Since <= at.Roll {
			card, roles, active = s.Card, s.Roles, s.Active
		}
	}
	return card, roles, active
}

// facts is an input as Facts: its fields have the names of methods.
type facts struct{ input }

func (f facts) Epoch(l ward.LockID, _ Place) int64 { return f.Epochs[l] }
func (f facts) Holds(l ward.LockID, p ward.PersonID, _ Place) bool {
	return slices.Contains(f.input.Holds[l], p)
}

func (l line) member() Member {
	m := Member{Person: l.Person, Card: l.Card, Holder: l.Holder, HolderEpoch: l.HolderEpoch, Purpose: l.Purpose}
	if l.Until != "" {
		m.Until = parse(l.Until)
	}
	return m
}

func parse(text string) time.Time {
	t, err := ward.ParseTime(text)
	if err != nil {
		panic(err) // a vector's
	}
	return t
}

func lines(members []Member) []line {
	out := []line{}
	for _, m := range members {
		l := line{Person: m.Person, Card: m.Card, Holder: m.Holder, HolderEpoch: m.HolderEpoch, Purpose: m.Purpose}
		if !m.Until.IsZero() {
			l.Until = ward.FormatTime(m.Until)
		}
		out = append(out, l)
	}
	return out
}

func members(lines []line) []Member {
	out := []Member{}
	for _, l := range lines {
		out = append(out, l.member())
	}
	return out
}

func (t try) epoch() Epoch {
	return Epoch{Number: t.Number, Author: t.Author, At: Place{t.Roll, parse(t.Time)}, Members: members(t.Members)}
}

func (in input) judge() output {
	lock := Lock{Kind: in.Kind, Epoch: in.Epoch.epoch(), Added: members(in.Added), Left: in.Left}
	var tries []Epoch
	out := output{Faults: [][]string{}, Follows: -1}
	for _, t := range in.Tries {
		e := t.epoch()
		out.Faults = append(out.Faults, namesOf(lock.Faults(e, tries, facts{in})))
		tries = append(tries, e)
		out.Due, out.List = lock.Due(e.At, facts{in}), lines(lock.List(e.At, facts{in}))
	}
	if at, ok := lock.Follow(tries, facts{in}, func(i int) bool { return in.Sound[i] }); ok {
		out.Follows = at
	}
	return out
}

func namesOf(f Faults) []string {
	out := []string{}
	for i, name := range []string{"other number", "no member", "not due", "other list", "tried before"} {
		if f>>i&1 == 1 {
			out = append(out, name)
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorFolder + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	bad, kinds := 0, map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ward.Decode[vector](strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		got := v.Input.judge()
		if diff := cmp.Diff(v.Output, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.Name, diff)
		}
		last := got.Faults[len(got.Faults)-1]
		if (len(last) == 0) != v.Good {
			t.Errorf("%s: good is %v, and its last try has the faults %v", v.Name, v.Good, last)
		}
		if !v.Good {
			bad++
		}
		for _, f := range last {
			kinds[f] = true
		}
	}
	if bad < 30 || len(kinds) != 5 {
		t.Errorf("%d bad vectors with the faults %v; it needs 30 with all five", bad, kinds)
	}
}

const (
	pat, doc, nurse, proxy = ward.PersonID("amina"), ward.PersonID("okafor"), ward.PersonID("stone"), ward.PersonID("yusuf")
	team                   = ward.LockID("team")
	before, now, later     = "2026-11-01T12:00:00.000Z", "2026-11-23T12:00:00.000Z", "2026-12-24T12:00:00.000Z"
)

// a chart that four hold: two of them clinicians, and a team; the nurse was deactivated at place 7.
func begin() input {
	on := func(card string, role ward.Role) []standing { return []standing{{0, card, []ward.Role{role}, true}} }
	in := input{
		Kind: "chart", Added: []line{}, Left: []string{}, Epochs: map[ward.LockID]int64{team: 3}, Holds: map[ward.LockID][]ward.PersonID{team: {"vera"}}, Sound: []bool{true},
		People: map[ward.PersonID][]standing{pat: on("a1", ward.Patient), doc: on("o1", ward.Clinician), nurse: on("s1", ward.Clinician), proxy: on("y1", ward.Proxy), "vera": on("v1", ward.Clinician), "eve": on("e1", ward.Clinician)},
		Epoch: try{4, doc, 5, before, []line{
			{Person: pat, Card: "a1", Purpose: "self"},
			{Person: doc, Card: "o1", Purpose: "care"},
			{Person: nurse, Card: "s1", Purpose: "care"},
			{Holder: team, HolderEpoch: 3, Purpose: "care"},
			{Person: proxy, Card: "y1", Purpose: "proxy", Until: later},
		}},
	}
	in.People[nurse] = append(in.People[nurse], standing{7, "s1", []ward.Role{ward.Clinician}, false})
	in.Tries = []try{{5, doc, 7, now, []line{
		{Person: pat, Card: "a1", Purpose: "self"},
		{Person: doc, Card: "o1", Purpose: "care"},
		{Holder: team, HolderEpoch: 3, Purpose: "care"},
		{Person: proxy, Card: "y1", Purpose: "proxy", Until: later},
	}}}
	return in
}

// relist makes the last try's list right.
func (in *input) relist() {
	in.Tries[len(in.Tries)-1].Members = in.judge().List
}

func writeVectors(t *testing.T) {
	if err := os.RemoveAll(vectorFolder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(vectorFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	one := func(name, wrong string, change func(in *input, e *try)) {
		t.Helper()
		in := begin()
		change(&in, &in.Tries[0])
		text, err := json.MarshalIndent(vector{name, "locks", wrong == "", wrong, in, in.judge()}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorFolder, name+".json"), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := func(name string, change func(in *input)) {
		t.Helper()
		one(name, "", func(in *input, _ *try) { change(in); in.relist() })
	}
	end := func(in *input, p ward.PersonID) {
		s := in.People[p][0]
		s.Since, s.Active = 6, false
		in.People[p] = append(in.People[p], s)
	}
	good("deactivated", func(*input) {})
	good("left", func(in *input) { in.Left = []string{string(proxy)} })
	good("left-team", func(in *input) { in.Left = []string{string(team)} })
	good("expired", func(in *input) { in.Epoch.Members[4].Until = now })
	good("card", func(in *input) {
		in.People[pat] = append(in.People[pat], standing{6, "a2", []ward.Role{ward.Patient}, true})
	})
	good("role", func(in *input) {
		in.People[doc] = append(in.People[doc], standing{6, "o1", []ward.Role{ward.Admin}, true})
		in.Tries[0].Author = pat
	})
	good("team-turned", func(in *input) { in.Epochs[team] = 4 })
	good("added", func(in *input) { in.Added = []line{{Person: "eve", Card: "e1", Purpose: "second-opinion"}} })
	good("added-again", func(in *input) { in.Added = []line{{Person: proxy, Card: "y1", Purpose: "proxy"}} })
	good("by-the-patient", func(in *input) { in.Tries[0].Author = pat })
	good("by-the-proxy", func(in *input) { in.Tries[0].Author = proxy })
	good("by-the-team", func(in *input) { in.Tries[0].Author = "vera" })
	one("first-is-unsound", "", func(in *input, e *try) {
		second := *e
		second.Author = pat
		in.Tries, in.Sound = append(in.Tries, second), []bool{false, true}
	})
	one("first-counts", "", func(in *input, e *try) {
		second := *e
		second.Author = pat
		in.Tries, in.Sound = append(in.Tries, second), []bool{true, true}
	})
	one("none-is-sound", "", func(in *input, _ *try) { in.Sound = []bool{false} })

	calm := func(in *input) { in.People[nurse] = in.People[nurse][:1] } // nobody left
	one("number-same", "it has the number of the one before", func(_ *input, e *try) { e.Number = 4 })
	one("number-skip", "it skips a number", func(_ *input, e *try) { e.Number = 6 })
	one("place-before", "it stands at a place before that of the epoch before", func(in *input, e *try) { in.Epoch.Roll = 8 })
	one("time-before", "it is dated before the epoch before", func(_ *input, e *try) { e.Time = "2026-10-01T12:00:00.000Z" })
	one("by-a-stranger", "its author is no member", func(_ *input, e *try) { e.Author = "eve" })
	one("by-nobody", "its author does not exist", func(_ *input, e *try) { e.Author = "nobody" })
	one("by-the-deactivated", "its author is who was deactivated", func(_ *input, e *try) { e.Author = nurse })
	one("by-who-left", "its author left", func(in *input, e *try) { in.Left = []string{string(doc)}; in.relist() })
	one("by-who-lost-the-role", "its author is no clinician any more", func(in *input, e *try) {
		in.People[doc] = append(in.People[doc], standing{6, "o1", []ward.Role{ward.FrontDesk}, true})
		in.relist()
	})
	one("by-who-expired", "its author's time is over", func(in *input, e *try) { in.Epoch.Members[4].Until = now; e.Author = proxy; in.relist() })
	one("by-who-left-the-team", "its author is not on the team", func(in *input, e *try) { in.Holds[team] = nil; e.Author = "vera" })
	one("by-a-removed-team", "the team that its author is on was taken off", func(in *input, e *try) { in.Left = []string{string(team)}; e.Author = "vera"; in.relist() })
	one("not-due", "nobody left", func(in *input, _ *try) { calm(in); in.relist() })
	one("not-due-yet", "it stands at a place where nobody had left yet", func(in *input, e *try) { e.Roll = 6; in.relist() })
	one("not-due-added", "somebody was added only", func(in *input, _ *try) {
		calm(in)
		in.Added = []line{{Person: "eve", Card: "e1", Purpose: "care"}}
		in.relist()
	})
	one("not-due-time-left", "the proxy's time is not over yet", func(in *input, _ *try) { calm(in); in.Epoch.Members[4].Until = "2026-11-23T12:00:00.001Z"; in.relist() })
	one("not-due-other-left", "somebody who is no member was deactivated", func(in *input, _ *try) { calm(in); end(in, "eve"); in.relist() })
	one("not-due-stayed-list", "nobody left, and it leaves out the nurse", func(in *input, _ *try) { calm(in) })
	one("list-keeps", "it names who was deactivated", func(in *input, e *try) { e.Members = in.Epoch.Members })
	one("list-keeps-who-left", "it names who left", func(in *input, _ *try) { in.Left = []string{string(proxy)} })
	one("list-keeps-expired", "it names one whose time is over", func(in *input, e *try) { in.Epoch.Members[4].Until = now; e.Members[3].Until = now })
	one("list-leaves-out-patient", "it leaves the patient out", func(_ *input, e *try) { e.Members = e.Members[1:] })
	one("list-leaves-out-team", "it leaves the team out", func(_ *input, e *try) { e.Members = slices.Delete(e.Members, 2, 3) })
	one("list-leaves-out-added", "it leaves out who was added", func(in *input, _ *try) { in.Added = []line{{Person: "eve", Card: "e1", Purpose: "care"}} })
	one("list-adds", "it names a stranger", func(_ *input, e *try) {
		e.Members = slices.Insert(e.Members, 1, line{Person: "eve", Card: "e1", Purpose: "care"})
	})
	one("list-empty", "it names nobody", func(_ *input, e *try) { e.Members = []line{} })
	one("list-twice", "it names the patient twice", func(_ *input, e *try) { e.Members = slices.Insert(e.Members, 0, e.Members[0]) })
	one("list-order", "its list is not sorted", func(_ *input, e *try) { slices.Reverse(e.Members) })
	one("list-old-card", "it names the card before", func(in *input, _ *try) {
		in.People[pat] = append(in.People[pat], standing{6, "a2", []ward.Role{ward.Patient}, true})
	})
	one("list-new-card", "it names a card that is newer than its place", func(in *input, e *try) {
		in.People[pat] = append(in.People[pat], standing{8, "a2", []ward.Role{ward.Patient}, true})
		e.Members[0].Card = "a2"
	})
	one("list-old-team", "it names the team's epoch before", func(in *input, _ *try) { in.Epochs[team] = 4 })
	one("list-purpose", "it changes a purpose", func(_ *input, e *try) { e.Members[3].Purpose = "care" })
	one("list-until-longer", "it gives the proxy more time", func(_ *input, e *try) { e.Members[3].Until = "2027-12-24T12:00:00.000Z" })
	one("list-until-none", "it gives the proxy time without end", func(_ *input, e *try) { e.Members[3].Until = "" })
	one("list-until-added", "it ends the doctor's grant", func(_ *input, e *try) { e.Members[1].Until = later })
	one("list-old-terms", "it has the terms from before the proxy was granted again", func(in *input, _ *try) { in.Added = []line{{Person: proxy, Card: "y1", Purpose: "proxy"}} })
	one("again", "its author tries a second time", func(in *input, e *try) { in.Tries, in.Sound = append(in.Tries, *e), []bool{false, true} })
	staff := func(in *input) {
		in.Kind = "staff"
		in.Epoch.Members = []line{{Person: pat, Card: "a1", Purpose: "work"}, {Person: doc, Card: "o1", Purpose: "work"}, {Person: nurse, Card: "s1", Purpose: "work"}, {Person: "front", Card: "f1", Purpose: "work"}}
		in.People["front"] = []standing{{0, "f1", []ward.Role{ward.FrontDesk}, true}}
	}
	good("staff", staff)
	one("staff-by-a-patient", "a patient turns the list of staff", func(in *input, e *try) { staff(in); e.Author = pat; in.relist() })
	one("staff-by-the-front-desk", "the front desk turns the list of staff", func(in *input, e *try) { staff(in); e.Author = "front"; in.relist() })
	one("staff-patient-left", "only a patient left the list of staff", func(in *input, _ *try) { staff(in); calm(in); end(in, pat); in.relist() })
	one("staff-patient-card", "only a patient has new keys", func(in *input, _ *try) {
		staff(in)
		calm(in)
		in.People[pat] = append(in.People[pat], standing{6, "a2", []ward.Role{ward.Patient}, true})
		in.relist()
	})
}
