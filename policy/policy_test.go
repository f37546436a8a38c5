package policy

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
	"github.com/google/go-cmp/cmp"

	"ward"
)

func TestDecisionsAreAsThePageSays(t *testing.T) {
	engine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	model, err := readSchema(files)
	if err != nil {
		t.Fatal(err)
	}
	validator := validate.New(model)
	page := readPage(t)
	decided := map[string]bool{} // policies that decided a row
	answered := map[string]map[bool]bool{}
	for _, row := range page.decisions {
		request := page.request(t, row)
		about := &request.About
		f := newFacts(request, about)
		outside := request.Caller.Person == "" && request.Action != "public" // the schema itself rules it out
		if err := validator.Request(f.request); (err != nil) != outside {
			t.Errorf("%s: the request does not fit the schema: %v", row, err)
		}
		for _, entity := range f.entities {
			if err := validator.Entity(entity); err != nil {
				t.Errorf("%s: a fact does not fit the schema: %v", row, err)
			}
		}
		got := engine.Decide(request)
		want := Decision{Allow: row.answer == "allow", Policies: list(row.by)}
		for _, id := range got.Policies {
			decided[id] = true
		}
		if !slices.Contains([]string{"allow", "deny"}, row.answer) {
			t.Errorf("%s: the answer is neither allow nor deny", row)
		}
		slices.Sort(got.Policies)
		slices.Sort(want.Policies)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-page +policies):\n%s", row, diff)
		}
		if answered[request.Action] == nil {
			answered[request.Action] = map[bool]bool{}
		}
		answered[request.Action][got.Allow] = true
	}
	for _, p := range engine.Policies() {
		if !decided[p.ID] {
			t.Errorf("policy %q decides no row of decisions.md", p.ID)
		}
	}
	for _, action := range Actions() {
		if !answered[action][true] || (!answered[action][false] && action != "public") {
			t.Errorf("action %q needs a row that is allowed and one that is denied", action)
		}
	}
}

// A person outside, with every role and nothing granted, gets no further than the clinic's own lists and what the
// roles are for: no sealed byte of anyone's chart, directory or team.
func TestNoRoleAloneReadsAnything(t *testing.T) {
	engine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	stranger := ward.Caller{Org: "clinic", Person: "stranger", Roles: ward.Roles}
	for _, kind := range []string{"chart", "team", "directory", "staff", "emergency"} {
		for _, action := range []string{"readLock", "readEntries", "turnLock", "grant"} {
			about := Resource{
				Type: "Lock", ID: "l", Org: "clinic", Kind: kind, Owner: "amina", Compartment: "general",
				Readers: []ward.PersonID{"amina"}, ReaderLocks: []ward.LockID{"team"}, Emergency: []ward.PersonID{"reyes"},
				Purpose: "self", Grantee: "stranger", Roles: ward.Roles, Renewal: true,
			}
			d := engine.Decide(Request{Caller: stranger, Action: action, About: about, Teams: []ward.LockID{"other"}})
			if d.Allow {
				t.Errorf("%s of a lock of kind %s is allowed by %v", action, kind, d.Policies)
			}
		}
	}
}

func TestEverythingInARequestMustBeAllowed(t *testing.T) {
	engine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	farid := ward.Caller{Org: "clinic", Person: "farid", Roles: []ward.Role{ward.FrontDesk}}
	entry := func(kind string) Resource {
		return Resource{Type: "Lock", ID: "l", Org: "clinic", Kind: "chart", Compartment: "general", Owner: "amina", EntryKind: kind}
	}
	both := entry("message")
	both.Also = []Resource{entry("appointment")}
	if d := engine.Decide(Request{Caller: farid, Action: "writeEntry", About: both}); !d.Allow {
		t.Errorf("two kinds of entry that are each allowed: got %+v", d)
	}
	for _, about := range []Resource{
		{Type: "Lock", ID: "l", Org: "clinic", Kind: "chart", Compartment: "general", EntryKind: "message", Also: []Resource{entry("note")}},
		{Type: "Lock", ID: "l", Org: "clinic", Kind: "chart", Compartment: "general", EntryKind: "note", Also: []Resource{entry("message")}},
	} {
		if d := engine.Decide(Request{Caller: farid, Action: "writeEntry", About: about}); d.Allow {
			t.Errorf("a batch of %s and %s: got %+v", about.EntryKind, about.Also[0].EntryKind, d)
		}
	}
}

func TestAnActionThatIsNotKnownIsRefused(t *testing.T) {
	engine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"", "delete", "READSELF", "public "} {
		d := engine.Decide(Request{Caller: ward.Caller{Org: "o", Person: "p"}, Action: action, About: Resource{Org: "o"}})
		if d.Allow {
			t.Errorf("action %q is allowed by %v", action, d.Policies)
		}
	}
}

func TestWardDoesNotStartOnAPolicyThatCannotBeRight(t *testing.T) {
	const header = "@id(\"x\")\n@sentence(\"X.\")\n"
	for name, text := range map[string]string{
		"syntax":               header + `permit (principal, action, resource`,
		"no id":                "@sentence(\"X.\")\npermit (principal, action == Action::\"public\", resource);",
		"no sentence":          "@id(\"x\")\npermit (principal, action == Action::\"public\", resource);",
		"an id twice":          "@id(\"public\")\n@sentence(\"X.\")\npermit (principal, action == Action::\"public\", resource);",
		"unknown action":       header + `permit (principal, action == Action::"readEverything", resource);`,
		"unknown role":         header + `permit (principal in Role::"doctor", action == Action::"invite", resource);`,
		"unknown kind":         header + `permit (principal, action == Action::"readLock", resource) when { resource.kind == Kind::"chrat" };`,
		"unknown attribute":    header + `permit (principal, action == Action::"readLock", resource) when { resource.color == "red" };`,
		"absent attribute":     header + `permit (principal, action == Action::"readLock", resource) when { resource.owner == principal };`,
		"unlike things":        header + `permit (principal, action == Action::"readLock", resource) when { resource.kind == "chart" };`,
		"context of another":   header + `permit (principal, action == Action::"readLock", resource) when { context.purpose == Purpose::"care" };`,
		"resource of another":  header + `permit (principal, action == Action::"readLock", resource is Chart);`,
		"a person by name":     header + `permit (principal == Person::"aaaa", action == Action::"readLock", resource);`,
		"an entity's misspelt": header + `permit (principal is Persn, action == Action::"readLock", resource);`,
	} {
		folder := fstest.MapFS{"extra.cedar": {Data: []byte(text)}}
		for _, file := range []string{"ward.cedarschema", "clinic.cedar"} {
			data, err := fs.ReadFile(files, file)
			if err != nil {
				t.Fatal(err)
			}
			folder[file] = &fstest.MapFile{Data: data}
		}
		if _, err := load(folder); err == nil || !strings.Contains(err.Error(), "extra.cedar") {
			t.Errorf("%s: loaded, or without saying where: %v", name, err)
		}
	}
}

// A policy that fails while it is evaluated must refuse. Cedar passes over it, which for a forbid would permit.
func TestAPolicyThatFailsRefuses(t *testing.T) {
	engine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var failing cedar.Policy
	if err := failing.UnmarshalCedar([]byte(`forbid (principal, action, resource) when { principal.height > 3 };`)); err != nil {
		t.Fatal(err)
	}
	engine.byAction["public"] = append(engine.byAction["public"], Policy{ID: "failing", cedar: &failing})
	got := engine.Decide(Request{Action: "public"})
	if want := (Decision{Policies: []string{"public", "failing"}}); !cmp.Equal(want, got) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// page is decisions.md, read.
type page struct {
	people    map[string]ward.Caller
	teams     map[string][]ward.LockID
	things    map[string]Resource
	decisions []row
}

type row struct{ who, does, what, answer, by string }

func (r row) String() string { return fmt.Sprintf("%s: %s → %s", r.who, r.does, r.what) }

func readPage(t *testing.T) page {
	text, err := os.ReadFile("decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	p := page{people: map[string]ward.Caller{}, teams: map[string][]ward.LockID{}, things: map[string]Resource{}}
	for _, c := range table(t, string(text), "## People") {
		caller := ward.Caller{Org: "clinic", Person: ward.PersonID(c[0]), Pending: strings.Contains(c[3], "`pending`")}
		for _, role := range strings.Fields(c[1]) {
			caller.Roles = append(caller.Roles, ward.Role(role))
		}
		switch c[0] {
		case "nobody":
			caller = ward.Caller{}
		case "Dr Far":
			caller.Org = "another clinic"
		}
		if _, visit, ok := strings.Cut(c[3], "guest of "); ok {
			caller.Visit = ward.VisitID(visit)
		}
		p.people[c[0]] = caller
		for _, lock := range list(c[2]) {
			p.teams[c[0]] = append(p.teams[c[0]], ward.LockID(lock))
		}
	}
	for _, c := range table(t, string(text), "## Things") {
		thing := Resource{Type: c[1], ID: c[0], Org: "clinic", Owner: ward.PersonID(c[3])}
		thing.Kind, thing.Compartment, _ = strings.Cut(c[2], " ")
		thing.Readers, thing.Emergency = people(c[4]), people(c[6])
		for _, lock := range list(c[5]) {
			thing.ReaderLocks = append(thing.ReaderLocks, ward.LockID(lock))
		}
		p.things[c[0]] = thing
	}
	for _, c := range table(t, string(text), "## Visits") {
		p.things[c[0]] = Resource{Type: c[1], ID: c[0], Org: "clinic", Host: ward.PersonID(c[2]), Owner: ward.PersonID(c[3]), Readers: people(c[4]), Members: people(c[5])}
	}
	for _, c := range table(t, string(text), "## Decisions") {
		if !strings.HasPrefix(c[0], "**") {
			p.decisions = append(p.decisions, row{c[0], c[1], c[2], c[3], c[4]})
		}
	}
	if len(p.people) == 0 || len(p.things) == 0 || len(p.decisions) == 0 {
		t.Fatal("decisions.md: a table is empty")
	}
	return p
}

// request makes a row a question. What is done is an action, with the kind of entry it writes, the kind of statement that
// it makes, or a grant: "state confirm", "grant care to Dr Stone", "renew self to Amina", "revoke work of a team".
func (p page) request(t *testing.T, r row) Request {
	caller, ok := p.people[r.who]
	if !ok {
		t.Fatalf("%s: nobody is called %q", r, r.who)
	}
	request := Request{Caller: caller, Teams: p.teams[r.who], About: p.thing(t, r)}
	action, rest, _ := strings.Cut(r.does, " ")
	request.Action = action
	switch action {
	case "writeEntry":
		request.About.EntryKind = rest
	case "state":
		request.About.Statement = rest
	case "renew":
		request.Action, request.About.Renewal = "grant", true
		fallthrough
	case "grant", "revoke":
		purpose, to, _ := strings.Cut(rest, " ")
		_, to, _ = strings.Cut(to, " ")
		request.About.Purpose = purpose
		if lock, ok := strings.CutPrefix(to, "a "); ok {
			request.About.Holder = lock
			break
		}
		grantee, ok := p.people[to]
		if !ok {
			t.Fatalf("%s: nobody is called %q", r, to)
		}
		request.About.Grantee, request.About.Roles = grantee.Person, grantee.Roles
	default:
		if rest != "" {
			t.Fatalf("%s: action %s takes nothing", r, action)
		}
	}
	return request
}

func (p page) thing(t *testing.T, r row) Resource {
	if roles, ok := strings.CutPrefix(r.what, "invitation of"); ok {
		thing := Resource{Type: "Invitation", ID: "i", Org: "clinic"}
		for _, role := range strings.Fields(roles) {
			thing.Roles = append(thing.Roles, ward.Role(role))
		}
		return thing
	}
	if person, ok := p.people[r.what]; ok {
		return Resource{Type: "Person", ID: r.what, Org: "clinic", Roles: person.Roles}
	}
	thing, ok := p.things[r.what]
	if !ok {
		t.Fatalf("%s: there is no %q", r, r.what)
	}
	return thing
}

// table gives the cells of the table after a heading, without its two header lines.
func table(t *testing.T, text, heading string) [][]string {
	_, after, ok := strings.Cut(text, heading+"\n")
	if !ok {
		t.Fatalf("decisions.md has no %q", heading)
	}
	var rows [][]string
	for line := range strings.Lines(after) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			break
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows[min(2, len(rows)):]
}

func list(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, ", ")
}

func people(cell string) []ward.PersonID {
	var ids []ward.PersonID
	for _, name := range list(cell) {
		ids = append(ids, ward.PersonID(name))
	}
	return ids
}
