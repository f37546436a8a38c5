package client

import (
	"net/http"
	"testing"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Who holds a lock, and may be dishonest, can neither lock others out of it nor hold up the clinic.

// garbage is a grant that opens for nobody, signed as it should be: the server cannot tell it from a true one.
func (c *clinic) garbage(by *Client, key seal.LockKey, to seal.Grantee, purpose, until string) ward.NewGrant {
	c.t.Helper()
	identity, err := seal.NewIdentity()
	c.must(err)
	to.Recipient = identity.Recipient()
	pen, err := by.pen()
	c.must(err)
	return must(pen.Grant(key, to, purpose, until, by.now()))
}

func (c *Client) postGrant(t *testing.T, l *Lock, g ward.NewGrant) error {
	t.Helper()
	return do(t.Context(), c, http.MethodPost, path("locks", string(l.Lock), "grants"), object{"grants": []ward.NewGrant{g}})
}

func TestNoPatientTurnsTheStaffList(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	evil, _, _ := c.join(c.founder, amina, ward.Patient)

	l := must(evil.OpenLock(ctx, must(evil.clinicLocks()).Staff))
	members := must(evil.Members(ctx, l))
	turn := func() error {
		key, epoch, history, err := must(evil.pen()).Turn(must(l.key()), l.Line[len(l.Line)-1], evil.now())
		c.must(err)
		turned := ward.NewEpoch{Epoch: string(epoch.Text), History: history}
		for _, m := range members {
			if m.State == "live" {
				turned.Grants = append(turned.Grants, c.garbage(evil, key, must(evil.grantee(ctx, m.Grant.Person, "")), m.Grant.Purpose, m.Grant.Until))
			}
		}
		return do(ctx, evil, http.MethodPost, path("locks", string(l.Lock), "epochs"), turned)
	}
	if err := turn(); ward.KindOf(err) != ward.Refused {
		t.Errorf("a patient turns the list of staff: %v", err)
	}
	c.must(c.founder.EndPerson(ctx, doctor.Person())) // now it is due
	members = must(evil.Members(ctx, l))
	if err := turn(); ward.KindOf(err) != ward.Refused {
		t.Errorf("a patient turns the list of staff when it is due: %v", err)
	}
	c.must(c.founder.Housekeep(ctx))
	fresh := c.again(c.founder)
	c.must(firstError(fresh.Invite(ctx, About{Given: "New", Family: "Clinician"}, false, ward.Clinician)))
	c.must(firstError(evil.Staff(ctx)))
}

func TestNobodyReplacesAnothersGrantOfTheStaffList(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	evil, _, _ := c.join(c.founder, amina, ward.Patient)
	l := must(evil.OpenLock(ctx, must(evil.clinicLocks()).Staff))
	for _, until := range []string{"", ward.FormatTime(time.Now().Add(time.Hour))} {
		g := c.garbage(evil, must(l.key()), must(evil.grantee(ctx, doctor.Person(), "")), envelope.ForWork, until)
		if err := evil.postGrant(t, l, g); ward.KindOf(err) != ward.Conflict {
			t.Errorf("until %q: %v", until, err)
		}
	}
	c.must(firstError(c.again(doctor).Staff(ctx)))
}

func TestNobodyWithWhomAChartIsSharedLocksOthersOutOfIt(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	proxy, _, _ := c.join(c.founder, About{Given: "Bashir", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, proxy.Person(), "", envelope.ForProxy, time.Now().Add(time.Hour), envelope.General, envelope.Restricted))
	c.must(firstError(patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "Diary", "My own words."))))
	for _, l := range must(proxy.OpenChart(ctx, invited.Chart)).Locks {
		for _, m := range must(proxy.Members(ctx, l)) {
			if m.State != "live" || m.Grant.Person == proxy.Person() {
				continue
			}
			to := must(proxy.grantee(ctx, m.Grant.Person, m.Grant.Holder))
			for _, until := range []string{m.Grant.Until, ward.FormatTime(time.Now().Add(2 * time.Hour))} {
				if err := proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, m.Grant.Purpose, until)); err == nil {
					t.Errorf("%s: the grant of %s%s for %s is replaced", l.Compartment, m.Grant.Person, m.Grant.Holder, m.Grant.Purpose)
				}
			}
		}
	}
	for name, who := range map[string]*Client{"the patient": patient, "the patient in another browser": c.again(patient), "the doctor": c.again(c.founder)} {
		chart, err := who.OpenChart(ctx, invited.Chart)
		if err != nil || len(chart.Troubles) > 0 {
			t.Errorf("%s: %v, %+v", name, err, chart)
		}
	}
	c.must(firstError(c.founder.BreakGlass(ctx, invited.Chart, "unconscious", "Found without a pulse.")))
}

// Whoever is first to seal to new keys may seal garbage. Who it is for says so, and somebody else does it again.
func TestGarbageForNewKeysIsSealedAgainByAnother(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	proxy, _, _ := c.join(c.founder, About{Given: "Bashir", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, proxy.Person(), "", envelope.ForProxy, time.Time{}, envelope.General))
	l := must(proxy.OpenChart(ctx, invited.Chart)).Locks[0]
	link := must(c.founder.InviteAgain(ctx, patient.Person(), false)).Link
	renewed := New(Config{Origin: c.origin})
	c.must(firstError(renewed.Accept(ctx, link, amina)))
	w := &welcoming{client: c.founder, checked: map[ward.PersonID]bool{}}
	w.invitations = must(c.founder.Invitations(ctx))
	w.bound = must(c.founder.bound(ctx, w.invitations))
	for _, p := range must(c.founder.People(ctx)) {
		if p.State == "pending" {
			c.must(w.vouch(ctx, p))
		}
	}
	to := must(proxy.grantee(ctx, patient.Person(), ""))
	c.must(proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, envelope.ForSelf, "")))
	c.must(c.founder.Housekeep(ctx))
	c.must(renewed.SignIn(ctx))
	if _, err := renewed.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("garbage opens")
	}
	c.must(renewed.Housekeep(ctx))
	if err := proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, envelope.ForSelf, "")); err == nil {
		t.Error("the proxy seals garbage again")
	}
	c.must(c.founder.Housekeep(ctx))
	if _, err := renewed.OpenChart(ctx, invited.Chart); err != nil {
		t.Errorf("sealed again by the doctor: %v", err)
	}
	c.must(renewed.Housekeep(ctx))
}
