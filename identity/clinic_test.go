package identity

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"ward"
	"ward/ledger"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
	"ward/store/storetest"
)

// The tests play people with browsers and passkeys against an Identity on a real database. Only charts is played by
// hand, as is the guard: who asks, do, and undo what failed.

const origin = "https://clinic.example"

type clinic struct {
	*Identity
	t       *testing.T
	charts  *playedCharts
	letters *playedLetters
	notices *playedNotices

	mu  sync.Mutex
	now time.Time
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Config{Dir: t.TempDir(), Database: storetest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	sealer, err := store.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	c := &clinic{t: t, charts: &playedCharts{}, letters: &playedLetters{}, notices: &playedNotices{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c.Identity, err = New(ctx, Config{
		DB: db, Ledger: ledger.New(c.clock), Charts: c.charts, Letters: c.letters, Notices: c.notices, Sealer: sealer,
		Origin: origin, Version: "test", Now: c.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *clinic) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clinic) wait(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// playedCharts remembers what it was asked.
type playedCharts struct {
	remaining          map[ward.PersonID][]ward.Role
	created, regranted int
	ended, erased      []ward.PersonID
	rekeyed            []ward.PersonID
	around             []ward.PersonID
	fail               error
}

func (p *playedCharts) Create(_ context.Context, _ *store.Tx, _ ward.OrgID, _ ward.PersonID, locks []ward.NewLock) error {
	p.created += len(locks)
	return p.fail
}

func (p *playedCharts) Regrant(_ context.Context, _ *store.Tx, _ ward.OrgID, _ ward.PersonID, grants []ward.NewGrant) error {
	p.regranted += len(grants)
	return nil
}

func (p *playedCharts) RegrantHeld(_ context.Context, _ *store.Tx, _ ward.OrgID, _ ward.PersonID, grants []ward.NewGrant) error {
	p.regranted += len(grants)
	return nil
}

func (p *playedCharts) Outside(_ context.Context, _ *store.Tx, _ ward.OrgID, locks ...ward.LockID) ([]ward.LockSummary, error) {
	all := make([]ward.LockSummary, len(locks))
	for n, lock := range locks {
		all[n].Lock = lock
	}
	return all, nil
}

func (p *playedCharts) ChartsOf(context.Context, *store.Tx, ward.OrgID, ward.PersonID) ([]ward.ChartID, error) {
	return []ward.ChartID{}, nil
}

func (p *playedCharts) Holders(context.Context, *store.Tx, ward.OrgID, ward.PersonID) ([]ward.PersonID, error) {
	return p.around, nil
}

func (p *playedCharts) Rekeyed(_ context.Context, _ *store.Tx, _ ward.OrgID, person ward.PersonID, _ string) error {
	p.rekeyed = append(p.rekeyed, person)
	return nil
}

func (p *playedCharts) EndPerson(_ context.Context, _ *store.Tx, _ ward.OrgID, person, _ ward.PersonID) error {
	p.ended = append(p.ended, person)
	return nil
}

func (p *playedCharts) EndRoles(_ context.Context, _ *store.Tx, _ ward.OrgID, person, _ ward.PersonID, remaining []ward.Role) error {
	p.remaining = map[ward.PersonID][]ward.Role{person: remaining}
	return nil
}

func (p *playedCharts) EraseOf(_ context.Context, _ *store.Tx, _ ward.OrgID, person ward.PersonID) error {
	p.erased = append(p.erased, person)
	return nil
}

type playedLetters struct {
	sent []string // links
	fail error
}

func (p *playedLetters) Invite(_ context.Context, _, link, _ string, _ time.Time) error {
	p.sent = append(p.sent, link)
	return p.fail
}

type playedNotices struct{ told []ward.Notice }

func (p *playedNotices) Publish(_ ward.OrgID, n ward.Notice) error {
	p.told = append(p.told, n)
	return nil
}

// member is a person with their keys, one browser and one passkey.
type member struct {
	c       *clinic
	org     ward.OrgID
	person  ward.PersonID
	signing ed25519.PrivateKey
	card    *envelope.Statement[envelope.MemberCard]
	browser ed25519.PrivateKey
	nonce   string // what proofs carry; the current one if empty
	auth    virtualwebauthn.Authenticator
	session ward.Session
	code    ward.RecoveryProof
	version int64
}

func newMember(c *clinic) *member {
	m := &member{c: c, auth: virtualwebauthn.NewAuthenticator(), version: 1}
	m.newKeys()
	m.code = ward.RecoveryProof{Lookup: random(16), Token: random(32)}
	return m
}

func (m *member) newKeys() { m.signing, m.browser = newKey(), newKey() }

func newKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return ward.B64.EncodeToString(b)
}

func tokenHash(token string) string {
	raw, _ := ward.B64.DecodeString(token)
	return envelope.Hash(raw)
}

func public(key ed25519.PrivateKey) string {
	return ward.B64.EncodeToString(key.Public().(ed25519.PublicKey))
}

func signer(key ed25519.PrivateKey) envelope.Signer {
	return func(message []byte) ([]byte, error) { return ed25519.Sign(key, message), nil }
}

// recipient is one of the vectors': nobody here can make one, since who can holds keys.
func recipient() string {
	text, err := os.ReadFile("../testdata/vectors/recipient-amina.json")
	if err != nil {
		panic(err)
	}
	var vector struct{ Input struct{ Recipient string } }
	if err := json.Unmarshal(text, &vector); err != nil {
		panic(err)
	}
	return vector.Input.Recipient
}

var (
	sealedKeyring  = []byte("age-encryption.org/v1\n-> mlkem768x25519 AAAA\n")
	sealedRecovery = []byte("age-encryption.org/v1\n-> scrypt AAAA 15\n")
)

// claims are those of a right proof for a request; tests bend them.
func (m *member) claims(method, path, token string) map[string]any {
	nonce := m.nonce
	if nonce == "" {
		nonce = m.c.Nonce()
	}
	claims := map[string]any{"jti": random(16), "htm": method, "htu": origin + path, "iat": m.c.clock().Unix(), "nonce": nonce}
	if token != "" {
		claims["ath"] = envelope.Hash([]byte(token))
	}
	return claims
}

func prove(key ed25519.PrivateKey, header, claims map[string]any) string {
	if header == nil {
		header = map[string]any{"typ": "dpop+jwt", "alg": "EdDSA", "jwk": map[string]any{"kty": "OKP", "crv": "Ed25519", "x": public(key)}}
	}
	first, _ := json.Marshal(header)
	second, _ := json.Marshal(claims)
	text := ward.B64.EncodeToString(first) + "." + ward.B64.EncodeToString(second)
	return text + "." + ward.B64.EncodeToString(ed25519.Sign(key, []byte(text)))
}

type handler func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error)

// request is one with a right proof.
func (m *member) request(method, path string, body any) *http.Request {
	text, _ := json.Marshal(body)
	r := httptest.NewRequest(method, origin+path, bytes.NewReader(text))
	if m.session.Token != "" {
		r.Header.Set("Authorization", "DPoP "+m.session.Token)
	}
	r.Header.Set("DPoP", prove(m.browser, nil, m.claims(method, path, m.session.Token)))
	return r
}

// send plays the guard for one request. Values of the path go in pairs.
func (c *clinic) send(r *http.Request, do handler, public bool, values ...string) (any, error) {
	for n := 0; n < len(values); n += 2 {
		r.SetPathValue(values[n], values[n+1])
	}
	var answer any
	var failed error
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	err = c.DB.Do(c.t.Context(), func(ctx context.Context, tx *store.Tx) error { // which may run it more than once
		r.Body = io.NopCloser(bytes.NewReader(body))
		var who ward.Caller
		var err error
		if !public {
			if who, err = c.Authenticate(ctx, tx, r); err != nil {
				failed = err
				return undone(err)
			}
		}
		answer, failed = do(ctx, tx, who, r)
		return undone(failed)
	})
	return answer, errors.Join(err, failed)
}

// undone is the error again unless what was written must stay.
func undone(err error) error {
	var keeps interface{ Counts() bool }
	if errors.As(err, &keeps) {
		return nil
	}
	return err
}

func (m *member) do(do handler, method, path string, body any, values ...string) (any, error) {
	return m.c.send(m.request(method, path, body), do, false, values...)
}

func (m *member) public(do handler, path string, body any, values ...string) (any, error) {
	signedIn := m.session.Token
	m.session.Token = ""
	defer func() { m.session.Token = signedIn }()
	return m.c.send(m.request("POST", path, body), do, true, values...)
}

// must gives an answer of type T, or ends the test.
func must[T any](t *testing.T) func(any, error) T {
	return func(answer any, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		value, ok := answer.(T)
		if !ok {
			t.Fatalf("got %T", answer)
		}
		return value
	}
}

// refused ends the test unless err is of the kind.
func refused(t *testing.T, kind ward.Kind, err error) {
	t.Helper()
	if err == nil {
		t.Fatalf("was allowed; it must be refused as %s", kind)
	}
	if got := ward.KindOf(err); got != kind {
		t.Fatalf("refused as %s (%v); it must be %s", got, err, kind)
	}
}

var party = virtualwebauthn.RelyingParty{Name: "Ward", ID: "clinic.example", Origin: origin}

// coseKeySize is that of a P-256 key with both coordinates whole. One key in 128 begins with a zero byte, which
// virtualwebauthn leaves out and no real authenticator does.
const coseKeySize = 77

// touch makes a passkey.
func (m *member) touch(publicKey json.RawMessage) json.RawMessage {
	m.c.t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(publicKey))
	if err != nil {
		m.c.t.Fatal(err)
	}
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != coseKeySize {
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	m.auth.Options.UserHandle = []byte(options.UserID)
	m.auth.Credentials = append([]virtualwebauthn.Credential{key}, m.auth.Credentials...)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(party, m.auth, key, *options))
}

// assert answers a sign-in with the latest passkey.
func (m *member) assert(publicKey json.RawMessage) json.RawMessage {
	m.c.t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(publicKey))
	if err != nil {
		m.c.t.Fatal(err)
	}
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(party, m.auth, m.auth.Credentials[0], *options))
}

// place is where the next statement of a chain stands.
func (c *clinic) place(org ward.OrgID, chain string) envelope.Place {
	c.t.Helper()
	p := envelope.Place{Org: org, Chain: chain, Seq: 1}
	head := func(of string) (seq int64, hash string) {
		err := c.DB.View(c.t.Context(), func(ctx context.Context, tx *store.Tx) error {
			all, _, err := statements(ctx, tx, org, of, 0, 0)
			if err == nil && len(all) > 0 {
				seq, hash = int64(len(all)), envelope.Hash(all[len(all)-1])
			}
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
		return seq, hash
	}
	var seq int64
	if seq, p.Previous = head(chain); seq > 0 {
		p.Seq = seq + 1
	}
	if chain != string(org) {
		p.RosterSeq, p.RosterHash = head(string(org))
	}
	return p
}

// author is who states something now.
func (m *member) author() envelope.Author {
	return envelope.Author{By: m.person, Card: m.card.Hash(), Time: ward.FormatTime(m.c.clock())}
}

// written is a statement by the member.
func written[B envelope.Membership](m *member, body B) []byte {
	m.c.t.Helper()
	s, err := envelope.Write(body, signer(m.signing))
	if err != nil {
		m.c.t.Fatal(err)
	}
	return s.Text
}

// states sends a statement about a person.
func (m *member) states(person ward.PersonID, text []byte) error {
	return m.put(m.c.PostStatement, "POST", ward.StatementPut{Text: string(text)}, "person", string(person))
}

// chainOf is the roster for staff, the thread of anyone else.
func chainOf(org ward.OrgID, person ward.PersonID, roles ...ward.Role) string {
	if slices.ContainsFunc(roles, ward.Role.IsStaff) {
		return string(org)
	}
	return string(person)
}

func (m *member) writeCard(body envelope.MemberCard, signers ...envelope.Signer) *envelope.Statement[envelope.MemberCard] {
	m.c.t.Helper()
	body.Person, body.RecipientHash, body.Signing = m.person, envelope.Hash([]byte(recipient())), public(m.signing)
	body.Time = ward.FormatTime(m.c.clock())
	s, err := envelope.Write(body, append([]envelope.Signer{signer(m.signing)}, signers...)...)
	if err != nil {
		m.c.t.Fatal(err)
	}
	return s
}

func (m *member) browserText() string {
	m.c.t.Helper()
	s, err := envelope.Write(envelope.Browser{
		Org: m.org, Person: m.person, Card: m.card.Hash(), Key: public(m.browser), Time: ward.FormatTime(m.c.clock()),
	}, signer(m.signing))
	if err != nil {
		m.c.t.Fatal(err)
	}
	return string(s.Text)
}

// lockOf makes a first epoch.
func (m *member) lockOf(kind string, chart ward.ChartID, compartment string) ward.NewLock {
	m.c.t.Helper()
	key := newKey()
	s, err := envelope.Write(envelope.Epoch{
		Org: m.org, Lock: envelope.LockIDOf(recipient(), public(key)), Kind: kind, Chart: chart, Compartment: compartment, Epoch: 1,
		Recipient: recipient(), Verify: public(key), Author: m.person, Time: ward.FormatTime(m.c.clock()),
	}, signer(m.signing), signer(key))
	if err != nil {
		m.c.t.Fatal(err)
	}
	return ward.NewLock{Epoch: string(s.Text)}
}

// accepting is a right acceptance of an opened invitation; tests bend it.
func (m *member) accepting(v invited, opened ward.InvitationOpened) ward.Acceptance {
	m.c.t.Helper()
	m.org, m.person = opened.Org.Org, opened.Person
	a := ward.Acceptance{
		Token: v.token, Ceremony: opened.Ceremony, Credential: m.touch(opened.PublicKey), Passkey: ward.NewID[ward.PasskeyID](),
		Recipient: recipient(), Keyring: sealedKeyring, RecoveryKeyring: sealedRecovery,
		Recovery: ward.RecoveryKey{Lookup: m.code.Lookup, TokenHash: tokenHash(m.code.Token)},
	}
	switch {
	case opened.Founding:
		m.found(&a)
		m.card = m.writeCard(envelope.MemberCard{Place: envelope.Place{Org: m.org, Chain: string(m.org), Seq: 1, Previous: envelope.Hash([]byte(a.ClinicText))}, Serial: 1})
	case opened.Recover:
		before, err := envelope.Parse[envelope.MemberCard]([]byte(opened.CardText))
		if err != nil {
			m.c.t.Fatal(err)
		}
		m.card = m.writeCard(envelope.MemberCard{
			Place: m.c.place(m.org, chainOf(m.org, m.person, opened.Roles...)), Serial: before.Body.Serial + 1, Before: before.Hash(), Invitation: v.id,
		}, signer(v.key))
	default:
		m.card = m.writeCard(envelope.MemberCard{Place: m.c.place(m.org, chainOf(m.org, m.person, opened.Roles...)), Serial: 1, Invitation: v.id}, signer(v.key))
	}
	a.CardText, a.BrowserText = string(m.card.Text), m.browserText()
	if opened.Chart != "" && !opened.Recover {
		a.Locks = []ward.NewLock{
			m.lockOf(envelope.LockChart, opened.Chart, envelope.General), m.lockOf(envelope.LockChart, opened.Chart, envelope.Restricted),
		}
	}
	return a
}

func (m *member) found(a *ward.Acceptance) {
	m.c.t.Helper()
	var ids []ward.LockID
	for _, kind := range []string{envelope.LockDirectory, envelope.LockStaff, envelope.LockTeam, envelope.LockEmergency} {
		lock := m.lockOf(kind, "", "")
		e, err := envelope.Parse[envelope.Epoch]([]byte(lock.Epoch))
		if err != nil {
			m.c.t.Fatal(err)
		}
		a.Locks, ids = append(a.Locks, lock), append(ids, e.Body.Lock)
	}
	s, err := envelope.Write(envelope.Clinic{
		Org: m.org, Founder: m.person, Signing: public(m.signing), Time: ward.FormatTime(m.c.clock()),
		Locks: envelope.ClinicLocks{Directory: ids[0], Staff: ids[1], Clinicians: ids[2], Emergency: ids[3]},
	}, signer(m.signing))
	if err != nil {
		m.c.t.Fatal(err)
	}
	a.ClinicText = string(s.Text)
}

// An invited is an invitation with its token and the key of its link.
type invited struct {
	id     ward.InvitationID
	token  string
	key    ed25519.PrivateKey
	invite envelope.Invite
	new    ward.NewInvitation
}

func (m *member) openOf(v invited) (ward.InvitationOpened, error) {
	answer, err := m.public(m.c.OpenInvitation, "/api/invitations/"+string(v.id)+"/open", ward.TokenProof{Token: v.token}, "invitation", string(v.id))
	opened, _ := answer.(ward.InvitationOpened)
	return opened, err
}

func (m *member) acceptOf(v invited, a ward.Acceptance) error {
	answer, err := m.public(m.c.AcceptInvitation, "/api/invitations/"+string(v.id)+"/accept", a, "invitation", string(v.id))
	if err == nil {
		m.session = answer.(ward.Session)
	}
	return err
}

// join accepts an invitation as a right client does.
func (m *member) join(v invited) *member {
	m.c.t.Helper()
	opened, err := m.openOf(v)
	if err != nil {
		m.c.t.Fatal(err)
	}
	if err := m.acceptOf(v, m.accepting(v, opened)); err != nil {
		m.c.t.Fatal(err)
	}
	return m
}

// founder begins a new organisation and joins it.
func (c *clinic) founder() *member {
	c.t.Helper()
	return newMember(c).join(c.founding())
}

func (c *clinic) founding() invited {
	c.t.Helper()
	token := random(32)
	_, id, err := c.Found(c.t.Context(), "Test clinic", tokenHash(token))
	if err != nil {
		c.t.Fatal(err)
	}
	return invited{id: id, token: token}
}

// invitation makes one, not stated yet; tests bend it.
func (m *member) invitation(roles ...ward.Role) invited {
	v := invited{id: ward.NewID[ward.InvitationID](), token: random(32), key: newKey()}
	v.invite = envelope.Invite{
		Invitation: v.id, Person: ward.NewID[ward.PersonID](), Verifier: public(v.key), Roles: envelope.FormatRoles(roles), Name: envelope.NameHash([32]byte{}, "Amina"),
		Until: ward.FormatTime(m.c.clock().Add(maxInvitation)),
	}
	v.new = ward.NewInvitation{TokenHash: tokenHash(v.token)}
	if slices.Contains(roles, ward.Patient) {
		v.new.Chart = ward.NewID[ward.ChartID]()
	}
	return v
}

// again invites a person whose keys are lost.
func (m *member) again(person ward.PersonID, roles ...ward.Role) invited {
	v := m.invitation(roles...)
	v.invite.Person, v.invite.Recover = person, true
	return v
}

// sends states an invitation and sends it.
func (m *member) sends(v *invited) error {
	m.c.t.Helper()
	v.invite.Place = m.c.place(m.org, chainOf(m.org, v.invite.Person, envelope.ParseRoles(v.invite.Roles)...))
	v.invite.Author = m.author()
	v.new.InviteText = string(written(m, v.invite))
	return m.put(m.c.Invite, "POST", v.new)
}

func (m *member) invites(roles ...ward.Role) invited {
	m.c.t.Helper()
	v := m.invitation(roles...)
	if err := m.sends(&v); err != nil {
		m.c.t.Fatal(err)
	}
	return v
}

func (m *member) signIn() error {
	m.c.t.Helper()
	ceremony := must[ward.Ceremony](m.c.t)(m.public(m.c.SignInOptions, "/api/sign-in/options", struct{}{}))
	answer, err := m.public(m.c.SignIn, "/api/sign-in", ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)})
	if err == nil {
		m.session = answer.(ward.Session)
	}
	return err
}

func (m *member) me() (ward.Me, error) {
	answer, err := m.do(m.c.GetMe, "GET", "/api/me", nil)
	me, _ := answer.(ward.Me)
	return me, err
}

// actions are those of the organisation's record, in order; the record must be whole.
func (c *clinic) actions(org ward.OrgID) []string {
	c.t.Helper()
	var actions []string
	state, err := ledger.Check(c.t.Context(), c.DB, org, "", nil, c.Identity)
	if err != nil || !state.Whole {
		c.t.Fatalf("the record is not whole: %v %v", state.Problems, err)
	}
	err = c.DB.View(c.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		page, err := c.Ledger.List(ctx, tx, org, ledger.Query{})
		for _, e := range page.Events {
			actions = append(actions, e.Action)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return actions
}

// about asks an About function as the member.
func (m *member) about(about func(context.Context, *store.Tx, ward.Caller, *http.Request) (policy.Resource, error), body any, values ...string) (policy.Resource, error) {
	answer, err := m.do(func(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
		return about(ctx, tx, who, r)
	}, "POST", "/api/about", body, values...)
	resource, _ := answer.(policy.Resource)
	return resource, err
}

// count reads one number.
func (c *clinic) count(into *int64, query string, args ...any) {
	c.t.Helper()
	err := c.DB.View(c.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, query, args...).Scan(into)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) cardOf(m *member) (card Card, err error) {
	err = c.DB.View(c.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		card, err = c.CardOf(ctx, tx, m.org, m.person)
		return err
	})
	return card, err
}
