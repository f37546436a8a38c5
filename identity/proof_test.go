package identity

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		"no key":                         func(h, _ map[string]any) { delete(h, "jwk") },
		"the method in small letters":    func(_, c map[string]any) { c["htm"] = "get" },
		"a slash more":                   func(_, c map[string]any) { c["htu"] = origin + "/api/me/" },
		"a query":                        func(_, c map[string]any) { c["htu"] = origin + "/api/me?x=1" },
		"a fragment":                     func(_, c map[string]any) { c["htu"] = origin + "/api/me#x" },
		"the host in capitals":           func(_, c map[string]any) { c["htu"] = strings.ToUpper(origin) + "/api/me" },
		"the path percent-encoded":       func(_, c map[string]any) { c["htu"] = origin + "/api/%6de" },
		"an empty token":                 func(_, c map[string]any) { c["ath"] = "" },
		"a nonce with a letter more":     func(_, c map[string]any) { c["nonce"] = c["nonce"].(string) + "A" },
		"an elliptic algorithm":          func(h, _ map[string]any) { h["alg"] = "ES256" },
		"the algorithm in small letters": func(h, _ map[string]any) { h["alg"] = "eddsa" },
		"the type in capitals":           func(h, _ map[string]any) { h["typ"] = "DPOP+JWT" },
		"what must be understood":        func(h, _ map[string]any) { h["crit"] = []string{"exp"} },
		"a private key":                  func(h, _ map[string]any) { h["jwk"].(map[string]any)["d"] = random(32) },
		"an unknown header":              func(h, _ map[string]any) { h["kid"] = "1" },
		"an unknown claim":               func(_, c map[string]any) { c["exp"] = 1 },
		"a claim in another case too":    func(_, c map[string]any) { c["HTM"] = "GET" },
		"an id of 15 bytes":              func(_, c map[string]any) { c["jti"] = random(15) },
		"an id with a line feed":         func(_, c map[string]any) { c["jti"] = c["jti"].(string)[:10] + "\n" + c["jti"].(string)[10:] },
		"an id with a carriage return":   func(_, c map[string]any) { c["jti"] = c["jti"].(string) + "\r" },
		"an id that is padded":           func(_, c map[string]any) { c["jti"] = c["jti"].(string) + "==" },
		"an id that is no base64url":     func(_, c map[string]any) { c["jti"] = "+" + c["jti"].(string)[1:] },
	} {
		t.Run(name, func(t *testing.T) { refused(t, ward.Unauthenticated, m.forged(bend)) })
	}
}

func TestProofIsOneWritingOnly(t *testing.T) {
	c := newClinic(t)
	m := c.founder()
	order, ok := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	if !ok {
		t.Fatal("the order of the curve's group is not a number")
	}
	for name, bend := range map[string]func(proof string) string{
		"a line break in the header": func(s string) string { return s[:20] + "\n" + s[20:] },
		"padding":                    func(s string) string { return s + "==" },
		"a bit that is not used":     func(s string) string { return s[:len(s)-1] + string(s[len(s)-1]+1) },
		"a claim twice": func(s string) string {
			parts := strings.Split(s, ".")
			claims := decoded(t, parts[1])
			signed := parts[0] + "." + ward.B64.EncodeToString([]byte(`{"htm":"GET",`+string(claims[1:])))
			return signed + "." + ward.B64.EncodeToString(ed25519.Sign(m.browser, []byte(signed)))
		},
		"the signature and the group's order": func(s string) string {
			parts := strings.Split(s, ".")
			signature := decoded(t, parts[2])
			scalar := slices.Clone(signature[32:])
			slices.Reverse(scalar)
			more := new(big.Int).Add(new(big.Int).SetBytes(scalar), order).FillBytes(make([]byte, 32))
			slices.Reverse(more)
			return parts[0] + "." + parts[1] + "." + ward.B64.EncodeToString(append(signature[:32:32], more...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := m.request("GET", "/api/me", nil)
			proof := bend(r.Header.Get("DPoP"))
			r.Header["Dpop"] = []string{proof}
			_, err := c.send(r, c.GetMe, false)
			refused(t, ward.Unauthenticated, err)
		})
	}
}

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	b, err := ward.B64.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return b
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
