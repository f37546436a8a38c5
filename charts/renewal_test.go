package charts_test

import (
	"context"
	"testing"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
)

// What a grant is beside those that its member has. The server sees none of what was sealed, so it keeps what opened
// until its member says that the new one does.

// newKeys gives someone another card, as after they lost their keys.
func (w *town) newKeys(p *someone) {
	w.t.Helper()
	identity, err := seal.NewIdentity()
	w.must(err)
	p.card, p.Signing = cardOf(p.Person, identity), seal.NewSigningKey()
	p.Pen.Card = p.card.Card
}

// held lists what the lock gives a person to open it with.
func (w *town) held(p *someone, m made) []string {
	w.t.Helper()
	answer, err := w.call(w.c.GetLock, p, nil, "lock", string(m.id))
	w.must(err)
	var texts []string
	for _, g := range answer.(ward.Lock).Grants {
		texts = append(texts, g.Text)
		if len(g.Sealed) == 0 {
			w.t.Error("what was sealed is gone")
		}
	}
	return texts
}

func (w *town) opened(p *someone, m made, g ward.NewGrant, opens bool) error {
	s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
	w.must(err)
	_, err = w.call(w.c.PostOpened, p, map[string]any{"grant": s.Body.Grant, "opens": opens}, "lock", string(m.id))
	return err
}

func TestAGrantIsRenewedOnlyForANewCard(t *testing.T) {
	w := newTown(t)
	pat, doc, proxy := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Proxy)
	until := ward.FormatTime(w.now.Add(time.Hour))
	_, m := w.chart(pat, w.to(pat, doc, envelope.ForCare, ""), w.to(pat, proxy, envelope.ForProxy, until))
	for name, c := range map[string]struct {
		by, to  *someone
		purpose string
		until   string
	}{
		"the patient's own, by a proxy":         {proxy, pat, envelope.ForSelf, ""},
		"the patient's own terms, by a proxy":   {proxy, pat, envelope.ForSelf, until},
		"the patient's own terms, by a doctor":  {doc, pat, envelope.ForSelf, until},
		"the patient's own, by themselves":      {pat, pat, envelope.ForSelf, ""},
		"a doctor's, by a proxy":                {proxy, doc, envelope.ForCare, ""},
		"a proxy's terms, by a doctor":          {doc, proxy, envelope.ForProxy, ""},
		"a proxy's, for as long, by themselves": {proxy, proxy, envelope.ForProxy, until},
	} {
		if err := w.grants(c.by, m, w.to(c.by, c.to, c.purpose, c.until)(m)); ward.KindOf(err) != ward.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.newKeys(doc)
	w.must(w.grants(proxy, m, w.to(proxy, doc, envelope.ForCare, "")(m)))
	if err := w.grants(pat, m, w.to(pat, doc, envelope.ForCare, "")(m)); ward.KindOf(err) != ward.Conflict {
		t.Errorf("twice for one card: %v", err)
	}
}

func TestWhatWasSealedStaysUntilItsMemberOpensTheNew(t *testing.T) {
	w := newTown(t)
	pat, doc, proxy := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Proxy)
	_, m := w.chart(pat, w.to(pat, doc, envelope.ForCare, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.newKeys(doc)
	garbage := w.to(proxy, doc, envelope.ForCare, "")(m) // for all that anybody here can see
	w.must(w.grants(proxy, m, garbage))
	if held := w.held(doc, m); len(held) != 2 {
		t.Fatalf("the doctor is given %d grants, not the old and the new", len(held))
	}
	if err := w.opened(pat, m, garbage, false); ward.KindOf(err) != ward.Refused {
		t.Errorf("another says that it does not open: %v", err)
	}
	w.must(w.opened(doc, m, garbage, false))
	if err := w.grants(proxy, m, w.to(proxy, doc, envelope.ForCare, "")(m)); ward.KindOf(err) != ward.Refused {
		t.Errorf("whoever sealed garbage does it again: %v", err)
	}
	true1 := w.to(pat, doc, envelope.ForCare, "")(m)
	w.must(w.grants(pat, m, true1))
	if len(w.held(doc, m)) != 2 {
		t.Error("the old grant is gone before the new one opened")
	}
	w.must(w.opened(doc, m, true1, true))
	if held := w.held(doc, m); len(held) != 1 || held[0] != true1.Text {
		t.Errorf("the doctor is given %d grants, not the one that opens", len(held))
	}
	if w.due(pat, m) {
		t.Error("the chart is due, though nobody left")
	}
}

func TestATeamThatTurnedOpensByTheOldGrantOrTheNew(t *testing.T) {
	w := newTown(t)
	pat, doc, evil := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Clinician)
	team, n := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""), w.to(doc, evil, envelope.ForWork, ""))
	w.must(w.create(doc, n))
	_, m := w.chart(pat, w.toLock(pat, team, envelope.ForCare))
	w.leave(doc, team)
	team, _, err := w.turn(doc, team, w.to(doc, doc, envelope.ForWork, ""), w.to(doc, evil, envelope.ForWork, ""))
	w.must(err)
	garbage := w.toLock(evil, team, envelope.ForCare)(m)
	w.must(w.grants(evil, m, garbage))
	if err := w.opened(evil, m, garbage, false); ward.KindOf(err) != ward.Refused {
		t.Errorf("one of a team answers for it: %v", err)
	}
	if len(w.held(doc, m)) != 2 {
		t.Error("what was sealed to the team before it turned is gone")
	}
}

func TestALockTurnsOnlyWhenItIsDue(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	_, m := w.chart(pat, w.to(pat, proxy, envelope.ForProxy, ""))
	remain := []func(made) ward.NewGrant{w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForProxy, "")}
	if _, _, err := w.turn(pat, m, remain...); ward.KindOf(err) != ward.Conflict {
		t.Fatalf("nobody left, and the lock turned: %v", err)
	}
	w.leave(pat, m)
	next, _, err := w.turn(pat, m, remain...)
	w.must(err)
	if _, _, err := w.turn(pat, next, remain...); ward.KindOf(err) != ward.Conflict {
		t.Errorf("it turned a second time: %v", err)
	}
}

// Whoever has somebody's old keys could read on, so what these hold is due for new ones.
func TestWhatEarlierKeysHoldIsDue(t *testing.T) {
	w := newTown(t)
	doc, nurse := w.person(ward.Clinician), w.person(ward.Clinician)
	m, n := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""), w.to(doc, nurse, envelope.ForWork, ""))
	other, o := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""))
	w.must(w.create(doc, n, o))
	rekeyed := func(card string) {
		w.must(w.do(func(ctx context.Context, tx *store.Tx) error { return w.c.Rekeyed(ctx, tx, w.org, nurse.Person, card) }))
	}
	if rekeyed(nurse.card.Card); w.due(doc, m) {
		t.Error("a lock is due though its member's keys are the same")
	}
	w.newKeys(nurse)
	if rekeyed(nurse.card.Card); !w.due(doc, m) || w.due(doc, other) {
		t.Errorf("what the old keys hold is due: %v; what they do not: %v", w.due(doc, m), w.due(doc, other))
	}
}

func TestWhoJoinsWithAnOldKeyOfTheStaffListIsLetIn(t *testing.T) {
	w := newTown(t)
	admin, desk, late := w.person(ward.Admin), w.person(ward.FrontDesk), w.person(ward.FrontDesk)
	m, n := w.lock(admin, envelope.LockStaff, "", w.to(admin, admin, envelope.ForWork, ""))
	w.must(w.create(admin, n))
	regrant := func(who *someone, g ward.NewGrant) {
		w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
			return w.c.Regrant(ctx, tx, w.org, who.Person, []ward.NewGrant{g})
		}))
	}
	regrant(desk, w.to(desk, desk, envelope.ForWork, "")(m))
	if len(w.held(desk, m)) != 1 {
		t.Error("who joins does not hold the list of staff")
	}
	old := w.to(late, late, envelope.ForWork, "")(m)
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		return w.c.EndPerson(ctx, tx, w.org, desk.Person, admin.Person)
	}))
	next, _, err := w.turn(admin, m, w.to(admin, admin, envelope.ForWork, ""))
	w.must(err)
	regrant(late, old)
	if len(w.held(late, next)) != 0 {
		t.Error("a key of an epoch that is over was granted")
	}
}

// With new keys comes what their person holds, and nothing else.
func TestNewKeysAreGrantedWhatTheirPersonHolds(t *testing.T) {
	w := newTown(t)
	pat, other := w.person(ward.Patient), w.person(ward.Patient)
	chart := ward.NewID[ward.ChartID]()
	m, n := w.lock(pat, envelope.LockChart, chart, w.to(pat, pat, envelope.ForSelf, ""))
	w.must(w.create(pat, n))
	regrant := func(who *someone, g ward.NewGrant) error {
		return w.do(func(ctx context.Context, tx *store.Tx) error {
			return w.c.RegrantHeld(ctx, tx, w.org, who.Person, []ward.NewGrant{g})
		})
	}
	w.newKeys(pat)
	w.newKeys(other)
	for name, g := range map[string]ward.NewGrant{
		"who holds nothing of it": w.to(other, other, envelope.ForSelf, "")(m),
		"for another person":      w.to(pat, other, envelope.ForSelf, "")(m),
		"on other terms":          w.to(pat, pat, envelope.ForCare, "")(m),
	} {
		who := pat
		if name == "who holds nothing of it" {
			who = other
		}
		if err := regrant(who, g); ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.must(regrant(pat, w.to(pat, pat, envelope.ForSelf, "")(m)))
	if len(w.held(pat, m)) != 2 {
		t.Error("the new card holds nothing")
	}
}
