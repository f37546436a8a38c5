package client

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/membership"
	"ward/seal"
	"ward/seal/envelope"
)

// Who is who, as an operator or a bad colleague would have it.

func TestAnotherOrAShorterHistoryIsNotFollowed(t *testing.T) {
	c, ctx := founded(t), t.Context()
	_, _, desk := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	_, _, patient := c.join(c.founder, amina, ward.Patient)
	c.must(firstError(c.founder.Pending(ctx, patient.Person)))
	head := c.founder.roster.Head()
	for name, with := range map[string]func(*ward.MembershipPage){
		"shorter": func(p *ward.MembershipPage) { p.Statements = nil },
		"another": func(p *ward.MembershipPage) { p.Statements[0] = strings.Replace(p.Statements[0], "card", "cord", 1) },
	} {
		c.founder.forgetPerson(desk.Person)
		stop := change(c, http.MethodGet, "/api/membership", with)
		if _, err := c.founder.person(ctx, desk.Person); !errors.Is(err, ErrOtherHistory) {
			t.Errorf("%s roster: %v", name, err)
		}
		stop()
	}
	for name, with := range map[string]func(*ward.PersonCards){
		"shorter": func(p *ward.PersonCards) { p.Thread = p.Thread[:1] },
		"another": func(p *ward.PersonCards) { p.Thread[1] = p.Thread[0] },
	} {
		c.founder.forgetPerson(patient.Person)
		stop := change(c, http.MethodGet, "/api/people/"+string(patient.Person), with)
		if _, err := c.founder.person(ctx, patient.Person); !errors.Is(err, ErrOtherHistory) {
			t.Errorf("%s thread: %v", name, err)
		}
		stop()
	}
	if c.founder.roster.Head() != head {
		t.Error("the client follows what it refused")
	}
	c.founder.forgetPerson(patient.Person)
	if _, err := c.founder.person(ctx, patient.Person); err != nil {
		t.Errorf("the honest server is not believed again: %v", err)
	}
}

func TestTheDeskAloneTakesNobodyOver(t *testing.T) {
	c, ctx := founded(t), t.Context()
	desk, _, _ := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	link := must(desk.InviteAgain(ctx, patient.Person(), false)).Link
	thief := New(Config{Now: c.now, Origin: c.origin})
	c.must(firstError(thief.Accept(ctx, link, amina)))
	what := must(desk.Pending(ctx, patient.Person()))[0].What
	if err := desk.Confirm(ctx, patient.Person(), what, envelope.Met); ward.KindOf(err) != ward.Invalid {
		t.Errorf("who invited confirms: %v", err)
	}
	c.pass(60 * time.Hour)
	c.must(errors.Join(desk.SignIn(ctx), c.founder.SignIn(ctx), patient.SignIn(ctx)))
	c.must(errors.Join(desk.Housekeep(ctx), c.founder.Housekeep(ctx), patient.Housekeep(ctx)))
	if err := desk.Complete(ctx, patient.Person(), what); ward.KindOf(err) != ward.Invalid {
		t.Errorf("completed unconfirmed: %v", err)
	}
	if _, err := thief.OpenChart(ctx, invited.Chart); err == nil {
		t.Error("the thief opens the chart")
	}
	if _, err := patient.OpenChart(ctx, invited.Chart); err != nil {
		t.Errorf("the patient does not: %v", err)
	}
}

func TestWhoReadsTheDirectoryHasNobodysInvitation(t *testing.T) {
	c, ctx := founded(t), t.Context()
	desk, _, _ := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	link := must(seal.ParseLink(must(c.founder.Invite(ctx, okafor, false, ward.Clinician)).Link))
	log := must(desk.Read(ctx, must(desk.clinicLocks()).Directory))
	if len(log.Entries) == 0 {
		t.Fatal("the directory is empty")
	}
	for _, e := range log.Entries {
		if text, err := e.Text(); err != nil || strings.Contains(string(text), ward.B64.EncodeToString(link.Secret[:])) {
			t.Errorf("an entry has the secret of an open invitation, or cannot be read: %v", err)
		}
	}
	// The secret is what counts: with another, all else being right, nobody becomes who was invited.
	link.Secret[0] ^= 1
	if _, err := New(Config{Now: c.now, Origin: c.origin}).Accept(ctx, link.Link(c.origin), okafor); err == nil {
		t.Error("another secret is taken")
	}
}

func TestOneOfficerDoesNotEndTheClinic(t *testing.T) {
	c, ctx := founded(t), t.Context()
	officer, _, _ := c.join(c.founder, About{Given: "Sam", Family: "Okoro"}, ward.Security)
	if err := officer.EndPerson(ctx, c.founder.Person()); ward.KindOf(err) != ward.Invalid {
		t.Errorf("the only administrator is ended with nobody to confirm it: %v", err)
	}
	c.join(c.founder, okafor, ward.Clinician) // who could confirm it now, and does not
	c.must(officer.EndPerson(ctx, c.founder.Person()))
	if waits := must(officer.Pending(ctx, "")); len(waits) != 1 || waits[0].Person != c.founder.Person() {
		t.Fatalf("what waits is %+v", waits)
	}
	officer.forgetPerson(c.founder.Person())
	if p := must(officer.person(ctx, c.founder.Person())); !p.Member.Has(ward.Admin) {
		t.Error("one officer ended the only administrator")
	}
	c.must(firstError(c.founder.Invite(ctx, amina, false, ward.Patient)))
}

func TestAnAdministratorAloneMakesNoClinician(t *testing.T) {
	c, ctx := founded(t), t.Context()
	c.join(c.founder, okafor, ward.Clinician)
	c.pass(80 * time.Hour) // the doctor is no longer new, and could confirm
	c.must(c.founder.SignIn(ctx))
	puppet, _, invited := c.join(c.founder, About{Given: "Sock", Family: "Puppet"}, ward.Clinician)
	_, _, chart := c.join(c.founder, About{Given: "Bea", Family: "Li"}, ward.Patient)
	waits := must(c.founder.Pending(ctx, ""))
	if len(waits) != 1 || waits[0].Person != invited.Person {
		t.Fatalf("what waits is %+v", waits)
	}
	if err := c.founder.Confirm(ctx, invited.Person, waits[0].What, envelope.Met); ward.KindOf(err) != ward.Invalid {
		t.Errorf("who invited confirms: %v", err)
	}
	c.must(c.founder.Housekeep(ctx))
	if _, err := puppet.OpenChart(ctx, chart.Chart); err == nil {
		t.Error("who waits opens a chart")
	}
	for _, lock := range []ward.LockID{must(c.founder.clinicLocks()).Clinicians, must(c.founder.clinicLocks()).Directory} {
		members := must(c.founder.Members(ctx, must(c.founder.OpenLock(ctx, lock))))
		if slices.ContainsFunc(members, func(m Member) bool { return m.Grant.Person == invited.Person }) {
			t.Errorf("lock %s was granted to who waits", lock)
		}
	}
}

// Whoever has replaced keys, and the database too, states nothing with them that a reader takes.
func TestKeysOfBeforeStateNothing(t *testing.T) {
	c, ctx := founded(t), t.Context()
	_, _, desk := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	old := *c.founder.state().keyring
	c.must(firstError(c.founder.ChangeKeys(ctx)))
	reader := c.again(c.founder)
	shown := false
	stop := change(c, http.MethodGet, "/api/membership", func(p *ward.MembershipPage) {
		n := int64(len(p.Statements))
		if reader.roster != nil {
			n += max(0, reader.roster.Head().Seq-1) // the newest is shown again
		}
		at := envelope.Place{Org: old.Org, Chain: string(old.Org), Seq: n + 1, Previous: envelope.Hash([]byte(p.Statements[len(p.Statements)-1]))}
		said := must(envelope.Write(envelope.Roles{
			Place: at, Person: desk.Person, Roles: string(ward.Security), Author: envelope.Author{By: old.Person, Card: old.Card, Time: ward.FormatTime(c.now())},
		}, old.Signing.Sign))
		p.Statements, shown = append(p.Statements, string(said.Text)), true
	})
	defer stop()
	if _, err := reader.person(ctx, desk.Person); !shown || !errors.As(err, new(*membership.BadStatement)) {
		t.Errorf("nobody is told: %v", err)
	}
}

func TestWhoIsRenamedHasThatNameAndNobodyRenamesThemselves(t *testing.T) {
	c, ctx := founded(t), t.Context()
	desk, _, invited := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	before := must(c.founder.person(ctx, invited.Person)).Member.Name
	if err := desk.Rename(ctx, invited.Person, okafor); ward.KindOf(err) != ward.Invalid && ward.KindOf(err) != ward.Refused {
		t.Errorf("the desk takes a doctor's name: %v", err)
	}
	c.must(c.founder.Rename(ctx, invited.Person, About{Given: "Rosa", Family: "Marin"}))
	if after := must(c.founder.person(ctx, invited.Person)).Member.Name; after == before {
		t.Error("the history has the name of before")
	}
}
