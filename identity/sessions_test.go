package identity

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/store"
)

func (m *member) sessions() []ward.SessionInfo {
	m.c.t.Helper()
	return must[struct {
		Sessions []ward.SessionInfo `json:"sessions"`
	}](m.c.t)(m.do(m.c.GetSessions, "GET", "/api/sessions", nil)).Sessions
}

func TestSessionEndsByIdlenessAndAge(t *testing.T) {
	for _, test := range []struct {
		roles          []ward.Role
		idle, absolute time.Duration
	}{
		{[]ward.Role{ward.Patient}, 24 * time.Hour, 30 * 24 * time.Hour},
		{[]ward.Role{ward.Proxy}, 24 * time.Hour, 30 * 24 * time.Hour},
		{[]ward.Role{ward.Clinician}, 30 * time.Minute, 12 * time.Hour},
		{[]ward.Role{ward.FrontDesk}, 30 * time.Minute, 12 * time.Hour},
		{[]ward.Role{ward.Privacy}, 15 * time.Minute, 8 * time.Hour},
		{[]ward.Role{ward.Clinician, ward.Security}, 15 * time.Minute, 8 * time.Hour},
	} {
		t.Run(formatRoles(test.roles), func(t *testing.T) {
			c := newClinic(t)
			m := newMember(c).join(c.founder().invites(test.roles...))
			if m.session.Idle != int64(test.idle.Seconds()) || m.session.Until != ward.FormatTime(c.clock().Add(test.absolute)) {
				t.Errorf("idle %d, until %s", m.session.Idle, m.session.Until)
			}
			c.wait(test.idle + time.Second)
			_, err := m.me()
			refused(t, ward.Unauthenticated, err)

			if err := m.signIn(); err != nil {
				t.Fatal(err)
			}
			step := test.idle - time.Minute
			for used := step; used < test.absolute; used += step {
				c.wait(step)
				if _, err := m.me(); err != nil {
					t.Fatalf("in use, after %s: %v", used, err)
				}
			}
			c.wait(step)
			_, err = m.me()
			refused(t, ward.Unauthenticated, err)
		})
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	first := m.session
	if err := m.signIn(); err != nil {
		t.Fatal(err)
	}
	if len(m.sessions()) != 2 {
		t.Fatalf("%d sessions", len(m.sessions()))
	}
	for _, s := range m.sessions() {
		if s.Current != (s.Session == m.session.Session) {
			t.Errorf("%+v", s)
		}
	}
	if _, err := m.do(c.EndSession, "DELETE", "/api/sessions/x", nil, "session", string(first.Session)); err != nil {
		t.Fatal(err)
	}
	second := m.session
	m.session = first
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
	m.session = second
	if _, err := m.do(c.EndSessions, "DELETE", "/api/sessions", nil); err != nil {
		t.Fatal(err)
	}
	_, err = m.me()
	refused(t, ward.Unauthenticated, err)
	if !slices.Contains(c.notices.told, ward.Notice{Kind: "session", Person: m.person}) {
		t.Error("the person's other windows are not told")
	}
}

func TestSessionOfAnotherIsMissing(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	colleague := newMember(c).join(m.invites(ward.Clinician))
	for _, theirs := range []*member{other, colleague} {
		_, err := m.do(c.EndSession, "DELETE", "/api/sessions/x", nil, "session", string(theirs.session.Session))
		refused(t, ward.Missing, err)
		if _, err := theirs.me(); err != nil {
			t.Error(err)
		}
	}
}

func TestEmptySessionIDEndsNothing(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	_, err := m.do(c.EndSession, "DELETE", "/api/sessions/x", nil, "session", "")
	refused(t, ward.Missing, err)
	if _, err := m.me(); err != nil {
		t.Error(err)
	}
}

func TestDatabaseHoldsNeitherTokenNorShare(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	share, _ := ward.B64.DecodeString(m.session.Share)
	err := c.DB.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		var token string
		var sealed []byte
		if err := tx.Row(ctx, `SELECT token, share FROM sessions`).Scan(&token, &sealed); err != nil {
			return err
		}
		if token == m.session.Token || strings.Contains(string(sealed), string(share)) {
			t.Error("the database alone takes up a session")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSweepRemovesOnlyWhatHasEnded(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	patient := newMember(c).join(founder.invites(ward.Patient))
	if err := founder.signIn(); err != nil {
		t.Fatal(err)
	}
	c.wait(time.Hour) // past a founder's idleness, not a patient's
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int64{
		`SELECT count(*) FROM sessions`:   1,
		`SELECT count(*) FROM proofs`:     0,
		`SELECT count(*) FROM ceremonies`: 0,
	} {
		var n int64
		c.count(&n, query)
		if n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if _, err := patient.me(); err != nil {
		t.Error(err)
	}
}

func TestAgentIsCoarse(t *testing.T) {
	for header, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36":                                   "Chrome, Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0":           "Edge, Windows",
		"<script>canary</script>": "",
	} {
		if got := agentOf(header); got != want {
			t.Errorf("agentOf(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestSignIn(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	m.session = ward.Session{}
	if err := m.signIn(); err != nil {
		t.Fatal(err)
	}
	if m.session.Person != m.person || string(m.session.Keyring) != string(sealedKeyring) || m.session.CardText != string(m.card.Text) {
		t.Errorf("%+v", m.session)
	}
	if !slices.Contains(c.actions(m.org), "signed-in") {
		t.Error("the record does not say so")
	}
}

func TestSignInIsRefused(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	options := func() ward.Ceremony {
		return must[ward.Ceremony](t)(m.public(c.SignInOptions, "/api/sign-in/options", struct{}{}))
	}
	send := func(s ward.SignIn) error {
		_, err := m.public(c.SignIn, "/api/sign-in", s)
		return err
	}
	t.Run("a second time with the same answer", func(t *testing.T) {
		ceremony := options()
		body := ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)}
		if err := send(body); err != nil {
			t.Fatal(err)
		}
		refused(t, ward.Gone, send(body))
	})
	t.Run("late", func(t *testing.T) {
		ceremony := options()
		c.wait(ceremonyTime + time.Second)
		refused(t, ward.Gone, send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)}))
	})
	t.Run("with the answer to another challenge", func(t *testing.T) {
		mine, another := options(), options()
		refused(t, ward.Unauthenticated, send(ward.SignIn{Ceremony: mine.Ceremony, Credential: m.assert(another.PublicKey)}))
	})
	t.Run("with PRF results", func(t *testing.T) {
		ceremony := options()
		refused(t, ward.Invalid, send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: withPRF(m.assert(ceremony.PublicKey), `{"results":{"first":"c2VjcmV0"}}`)}))
	})
	t.Run("with another's handle", func(t *testing.T) {
		ceremony := options()
		own := m.auth.Options.UserHandle
		m.auth.Options.UserHandle = other.auth.Options.UserHandle
		defer func() { m.auth.Options.UserHandle = own }()
		refused(t, ward.Unauthenticated, send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)}))
	})
	t.Run("with an unknown passkey as with an unknown person", func(t *testing.T) {
		stranger := newMember(c)
		made := must[ward.Ceremony](t)(m.do(c.PasskeyOptions, "POST", "/api/passkeys/options", struct{}{}))
		stranger.touch(made.PublicKey) // never registered; the handle is m's
		ceremony := options()
		known := send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: stranger.assert(ceremony.PublicKey)})
		refused(t, ward.Unauthenticated, known)
		stranger.auth.Options.UserHandle = []byte(string(ward.NewID[ward.OrgID]()) + string(ward.NewID[ward.PersonID]()))
		ceremony = options()
		unknown := send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: stranger.assert(ceremony.PublicKey)})
		refused(t, ward.Unauthenticated, unknown)
		if shown(known) != shown(unknown) {
			t.Errorf("told %q and %q", shown(known), shown(unknown))
		}
	})
	t.Run("from another origin", func(t *testing.T) {
		own := party.Origin
		party.Origin = "https://clinic.example.evil"
		defer func() { party.Origin = own }()
		ceremony := options()
		refused(t, ward.Unauthenticated, send(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)}))
	})
}

func FuzzCredential(f *testing.F) {
	f.Add([]byte(`{}`), true)
	f.Add([]byte(`null`), true)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}`), true)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`), false)
	f.Fuzz(func(t *testing.T, credential []byte, used bool) {
		var err error
		if used {
			_, err = parseUsed(credential)
		} else {
			_, err = parseMade(credential)
		}
		if err != nil && ward.KindOf(err) != ward.Invalid {
			t.Errorf("a bad credential is %s", ward.KindOf(err))
		}
	})
}
