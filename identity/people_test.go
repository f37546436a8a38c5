package identity

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

func (m *member) put(do handler, method string, body any, values ...string) error {
	_, err := m.do(do, method, "/api/x", body, values...)
	return err
}

func (m *member) passkeys() []ward.Passkey {
	m.c.t.Helper()
	return must[struct {
		Passkeys []ward.Passkey `json:"passkeys"`
	}](m.c.t)(m.do(m.c.GetPasskeys, "GET", "/api/passkeys", nil)).Passkeys
}

func (m *member) people() []ward.PersonSummary {
	m.c.t.Helper()
	return must[struct {
		People []ward.PersonSummary `json:"people"`
	}](m.c.t)(m.do(m.c.GetPeople, "GET", "/api/people", nil)).People
}

// adding is a right PasskeyAdd.
func (m *member) adding() ward.PasskeyAdd {
	m.c.t.Helper()
	options := must[ward.Ceremony](m.c.t)(m.do(m.c.PasskeyOptions, "POST", "/api/passkeys/options", struct{}{}))
	m.version++
	return ward.PasskeyAdd{
		Ceremony: options.Ceremony, Credential: m.touch(options.PublicKey), Passkey: ward.NewID[ward.PasskeyID](),
		KeyringPut: ward.KeyringPut{Version: m.version, Keyring: sealedKeyring},
	}
}

func TestPasskeysAreAddedUsedAndRemoved(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	first := m.passkeys()[0].Passkey
	refused(t, ward.Invalid, m.put(c.RemovePasskey, "DELETE", ward.KeyringPut{Version: 2, Keyring: sealedKeyring}, "passkey", string(first)))

	added := m.adding()
	if err := m.put(c.AddPasskey, "POST", added); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Gone, m.put(c.AddPasskey, "POST", added))
	if err := m.signIn(); err != nil {
		t.Fatalf("with the second passkey: %v", err)
	}
	for _, k := range m.passkeys() {
		if (k.Used != "") != (k.Passkey == added.Passkey) {
			t.Errorf("%+v", k)
		}
	}
	m.version++
	if err := m.put(c.RemovePasskey, "DELETE", ward.KeyringPut{Version: m.version, Keyring: sealedKeyring}, "passkey", string(added.Passkey)); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Unauthenticated, m.signIn())
	m.auth.Credentials = m.auth.Credentials[1:]
	if err := m.signIn(); err != nil {
		t.Fatalf("with the first passkey: %v", err)
	}
	for _, want := range []string{"added-passkey", "removed-passkey"} {
		if !slices.Contains(c.actions(m.org), want) {
			t.Errorf("the record does not say %s", want)
		}
	}
}

func TestPasskeyOfAnotherIsMissing(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	if err := m.put(c.AddPasskey, "POST", m.adding()); err != nil {
		t.Fatal(err)
	}
	theirs := other.passkeys()[0].Passkey
	refused(t, ward.Missing, m.put(c.RemovePasskey, "DELETE", ward.KeyringPut{Version: 3, Keyring: sealedKeyring}, "passkey", string(theirs)))
	refused(t, ward.Missing, m.put(c.RemovePasskey, "DELETE", ward.KeyringPut{Version: 3, Keyring: sealedKeyring}, "passkey", ""))
	if len(other.passkeys()) != 1 || len(m.passkeys()) != 2 {
		t.Error("a passkey is gone")
	}
}

func TestPasskeyComesWithTheKeyringSealedToIt(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	add := m.adding()
	add.Version = 9
	refused(t, ward.Conflict, m.put(c.AddPasskey, "POST", add))
	if len(m.passkeys()) != 1 {
		t.Error("a passkey was added that opens no keyring")
	}
}

func TestKeyringIsReplacedInOrder(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	refused(t, ward.Invalid, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 2, Keyring: []byte("AGE-SECRET-KEY-PQ-1")}))
	refused(t, ward.Invalid, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 2, Keyring: sealedKeyring, RecoveryKeyring: sealedKeyring}))
	refused(t, ward.TooLarge, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 2, Keyring: append(slices.Clone(sealedKeyring), make([]byte, ward.MaxKeyring)...)}))
	refused(t, ward.Conflict, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 1, Keyring: sealedKeyring}))
	refused(t, ward.Conflict, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 3, Keyring: sealedKeyring}))
	if err := m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 2, Keyring: sealedKeyring}); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Conflict, m.put(c.PutKeyring, "PUT", ward.KeyringPut{Version: 2, Keyring: sealedKeyring}))
	k := must[ward.Keyring](t)(m.do(c.GetKeyring, "GET", "/api/keyring", nil))
	if k.Version != 2 || string(k.RecoveryKeyring) != string(sealedRecovery) {
		t.Errorf("%d, %q", k.Version, k.RecoveryKeyring)
	}
}

func TestBrowserCertifiesItselfOnly(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	if err := m.put(c.PutBrowser, "PUT", ward.BrowserPut{BrowserText: m.browserText()}); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Invalid, m.put(c.PutBrowser, "PUT", ward.BrowserPut{BrowserText: other.browserText()}))
	own := m.browser
	m.browser = other.browser
	elsewhere := m.browserText()
	m.browser = own
	refused(t, ward.Invalid, m.put(c.PutBrowser, "PUT", ward.BrowserPut{BrowserText: elsewhere}))
}

// recover opens and finishes a recovery on a new device.
func (m *member) recover() error {
	m.c.t.Helper()
	answer, err := m.public(m.c.OpenRecovery, "/api/recovery/open", m.code)
	if err != nil {
		return err
	}
	opened := answer.(ward.RecoveryOpened)
	m.browser = newKey()
	answer, err = m.public(m.c.FinishRecovery, "/api/recovery/finish", ward.RecoveryFinish{
		RecoveryProof: m.code, Ceremony: opened.Ceremony, Credential: m.touch(opened.PublicKey), Passkey: ward.NewID[ward.PasskeyID](),
		BrowserText: m.browserText(), Version: opened.Version + 1, Keyring: sealedKeyring,
	})
	if err == nil {
		m.session = answer.(ward.Session)
	}
	return err
}

func TestRecoveryCodeOpensANewDevice(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	if err := m.recover(); err != nil {
		t.Fatal(err)
	}
	me, err := m.me()
	if err != nil || me.Pending {
		t.Fatalf("%+v, %v", me, err)
	}
	if err := m.signIn(); err != nil {
		t.Fatalf("with the new passkey: %v", err)
	}
	for _, want := range []string{"opened-recovery", "recovered"} {
		if !slices.Contains(c.actions(m.org), want) {
			t.Errorf("the record does not say %s", want)
		}
	}
}

func TestRecoveryTellsNothingToAWrongCode(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	try := func(p ward.RecoveryProof) error {
		_, err := m.public(c.OpenRecovery, "/api/recovery/open", p)
		return err
	}
	wrong := try(ward.RecoveryProof{Lookup: m.code.Lookup, Token: random(32)})
	refused(t, ward.Missing, wrong)
	for _, p := range []ward.RecoveryProof{{Lookup: random(16), Token: random(32)}, {Lookup: m.code.Lookup, Token: "?"}, {}} {
		err := try(p)
		refused(t, ward.Missing, err)
		if shown(err) != shown(wrong) {
			t.Errorf("told %q and %q", shown(err), shown(wrong))
		}
	}
}

func TestRecoveryCodeClosesAfterTooManyWrongTokens(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	for range maxAttempts {
		_, err := m.public(c.OpenRecovery, "/api/recovery/open", ward.RecoveryProof{Lookup: m.code.Lookup, Token: random(32)})
		refused(t, ward.Missing, err)
	}
	refused(t, ward.Missing, m.recover())

	m.code = ward.RecoveryProof{Lookup: random(16), Token: random(32)}
	if err := m.put(c.PutKeyring, "PUT", ward.KeyringPut{
		Version: 2, Keyring: sealedKeyring, RecoveryKeyring: sealedRecovery,
		Recovery: &ward.RecoveryKey{Lookup: m.code.Lookup, TokenHash: tokenHash(m.code.Token)},
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.recover(); err != nil {
		t.Fatalf("with a new code: %v", err)
	}
}

func TestNewRecoveryCodeEndsTheOld(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	old := m.code
	taken := ward.KeyringPut{
		Version: 2, Keyring: sealedKeyring, RecoveryKeyring: sealedRecovery,
		Recovery: &ward.RecoveryKey{Lookup: other.code.Lookup, TokenHash: tokenHash(m.code.Token)},
	}
	refused(t, ward.Conflict, m.put(c.PutKeyring, "PUT", taken))
	taken.Recovery = &ward.RecoveryKey{Lookup: random(16), TokenHash: tokenHash(random(32))}
	if err := m.put(c.PutKeyring, "PUT", taken); err != nil {
		t.Fatal(err)
	}
	_, err := m.public(c.OpenRecovery, "/api/recovery/open", old)
	refused(t, ward.Missing, err)
}

// lose makes a copy of the member, who joins again with new keys by an invitation.
func (m *member) lose(inviter *member, roles ...ward.Role) *member {
	m.c.t.Helper()
	v := inviter.again(m.person, roles...)
	if err := inviter.sends(&v); err != nil {
		m.c.t.Fatal(err)
	}
	return newMember(m.c).join(v)
}

// confirms stands behind a card.
func (m *member) confirms(other *member, how string) error {
	return m.states(other.person, written(m, envelope.Confirm{Place: m.c.place(m.org, other.card.Body.Chain), What: other.card.Hash(), How: how, Author: m.author()}))
}

func (m *member) completes(other *member) error {
	return m.states(other.person, written(m, envelope.Complete{Place: m.c.place(m.org, other.card.Body.Chain), What: other.card.Hash(), Author: m.author()}))
}

func (m *member) vetoes(other *member) error {
	return m.states(other.person, written(m, envelope.Veto{Place: m.c.place(m.org, other.card.Body.Chain), What: other.card.Hash(), Author: m.author()}))
}

func TestNewKeysAfterALossCountOnceConfirmedAndNotRefusedInTime(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	desk := newMember(c).join(doctor.invites(ward.FrontDesk))
	c.wait(4 * 24 * time.Hour) // the desk is no longer new
	for _, m := range []*member{doctor, desk} {
		if err := m.signIn(); err != nil {
			t.Fatal(err)
		}
	}
	lost := newMember(c).join(doctor.invites(ward.Proxy))
	old := lost.card.Hash()
	amina := lost.lose(doctor, ward.Proxy)

	if _, err := lost.me(); err != nil {
		t.Fatalf("the old device cannot refuse: %v", err)
	}
	if me, err := amina.me(); err != nil || !me.Pending {
		t.Fatalf("before anyone confirmed: %+v, %v", me, err)
	}
	if card, err := c.cardOf(amina); err != nil || card.Hash != old {
		t.Errorf("grants would go to %s, %v", card.Hash, err)
	}
	refused(t, ward.Invalid, doctor.confirms(amina, envelope.Met)) // who invited
	if err := desk.confirms(amina, envelope.Met); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Invalid, desk.completes(amina))
	c.wait(25 * time.Hour)
	if err := desk.signIn(); err != nil {
		t.Fatal(err)
	}
	if err := desk.completes(amina); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Unauthenticated, lost.signIn())
	if err := amina.signIn(); err != nil {
		t.Fatal(err)
	}
	if me, err := amina.me(); err != nil || me.Pending {
		t.Fatalf("after: %+v, %v", me, err)
	}
	if card, err := c.cardOf(amina); err != nil || card.Hash != amina.card.Hash() || card.Signing != public(amina.signing) {
		t.Errorf("after: %+v, %v", card, err)
	}
	cards := must[ward.PersonCards](t)(desk.do(c.GetCards, "GET", "/api/people/x/cards", nil, "person", string(amina.person)))
	if len(cards.Recipients) != 2 || cards.State != "active" || len(cards.Thread) != 6 {
		t.Errorf("%+v", cards)
	}
	if !slices.Contains(c.charts.rekeyed, amina.person) {
		t.Error("what the old keys held is not due")
	}
}

func TestWhoHasTheOldDeviceRefusesNewKeys(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	amina := newMember(c).join(doctor.invites(ward.Proxy))
	thief := amina.lose(doctor, ward.Proxy)
	refused(t, ward.Invalid, thief.states(amina.person, written(doctor, envelope.Veto{
		Place: c.place(amina.org, string(amina.person)), What: thief.card.Hash(), Author: doctor.author(),
	}))) // in somebody else's name
	if err := amina.vetoes(thief); err != nil {
		t.Fatal(err)
	}
	_, err := thief.me()
	refused(t, ward.Unauthenticated, err)
	refused(t, ward.Unauthenticated, thief.signIn())
	if _, err := amina.me(); err != nil {
		t.Error(err)
	}
	var kept int64
	c.count(&kept, `SELECT count(*) FROM keyrings WHERE person = $1`, string(amina.person))
	if kept != 1 {
		t.Errorf("%d keyrings are kept", kept)
	}
}

func TestAClinicianWaitsForASecondPersonOnceThereIsOne(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	admin := newMember(c).join(founder.invites(ward.Admin))
	if me, err := admin.me(); err != nil || me.Pending {
		t.Fatalf("there was nobody else to confirm: %+v, %v", me, err)
	}
	puppet := newMember(c).join(admin.invites(ward.Clinician))
	if me, err := puppet.me(); err != nil || !me.Pending {
		t.Fatalf("an administrator alone made a clinician: %+v, %v", me, err)
	}
	_, err := c.cardOf(puppet)
	refused(t, ward.Missing, err)
	refused(t, ward.Invalid, admin.confirms(puppet, envelope.Met))
	if err := founder.confirms(puppet, envelope.Met); err != nil {
		t.Fatal(err)
	}
	if me, err := puppet.me(); err != nil || me.Pending {
		t.Fatalf("confirmed: %+v, %v", me, err)
	}
}

func TestNewKeysOfOnesOwnEndOtherSessionsAndKeepPasskeys(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	m := newMember(c).join(founder.invites(ward.Proxy))
	thief := *m
	if err := thief.signIn(); err != nil {
		t.Fatal(err)
	}
	before := m.card
	own := m.signing
	m.signing = newKey()
	m.card = m.writeCard(envelope.MemberCard{Place: c.place(m.org, string(m.person)), Serial: 2, Before: before.Hash()}, signer(own))
	put := ward.KeysPut{
		CardText: string(m.card.Text), Recipient: recipient(), BrowserText: m.browserText(),
		KeyringPut: ward.KeyringPut{Version: 2, Keyring: sealedKeyring, RecoveryKeyring: sealedRecovery, Recovery: &ward.RecoveryKey{Lookup: random(16), TokenHash: tokenHash(random(32))}},
	}
	late := put
	late.Version = 7
	refused(t, ward.Conflict, m.put(c.PostKeys, "POST", late))
	if err := m.put(c.PostKeys, "POST", put); err != nil {
		t.Fatal(err)
	}
	if me, err := m.me(); err != nil || me.Pending || me.CardText != put.CardText {
		t.Fatalf("%+v, %v", me, err)
	}
	_, err := thief.me()
	refused(t, ward.Unauthenticated, err)
	if err := m.signIn(); err != nil {
		t.Errorf("the passkey: %v", err)
	}
	if k := must[ward.Keyring](t)(m.do(c.GetKeyring, "GET", "/api/keyring", nil)); k.Version != 2 {
		t.Errorf("keyring %d", k.Version)
	}
	_, err = m.public(c.OpenRecovery, "/api/recovery/open", m.code)
	refused(t, ward.Missing, err) // the code before
}

// rekeys takes new keys.
func (m *member) rekeys() error {
	m.c.t.Helper()
	before, own := m.card, m.signing
	m.signing = newKey()
	m.card = m.writeCard(envelope.MemberCard{Place: m.c.place(m.org, before.Body.Chain), Serial: before.Body.Serial + 1, Before: before.Hash()}, signer(own))
	m.version++
	return m.put(m.c.PostKeys, "POST", ward.KeysPut{
		CardText: string(m.card.Text), Recipient: recipient(), BrowserText: m.browserText(), KeyringPut: ward.KeyringPut{
			Version: m.version, Keyring: sealedKeyring, RecoveryKeyring: sealedRecovery, Recovery: &ward.RecoveryKey{Lookup: random(16), TokenHash: tokenHash(random(32))},
		},
	})
}

func TestKeysAreChangedAFewTimesADay(t *testing.T) {
	c := newClinic(t)
	m := newMember(c).join(c.founder().invites(ward.Proxy))
	for range maxKeysADay - 1 { // the first card is of today too
		if err := m.rekeys(); err != nil {
			t.Fatal(err)
		}
	}
	kept := *m
	refused(t, ward.TooMany, kept.rekeys())
	c.wait(25 * time.Hour)
	if err := m.signIn(); err != nil {
		t.Fatal(err)
	}
	if err := m.rekeys(); err != nil {
		t.Fatal(err)
	}
}

func TestAStatementThatDoesNotHoldIsNotKept(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	desk := newMember(c).join(founder.invites(ward.FrontDesk))
	roles := func(by *member, at envelope.Place, roles string) error {
		return by.states(desk.person, written(by, envelope.Roles{Place: at, Person: desk.person, Roles: roles, Author: by.author()}))
	}
	at := c.place(founder.org, string(founder.org))
	refused(t, ward.Invalid, roles(desk, at, "admin")) // of themselves
	earlier := at
	earlier.Seq--
	refused(t, ward.Conflict, roles(founder, earlier, "security"))
	later := at
	later.Seq++
	refused(t, ward.Invalid, roles(founder, later, "security"))
	// A statement in an operation that fails is not remembered either.
	failed := errors.New("later in the operation")
	err := c.DB.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		text := written(founder, envelope.Roles{Place: at, Person: desk.person, Roles: "security", Author: founder.author()})
		if _, err := c.state(ctx, tx, founder.org, string(founder.org), text, founder.person); err != nil {
			return err
		}
		_, err := c.state(ctx, tx, founder.org, string(founder.org), text, founder.person) // in the same operation
		refused(t, ward.Conflict, err)
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err := roles(founder, at, "privacy"); err != nil {
		t.Fatal(err)
	}
	if err := desk.signIn(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(desk.session.Roles, []ward.Role{ward.Privacy}) {
		t.Errorf("%v", desk.session.Roles)
	}
	c.actions(founder.org) // and the record is whole
}

func TestRolesChangeAndSessionsWithThem(t *testing.T) {
	c := newClinic(t)
	admin := c.founder()
	m := newMember(c).join(admin.invites(ward.FrontDesk))
	put := func(roles ...ward.Role) error {
		return admin.states(m.person, written(admin, envelope.Roles{
			Place: c.place(admin.org, string(admin.org)), Person: m.person, Roles: envelope.FormatRoles(roles), Author: admin.author(),
		}))
	}
	refused(t, ward.Invalid, put(ward.FrontDesk)) // it changes nothing
	if err := put(ward.Clinician, ward.Security); err != nil {
		t.Fatal(err)
	}
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
	if err := m.signIn(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.session.Roles, []ward.Role{ward.Clinician, ward.Security}) || m.session.Idle != 15*60 {
		t.Errorf("%+v", m.session)
	}
	if len(c.charts.remaining[m.person]) == 0 {
		t.Error("nobody took back what the old roles entitled to")
	}
	if !slices.Contains(c.actions(m.org), "changed-roles") {
		t.Error("the record does not say so")
	}
}

// ends deactivates a member of staff.
func (m *member) ends(other *member) error {
	return m.states(other.person, written(m, envelope.Deactivate{Place: m.c.place(m.org, string(m.org)), Person: other.person, Author: m.author()}))
}

func TestEndedPersonIsOut(t *testing.T) {
	c := newClinic(t)
	admin := c.founder()
	m := newMember(c).join(admin.invites(ward.Clinician))
	v := m.invites(ward.Proxy)
	if err := admin.ends(m); err != nil {
		t.Fatal(err)
	}
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
	refused(t, ward.Gone, m.signIn())
	refused(t, ward.Gone, m.recover())
	if !slices.Equal(c.charts.ended, []ward.PersonID{m.person}) {
		t.Errorf("charts ended %v", c.charts.ended)
	}
	again := admin.again(m.person, ward.Clinician)
	refused(t, ward.Invalid, admin.sends(&again))
	if card, err := c.cardOf(m); err != nil || card.Active {
		t.Errorf("%+v, %v", card, err)
	}
	newMember(c).join(v) // whom they invited is not to blame
}

func TestErasedPersonLeavesNothing(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	amina := newMember(c).join(doctor.invites(ward.Patient))
	if err := amina.put(c.DeleteMe, "DELETE", nil); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"persons", "cards", "browsers", "keyrings", "recovery_keys", "passkeys", "ceremonies", "invitations", "sessions"} {
		var n int64
		c.count(&n, `SELECT count(*) FROM `+table+` WHERE person = $1`, string(amina.person))
		if n != 0 {
			t.Errorf("%s keeps %d rows", table, n)
		}
	}
	var thread int64
	if c.count(&thread, `SELECT count(*) FROM membership WHERE chain = $1`, string(amina.person)); thread != 0 {
		t.Errorf("%d statements about her are kept", thread)
	}
	if !slices.Equal(c.charts.erased, []ward.PersonID{amina.person}) {
		t.Errorf("charts erased %v", c.charts.erased)
	}
	if _, err := doctor.me(); err != nil {
		t.Error(err)
	}
}

func TestPatientsSeeStaffAndWhoIsOnTheirChart(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	amina := newMember(c).join(doctor.invites(ward.Patient))
	mother := newMember(c).join(doctor.invites(ward.Proxy))
	stranger := newMember(c).join(doctor.invites(ward.Patient))
	elsewhere := c.founder()
	c.charts.around = []ward.PersonID{mother.person}
	seen := func(m *member) []ward.PersonID {
		var ids []ward.PersonID
		for _, p := range m.people() {
			ids = append(ids, p.Person)
		}
		return ids
	}
	hers, all := seen(amina), seen(doctor)
	for _, id := range []ward.PersonID{amina.person, mother.person, doctor.person} {
		if !slices.Contains(hers, id) {
			t.Errorf("she does not see %s", id)
		}
	}
	if slices.Contains(hers, stranger.person) || len(all) != 4 {
		t.Errorf("she sees %v, the doctor %v", hers, all)
	}
	if slices.Contains(all, elsewhere.person) {
		t.Error("another clinic's person is seen")
	}
}

func TestOtherClinicsPeopleAreMissing(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	_, err := m.do(c.GetCards, "GET", "/api/people/x/cards", nil, "person", string(other.person))
	refused(t, ward.Missing, err)
	if err := m.ends(other); err == nil {
		t.Error("another clinic's person was ended")
	}
	v := m.again(other.person, ward.Clinician, ward.Admin)
	refused(t, ward.Invalid, m.sends(&v))
	if _, err := other.me(); err != nil {
		t.Errorf("another clinic ended them: %v", err)
	}
}
