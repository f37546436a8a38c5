package visits

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// visitor is someone at the door with a guest's link: its key, and that of their browser.
type visitor struct {
	d             *door
	id            ward.PersonID
	link, browser ed25519.PrivateKey
}

func public(key ed25519.PrivateKey) string {
	return ward.B64.EncodeToString(key.Public().(ed25519.PublicKey))
}

func signer(key ed25519.PrivateKey) envelope.Signer {
	return func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil }
}

// sealedText looks like an age file to one hybrid recipient: the server looks no deeper.
func sealedText(text string) []byte {
	return []byte("age-encryption.org/v1\n-> mlkem768x25519 " + strings.Repeat("A", 1494) + "\n" + strings.Repeat("A", 43) + "\n--- " + strings.Repeat("A", 43) + "\n" + text)
}

func (d *door) visitor() *visitor {
	_, link, _ := ed25519.GenerateKey(rand.Reader)
	_, browser, _ := ed25519.GenerateKey(rand.Reader)
	return &visitor{d, ward.NewID[ward.PersonID](), link, browser}
}

// linked is what makes a link, by the host, as change says.
func (g *visitor) linked(change func(*envelope.Guest)) ward.NewVisitGuest {
	b := envelope.Guest{Org: g.d.host.Org, Visit: g.d.visit, Guest: g.id, Link: public(g.link), Inviter: g.d.host.Person, Time: ward.FormatTime(g.d.now)}
	if change != nil {
		change(&b)
	}
	s, err := envelope.Write(b, signer(g.d.key))
	if err != nil {
		g.d.t.Fatal(err)
	}
	return ward.NewVisitGuest{GuestText: string(s.Text), Welcome: sealedText("welcome")}
}

func (g *visitor) arrival(change func(*envelope.Arrival), keys ...ed25519.PrivateKey) ward.GuestArrival {
	hello := sealedText("hello")
	b := envelope.Arrival{Org: g.d.host.Org, Visit: g.d.visit, Guest: g.id, Key: public(g.browser), Time: ward.FormatTime(g.d.now), SHA256: envelope.Hash(hello)}
	if change != nil {
		change(&b)
	}
	if len(keys) == 0 {
		keys = []ed25519.PrivateKey{g.link, g.browser}
	}
	s, err := envelope.Write(b, signer(keys[0]), signer(keys[1]))
	if err != nil {
		g.d.t.Fatal(err)
	}
	return ward.GuestArrival{ArrivalText: string(s.Text), Hello: hello}
}

func (g *visitor) caller() ward.Caller {
	return ward.Caller{Org: g.d.host.Org, Person: g.id, Visit: g.d.visit, Roles: []ward.Role{ward.Guest}, Browser: public(g.browser)}
}

func (g *visitor) arrive(a ward.GuestArrival) (any, error) {
	return g.d.call(ward.Caller{}, g.d.v.GuestArrives, a, "guest", string(g.id))
}

func (g *visitor) admission(change func(*envelope.Admission)) ward.VisitAdmission {
	name := []byte("sealed name")
	body := g.d.admission(func(a *envelope.Admission) {
		a.Member, a.Role, a.Card, a.Guest, a.Called = g.id, envelope.AsGuest, "", public(g.browser), envelope.Hash(name)
		if change != nil {
			change(a)
		}
	})
	body.Name, body.Names = name, sealedText("names")
	return body
}

func TestAGuestComesWithALinkAndIsLetInByName(t *testing.T) {
	d := newDoor(t)
	d.must(d.call(d.host, d.v.Arrive, nil))
	g := d.visitor()
	d.must(d.call(d.host, d.v.InviteGuest, g.linked(nil)))
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.InviteGuest, g.linked(nil)))) // the same link

	opened, err := d.call(ward.Caller{}, d.v.OpenGuest, nil, "guest", string(g.id))
	d.must(opened, err)
	if o := opened.(ward.GuestOpened); o.Visit.Chart != "" || o.Used || !bytes.Equal(o.Welcome, sealedText("welcome")) || o.Host.Person != d.host.Person {
		t.Errorf("whoever has the link sees %+v", o)
	}
	d.must(g.arrive(g.arrival(nil)))
	d.must(g.arrive(g.arrival(nil))) // a reload
	d.must(d.call(g.caller(), d.v.Arrive, nil))
	d.refused(ward.Conflict, nil, second(d.post(g.caller(), d.commit(0, "let me in"))))
	for why, change := range map[string]func(*envelope.Admission){
		"another browser": func(a *envelope.Admission) { a.Guest = public(g.link) },
		"a person":        func(a *envelope.Admission) { a.Role, a.Guest, a.Card = envelope.AsPatient, "", envelope.Hash(nil) },
		"another name":    func(a *envelope.Admission) { a.Called = envelope.Hash([]byte("other")) },
	} {
		if _, err := d.call(d.host, d.v.Admit, g.admission(change)); err == nil {
			t.Errorf("let in as %s", why)
		}
	}
	bare := g.admission(nil)
	bare.Names = []byte("not sealed")
	d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.Admit, bare)))
	d.must(d.call(d.host, d.v.Admit, g.admission(nil)))

	seen := func(who ward.Caller) ward.Visit {
		a, err := d.call(who, d.v.Get, nil)
		d.must(a, err)
		return a.(ward.Visit)
	}
	if got := seen(g.caller()); got.Chart != "" || got.Me != admitted || !bytes.Equal(got.Names, sealedText("names")) || len(got.Guests) != 0 {
		t.Errorf("the guest sees %+v", got)
	}
	if got := seen(d.host); len(got.Guests) != 1 || len(got.Guests[0].Hello) == 0 {
		t.Errorf("the host sees %+v", got)
	}
	room, err := d.call(g.caller(), d.v.Room, nil)
	d.must(room, err)
	signal := func() (int, error) {
		w := httptest.NewRecorder()
		err := d.v.Signal(t.Context(), ward.Caller{}, w, httptest.NewRequest("GET", "/rtc/validate?access_token="+room.(ward.VisitRoom).Token, nil))
		return w.Code, err
	}
	if code, err := signal(); code != http.StatusOK || err != nil {
		t.Errorf("the media server's door answers %d, %v", code, err)
	}
	d.must(d.call(d.host, d.v.Remove, nil, "member", string(g.id)))
	_, err = signal() // with a token that is good for two minutes more
	d.refused(ward.Refused, nil, err)
	if len(d.guests) != 0 {
		t.Error("who was taken out still has a session")
	}
	d.refused(ward.Gone, nil, second(g.arrive(g.arrival(nil))))
	if got := seen(d.host); len(got.Members) != 2 || len(got.Members[1].Name)+len(got.Members[0].Name) != 0 {
		t.Errorf("the name of who was taken out stays: %+v", got.Members)
	}
}

func TestALinkIsOfUseToWhoHasItOnceAndForItsVisit(t *testing.T) {
	d := newDoor(t)
	stranger := ward.Caller{Org: d.host.Org, Person: ward.NewID[ward.PersonID](), Roles: []ward.Role{ward.Patient}, Browser: d.host.Browser}
	g := d.visitor()
	for why, change := range map[string]func(*envelope.Guest){
		"another visit":  func(b *envelope.Guest) { b.Visit = ward.NewID[ward.VisitID]() },
		"another clinic": func(b *envelope.Guest) { b.Org = ward.NewID[ward.OrgID]() },
		"somebody else":  func(b *envelope.Guest) { b.Inviter = stranger.Person },
		"the host's id":  func(b *envelope.Guest) { b.Guest = d.host.Person },
		"a patient's id": func(b *envelope.Guest) { b.Guest = d.patient.Person },
	} {
		if _, err := d.call(d.host, d.v.InviteGuest, g.linked(change)); ward.KindOf(err) != ward.Invalid {
			t.Errorf("a link for %s: %v", why, err)
		}
	}
	unsealed := g.linked(nil)
	unsealed.Welcome = []byte("Amina invites you")
	d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.InviteGuest, unsealed)))
	d.must(d.call(d.host, d.v.InviteGuest, g.linked(nil)))

	for why, a := range map[string]ward.GuestArrival{
		"without the link":    g.arrival(nil, g.browser, g.browser),
		"without the browser": g.arrival(nil, g.link, g.link),
		"at another visit":    g.arrival(func(b *envelope.Arrival) { b.Visit = ward.NewID[ward.VisitID]() }),
		"as another guest":    g.arrival(func(b *envelope.Arrival) { b.Guest = ward.NewID[ward.PersonID]() }),
		"with another name":   g.arrival(func(b *envelope.Arrival) { b.SHA256 = envelope.Hash(nil) }),
		"with nothing":        {},
	} {
		if _, err := g.arrive(a); ward.KindOf(err) != ward.Invalid {
			t.Errorf("an arrival %s: %v", why, err)
		}
	}
	d.must(g.arrive(g.arrival(nil)))
	thief := *g
	_, thief.browser, _ = ed25519.GenerateKey(rand.Reader)
	d.refused(ward.Gone, nil, second(thief.arrive(thief.arrival(nil))))
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.WithdrawGuest, nil, "guest", string(g.id)))) // the guest is there

	other := d.visitor()
	d.must(d.call(d.host, d.v.InviteGuest, other.linked(nil)))
	d.refused(ward.Missing, nil, second(d.call(stranger, d.v.WithdrawGuest, nil, "guest", string(other.id))))
	d.must(d.call(d.host, d.v.WithdrawGuest, nil, "guest", string(other.id)))
	d.refused(ward.Gone, nil, second(other.arrive(other.arrival(nil))))
	d.refused(ward.Missing, nil, second(d.visitor().arrive(g.arrival(nil))))

	last := d.visitor()
	d.must(d.call(d.host, d.v.InviteGuest, last.linked(nil)))
	d.now = d.now.Add(30*time.Minute + staysOpen + time.Minute)
	d.refused(ward.Gone, nil, second(last.arrive(last.arrival(nil))))
}

func TestAPatientCannotUseUpTheLinksOfAVisit(t *testing.T) {
	d := newDoor(t)
	d.patient.Browser = d.host.Browser // one key signs for both here
	byPatient := func(b *envelope.Guest) { b.Inviter = d.patient.Person }
	invite := func(who ward.Caller, change func(*envelope.Guest)) (ward.PersonID, error) {
		g := d.visitor()
		_, err := d.call(who, d.v.InviteGuest, g.linked(change))
		return g.id, err
	}
	full := func() ward.PersonID {
		t.Helper()
		var last ward.PersonID
		for range ward.MaxGuests - keptForHost {
			id, err := invite(d.patient, byPatient)
			d.must(nil, err)
			last = id
		}
		_, err := invite(d.patient, byPatient)
		d.refused(ward.Conflict, nil, err)
		return last
	}
	last := full()
	d.must(d.call(d.patient, d.v.WithdrawGuest, nil, "guest", string(last)))
	_, err := invite(d.patient, byPatient)
	d.must(nil, err)
	for range keptForHost {
		_, err := invite(d.host, nil)
		d.must(nil, err)
	}
	_, err = invite(d.host, nil)
	d.refused(ward.Conflict, nil, err)

	made := ward.MaxGuests + 1 // and withdrawn, over and over
	for ; made < maxLinks-keptForHost; made++ {
		d.must(d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE visit_guests SET state = 'withdrawn'`)
			return err
		}), nil)
		_, err := invite(d.patient, byPatient)
		d.must(nil, err)
	}
	_, err = invite(d.patient, byPatient)
	d.refused(ward.Conflict, nil, err)
	for range keptForHost {
		_, err := invite(d.host, nil)
		d.must(nil, err)
	}
	_, err = invite(d.host, nil)
	d.refused(ward.Conflict, nil, err)
}

// The process ends in the middle of a visit, and another goes on with what is in the database.
func TestAVisitGoesOnAfterTheServerWasKilled(t *testing.T) {
	d := newDoor(t)
	d.open()
	g := d.visitor()
	d.must(d.call(d.host, d.v.InviteGuest, g.linked(nil)))
	d.must(g.arrive(g.arrival(nil)))
	d.must(d.call(g.caller(), d.v.Arrive, nil))
	d.must(d.call(d.host, d.v.Admit, g.admission(nil)))
	d.must(d.post(d.patient, d.join(0, "Amina joins")))
	d.must(d.post(d.host, ward.NewVisitMessage{Body: d.sealed(1, 1, "how are you")}))
	killed := d.v // nobody told it to stop: its sockets stay, as those of a process that hangs
	var err error
	d.v, err = New(killed.Config)
	d.must(d.v, err)
	t.Cleanup(func() { killed.Close() })
	for _, who := range []ward.Caller{d.host, d.patient, g.caller()} {
		a, err := d.call(who, d.v.Arrive, nil)
		d.must(a, err)
		if got := a.(ward.Visit); got.Me != admitted || got.State != open || got.Epoch != 1 || got.Seq != 2 {
			t.Errorf("%s comes back to %+v", who.Roles, got)
		}
		a, err = d.call(who, d.v.Enter, nil)
		d.must(a, err)
		if got := a.(ward.VisitEntry); got.Room.Token == "" || !bytes.Equal(got.Visit.GroupInfo, d.groupInfo(1)) {
			t.Errorf("%s enters by %+v", who.Roles, got)
		}
		a, err = d.call(who, d.v.Messages, nil)
		d.must(a, err)
		if got := a.(ward.VisitMessages); len(got.Messages) != 2 {
			t.Errorf("%s finds %+v", who.Roles, got)
		}
	}
	d.must(d.post(d.patient, d.join(1, "joins again, with new keys")))
	d.must(d.post(g.caller(), d.join(2, "and the guest")))
}
