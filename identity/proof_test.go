package identity

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
)

// forged is a request whose proof was bent.
func (m *member) forged(bend func(header, claims map[string]any)) error {
	header := map[string]any{"typ": "dpop+jwt", "alg": "EdDSA", "jwk": map[string]any{"kty": "OKP", "crv": "Ed25519", "x": public(m.browser)}}
	claims := m.claims("GET", "/api/me", m.session.Token)
	bend(header, claims)
	r := m.request("GET", "/api/me", nil)
	r.Header.Set("DPoP", prove(m.browser, header, claims))
	_, err := m.c.send(r, m.c.GetMe, false)
	return err
}

func TestProofMustBeForThisRequest(t *testing.T) {
	c := newClinic(t)
	m, other := c.founder(), c.founder()
	if err := m.forged(func(_, _ map[string]any) {}); err != nil {
		t.Fatalf("the unbent proof: %v", err)
	}
	for name, bend := range map[string]func(header, claims map[string]any){
		"another method":       func(_, c map[string]any) { c["htm"] = "POST" },
		"another path":         func(_, c map[string]any) { c["htu"] = origin + "/api/keyring" },
		"another host":         func(_, c map[string]any) { c["htu"] = "https://clinic.example.evil/api/me" },
		"another scheme":       func(_, c map[string]any) { c["htu"] = "http://clinic.example/api/me" },
		"another token":        func(_, c map[string]any) { c["ath"] = envelope.Hash([]byte(other.session.Token)) },
		"no token":             func(_, c map[string]any) { delete(c, "ath") },
		"no nonce":             func(_, c map[string]any) { delete(c, "nonce") },
		"a nonce of one's own": func(_, c map[string]any) { c["nonce"] = random(24) },
		"no id":                func(_, c map[string]any) { delete(c, "jti") },
		"an id of a megabyte":  func(_, c map[string]any) { c["jti"] = random(1 << 20) },
		"another type":         func(h, _ map[string]any) { h["typ"] = "JWT" },
		"no algorithm":         func(h, _ map[string]any) { h["alg"] = "none" },
		"another algorithm":    func(h, _ map[string]any) { h["alg"] = "HS256" },
		"another key's name": func(h, _ map[string]any) {
			h["jwk"] = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": public(other.browser)}
		},
		"a key of another kind": func(h, _ map[string]any) {
			h["jwk"] = map[string]any{"kty": "EC", "crv": "P-256", "x": public(m.browser)}
		},
		"no key": func(h, _ map[string]any) { delete(h, "jwk") },
	} {
		t.Run(name, func(t *testing.T) { refused(t, ward.Unauthenticated, m.forged(bend)) })
	}
}

func TestProofIsGoodOnce(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	r := m.request("GET", "/api/me", nil)
	if _, err := c.send(r, c.GetMe, false); err != nil {
		t.Fatal(err)
	}
	_, err := c.send(r, c.GetMe, false)
	refused(t, ward.Unauthenticated, err)

	// Sweeping forgets a proof only when its nonce no longer counts.
	c.wait((nonceSteps - 1) * nonceStep)
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = c.send(r, c.GetMe, false)
	refused(t, ward.Unauthenticated, err)
}

func TestProofNeedsExactlyOneHeader(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	r := m.request("GET", "/api/me", nil)
	r.Header.Add("DPoP", prove(m.browser, nil, m.claims("GET", "/api/me", m.session.Token)))
	_, err := c.send(r, c.GetMe, false)
	refused(t, ward.Unauthenticated, err)
	r = m.request("GET", "/api/me", nil)
	r.Header.Del("DPoP")
	_, err = c.send(r, c.GetMe, false)
	refused(t, ward.Unauthenticated, err)
}

func TestStolenTokenIsUselessElsewhere(t *testing.T) {
	c := newClinic(t)
	m, thief := c.founder(), newMember(c)
	thief.session = m.session
	_, err := thief.me()
	refused(t, ward.Unauthenticated, err)
	r := m.request("GET", "/api/me", nil)
	r.Header.Set("Authorization", "Bearer "+m.session.Token)
	_, err = c.send(r, c.GetMe, false)
	refused(t, ward.Unauthenticated, err)
	if _, err := m.me(); err != nil {
		t.Errorf("the thief ended the session: %v", err)
	}
	m.nonce = random(24)
	_, err = m.me()
	refused(t, ward.Unauthenticated, err)
	if n := count(c.actions(m.org), "refused-proof"); n != 1 {
		t.Errorf("%d refused proofs on record; the thief's is one, an old nonce is none", n)
	}
}

func TestNonceEnds(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	m.nonce = c.Nonce()
	c.wait((nonceSteps - 1) * nonceStep)
	if _, err := m.me(); err != nil {
		t.Fatalf("a nonce that still counts: %v", err)
	}
	c.wait(nonceStep)
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
	var challenge interface{ UseNonce() bool }
	if !errors.As(err, &challenge) || !challenge.UseNonce() {
		t.Errorf("the answer does not ask for the current nonce: %v", err)
	}
	m.nonce = ""
	if _, err := m.me(); err != nil {
		t.Errorf("with the current nonce: %v", err)
	}
}

func TestNonceIsTheServersOwn(t *testing.T) {
	c, elsewhere := newClinic(t), newClinic(t)
	m := c.founder()
	m.nonce = elsewhere.Nonce() // same time, another server's key
	_, err := m.me()
	refused(t, ward.Unauthenticated, err)
}

func TestReplicaTakesTheNonceOfAnother(t *testing.T) {
	c := newClinic(t)
	replica, err := New(t.Context(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	m := c.founder()
	m.nonce = replica.Nonce()
	if _, err := m.me(); err != nil {
		t.Error(err)
	}
}

func TestPublicRequestsNeedAProofWithoutAToken(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	ceremony := must[ward.Ceremony](t)(m.public(c.SignInOptions, "/api/sign-in/options", struct{}{}))
	body := ward.SignIn{Ceremony: ceremony.Ceremony, Credential: m.assert(ceremony.PublicKey)}
	r := m.request("POST", "/api/sign-in", body) // its proof names a token
	_, err := c.send(r, c.SignIn, true)
	refused(t, ward.Unauthenticated, err)
	r = m.request("POST", "/api/sign-in", body)
	r.Header.Del("DPoP")
	_, err = c.send(r, c.SignIn, true)
	refused(t, ward.Unauthenticated, err)
}

func TestVectorsOfProofs(t *testing.T) {
	files, err := filepath.Glob("../testdata/vectors/dpop-*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d vectors, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vector struct {
			Name, Wrong string
			Good        bool
			Input       struct{ Proof, Method, URL, Nonce, Token string }
			Output      struct{ Key string }
		}
		if err := json.Unmarshal(text, &vector); err != nil {
			t.Fatal(err)
		}
		t.Run(vector.Name, func(t *testing.T) {
			in := vector.Input
			p, err := parseProof(in.Proof)
			if err == nil {
				err = p.isFor(in.Method, in.URL, in.Token)
			}
			good := err == nil && p.claims.Nonce == in.Nonce
			if good != vector.Good || good && p.key != vector.Output.Key {
				t.Errorf("good: %v, by %s (%v); the vector says %v, by %s %s", good, p.key, err, vector.Good, vector.Output.Key, vector.Wrong)
			}
		})
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func FuzzProof(f *testing.F) {
	c := &clinic{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c.Identity = &Identity{Config: Config{Origin: origin, Now: c.clock}, nonceKey: make([]byte, 32)}
	m := newMember(c)
	f.Add(prove(m.browser, nil, m.claims("GET", "/api/me", "")))
	f.Add("..")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseProof(text)
		if err != nil {
			if ward.KindOf(err) != ward.Unauthenticated {
				t.Errorf("a bad proof is %s", ward.KindOf(err))
			}
			return
		}
		if key, err := ward.B64.DecodeString(p.key); err != nil || len(key) != 32 {
			t.Errorf("accepted the key %q", p.key)
		}
		if id, err := ward.B64.DecodeString(p.claims.ID); err != nil || len(id) != 16 {
			t.Errorf("accepted the id %q", p.claims.ID)
		}
	})
}
