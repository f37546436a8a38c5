package identity

import (
	"slices"
	"testing"

	"ward"
	"ward/seal/envelope"
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

// lose makes the member join again with new keys, by an invitation of the voucher's.
func (m *member) lose(voucher *member, roles ...ward.Role) {
	m.c.t.Helper()
	v := invitation1(roles...)
	v.new.Person, v.new.Recover = m.person, true
	must[ward.Invitation](m.c.t)(voucher.do(m.c.Invite, "POST", "/api/invitations", v.new))
	m.newKeys()
	m.code = ward.RecoveryProof{Lookup: random(16), Token: random(32)}
	m.join(v)
}

func (m *member) vouchFor(other *member, text string) error {
	return m.put(m.c.PostVouch, "POST", ward.Vouch{CardText: text}, "person", string(other.person))
}

// signed is the other's card with this member's signature too.
func (m *member) signed(other *member) string {
	m.c.t.Helper()
	s, err := envelope.Write(other.card.Body, signer(other.signing), signer(m.signing))
	if err != nil {
		m.c.t.Fatal(err)
	}
	return string(s.Text)
}

func TestCareTeamRecoversWhoLostTheirKeys(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	colleague := newMember(c).join(doctor.invites(ward.Clinician))
	amina := newMember(c).join(doctor.invites(ward.Proxy))
	lost := *amina
	amina.lose(doctor, ward.Proxy)

	_, err := lost.me()
	refused(t, ward.Unauthenticated, err)
	refused(t, ward.Unauthenticated, lost.signIn())
	if me, err := amina.me(); err != nil || !me.Pending {
		t.Fatalf("before anyone vouched: %+v, %v", me, err)
	}
	if i := slices.IndexFunc(doctor.people(), func(p ward.PersonSummary) bool { return p.Person == amina.person }); doctor.people()[i].State != "pending" {
		t.Error("the clinic does not see that she waits")
	}

	refused(t, ward.Invalid, colleague.vouchFor(amina, colleague.signed(amina))) // the card names the doctor
	refused(t, ward.Invalid, doctor.vouchFor(amina, colleague.signed(amina)))
	refused(t, ward.Invalid, doctor.vouchFor(amina, string(amina.card.Text)))
	refused(t, ward.Conflict, doctor.vouchFor(colleague, doctor.signed(amina)))
	if err := doctor.vouchFor(amina, doctor.signed(amina)); err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Conflict, doctor.vouchFor(amina, doctor.signed(amina)))
	if err := amina.signIn(); err != nil {
		t.Fatal(err)
	}
	if me, err := amina.me(); err != nil || me.Pending {
		t.Fatalf("after: %+v, %v", me, err)
	}
	cards := must[ward.PersonCards](t)(doctor.do(c.GetCards, "GET", "/api/people/x/cards", nil, "person", string(amina.person)))
	if len(cards.Cards) != 2 || cards.State != "active" {
		t.Errorf("%+v", cards)
	}
}

func TestPendingCardDoesNotCount(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	amina := newMember(c).join(doctor.invites(ward.Proxy))
	old := amina.card.Hash()
	amina.lose(doctor, ward.Proxy)
	card, err := c.cardOf(amina)
	if err != nil || card.Hash != old {
		t.Errorf("grants would go to %s, %v", card.Hash, err)
	}
	if err := doctor.vouchFor(amina, doctor.signed(amina)); err != nil {
		t.Fatal(err)
	}
	if card, err = c.cardOf(amina); err != nil || card.Hash == old || card.Signing != public(amina.signing) {
		t.Errorf("after the vouching: %+v, %v", card, err)
	}
}

func TestLostKeysCannotBeReplacedWithoutAVoucher(t *testing.T) {
	c := newClinic(t)
	doctor := c.founder()
	amina := newMember(c).join(doctor.invites(ward.Proxy))
	v := invitation1(ward.Proxy)
	v.new.Person, v.new.Recover = amina.person, true
	must[ward.Invitation](t)(doctor.do(c.Invite, "POST", "/api/invitations", v.new))
	amina.newKeys()
	opened, err := amina.openOf(v)
	if err != nil {
		t.Fatal(err)
	}
	a := amina.accepting(v.token, opened)
	before, err := envelope.Parse[envelope.Card]([]byte(opened.Cards[0]))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]envelope.Card{
		"no voucher":       {Serial: 2, Previous: before.Hash()},
		"another chain":    {Serial: 2, Previous: envelope.Hash(nil), Voucher: doctor.person},
		"a serial skipped": {Serial: 3, Previous: before.Hash(), Voucher: doctor.person},
	} {
		amina.card = amina.writeCard(body)
		a.CardText, a.BrowserText = string(amina.card.Text), amina.browserText()
		if err := amina.acceptOf(v, a); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	amina.card = amina.writeCard(envelope.Card{Serial: 2, Previous: before.Hash(), Voucher: doctor.person}, signer(amina.signing))
	a.CardText, a.BrowserText = string(amina.card.Text), amina.browserText()
	refused(t, ward.Invalid, amina.acceptOf(v, a)) // two signatures, neither a voucher's
}

func TestRolesChangeAndSessionsWithThem(t *testing.T) {
	c := newClinic(t)
	admin := c.founder()
	m := newMember(c).join(admin.invites(ward.FrontDesk))
	put := func(roles ...ward.Role) error {
		return admin.put(c.PutRoles, "PUT", ward.RolesPut{Roles: roles}, "person", string(m.person))
	}
	refused(t, ward.Invalid, put())
	refused(t, ward.Invalid, put(ward.Patient))
	refused(t, ward.Invalid, put("owner"))
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

func TestEndedPersonIsOut(t *testing.T) {
	c := newClinic(t)
	admin := c.founder()
	m := newMember(c).join(admin.invites(ward.Clinician))
	v := m.invites(ward.Proxy)
	if err := admin.put(c.EndPerson, "POST", struct{}{}, "person", string(m.person)); err != nil {
		t.Fatal(err)
	}
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
	refused(t, ward.Gone, m.signIn())
	refused(t, ward.Gone, m.recover())
	if !slices.Equal(c.charts.ended, []ward.PersonID{m.person}) {
		t.Errorf("charts ended %v", c.charts.ended)
	}
	again := invitation1(ward.Clinician)
	again.new.Person, again.new.Recover = m.person, true
	refused(t, ward.Missing, admin.put(c.Invite, "POST", again.new))
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
	refused(t, ward.Missing, m.vouchFor(other, m.signed(other)))
	refused(t, ward.Missing, m.put(c.PutRoles, "PUT", ward.RolesPut{Roles: []ward.Role{ward.Admin}}, "person", string(other.person)))
	v := invitation1(ward.Clinician, ward.Admin)
	v.new.Person, v.new.Recover = other.person, true
	refused(t, ward.Missing, m.put(c.Invite, "POST", v.new))
	if err := m.put(c.EndPerson, "POST", struct{}{}, "person", string(other.person)); err != nil && ward.KindOf(err) != ward.Missing {
		t.Error(err)
	}
	if _, err := other.me(); err != nil {
		t.Errorf("another clinic ended them: %v", err)
	}
}
