package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/identity"
	"ward/seal"
)

// earlierNonce is a nonce of this clinic that no longer counts.
func (w *town) earlierNonce() string {
	w.t.Helper()
	config := w.server.identity.Config
	config.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	earlier, err := identity.New(w.t.Context(), config)
	w.must(err)
	return earlier.Nonce()
}

// A token is of use only with a fresh proof, by the key of its session, of exactly this request: also on the event
// stream, on downloads and on uploads.
func TestRequestsWithoutTheirOwnProofAreRefused(t *testing.T) {
	w := newTown(t)
	earlier := w.earlierNonce()
	const invalid, nonce = `DPoP error="invalid_token", algs="EdDSA"`, `DPoP error="use_dpop_nonce", algs="EdDSA"`
	entry := "/api/locks/" + string(w.lock) + "/entries/" + string(w.entry) + "/sealed"
	upload := "/api/locks/" + string(w.lock) + "/uploads/" + ward.NewID[string]()
	mine, theirs := w.hand(w.here['p']), w.hand(w.here['c'])
	for _, c := range []struct {
		name      string
		bend      func(r *http.Request, p seal.Proof)
		challenge string
	}{
		{"no proof", func(*http.Request, seal.Proof) {}, invalid},
		{"no text that is a proof", func(r *http.Request, _ seal.Proof) { r.Header.Set("DPoP", "a.b.c") }, invalid},
		{"two proofs", func(r *http.Request, p seal.Proof) {
			mine.sign(r, p, mine.key)
			mine.sign(r, mine.proof(r.Method, r.URL.Path), mine.key)
		}, invalid},
		{"another method", func(r *http.Request, p seal.Proof) { p.Method = "PATCH"; mine.sign(r, p, mine.key) }, invalid},
		{"another path", func(r *http.Request, p seal.Proof) { p.URL = w.origin + "/api/clinic"; mine.sign(r, p, mine.key) }, invalid},
		{"a longer path", func(r *http.Request, p seal.Proof) { p.URL += "/"; mine.sign(r, p, mine.key) }, invalid},
		{"another host", func(r *http.Request, p seal.Proof) {
			p.URL = strings.Replace(p.URL, "localhost", "localhost.example", 1)
			mine.sign(r, p, mine.key)
		}, invalid},
		{"another scheme", func(r *http.Request, p seal.Proof) {
			p.URL = strings.Replace(p.URL, "http:", "https:", 1)
			mine.sign(r, p, mine.key)
		}, invalid},
		{"no nonce", func(r *http.Request, p seal.Proof) { p.Nonce = ""; mine.sign(r, p, mine.key) }, nonce},
		{"a nonce of an hour ago", func(r *http.Request, p seal.Proof) { p.Nonce = earlier; mine.sign(r, p, mine.key) }, nonce},
		{"a nonce made up", func(r *http.Request, p seal.Proof) {
			p.Nonce = strings.Repeat("A", len(earlier))
			mine.sign(r, p, mine.key)
		}, nonce},
		{"a stolen token and the thief's key", func(r *http.Request, p seal.Proof) { mine.sign(r, p, theirs.key) }, invalid},
		{"another session's token", func(r *http.Request, p seal.Proof) {
			mine.sign(r, p, mine.key)
			r.Header.Set("Authorization", "DPoP "+theirs.token)
		}, invalid},
		{"no ath", func(r *http.Request, p seal.Proof) { p.Token = ""; mine.sign(r, p, mine.key) }, invalid},
		{"another token's ath", func(r *http.Request, p seal.Proof) { p.Token = theirs.token; mine.sign(r, p, mine.key) }, invalid},
		{"a bearer token", func(r *http.Request, p seal.Proof) {
			mine.sign(r, p, mine.key)
			r.Header.Set("Authorization", "Bearer "+mine.token)
		}, invalid},
		{"no token", func(r *http.Request, p seal.Proof) {
			mine.sign(r, p, mine.key)
			r.Header.Del("Authorization")
		}, invalid},
		{"an unknown token", func(r *http.Request, p seal.Proof) {
			p.Token = strings.Repeat("A", 43)
			mine.sign(r, p, mine.key)
			r.Header.Set("Authorization", "DPoP "+p.Token)
		}, invalid},
	} {
		for _, route := range []string{"GET /api/locks", "GET /api/events", "GET " + entry, "PUT " + upload + "/1", "PUT /api/keyring"} {
			method, path, _ := strings.Cut(route, " ")
			r := w.bare(method, path)
			r.Header.Set("Authorization", "DPoP "+mine.token)
			c.bend(r, mine.proof(method, path))
			answer := w.answer(r)
			w.turnedAway(c.name+" at "+route, answer, c.challenge)
			if by := answer.Header().Get("Ward-Policies"); by != "" {
				t.Errorf("%s at %s: it came as far as %s", c.name, route, by)
			}
		}
	}
}

// bare is a request that nobody has signed.
func (w *town) bare(method, path string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader("{}")).WithContext(w.t.Context())
	r.RemoteAddr = "127.0.0.1:1"
	return r
}

// stranger is a request of someone who is not signed in, with a proof by a key of their own.
func (w *town) stranger(method, path string, body []byte) *http.Request {
	w.t.Helper()
	r := w.bare(method, path)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	text, err := seal.NewProof(method, w.origin+r.URL.EscapedPath(), w.server.identity.Nonce(), "", time.Now()).Sign(seal.NewSigningKey())
	w.must(err)
	r.Header.Set("DPoP", text)
	return r
}

// turnedAway checks that an answer tells only that the request's proof is not one.
func (w *town) turnedAway(name string, answer *httptest.ResponseRecorder, challenge string) {
	w.t.Helper()
	p := w.problemOf(answer)
	if answer.Code != http.StatusUnauthorized || p.Error.Kind != ward.Unauthenticated || p.Error.Hint == "" {
		w.t.Errorf("%s: %d %+v; want unauthenticated and a hint", name, answer.Code, p.Error)
	}
	if got := answer.Header().Get("WWW-Authenticate"); got != challenge {
		w.t.Errorf("%s: challenged with %s, want %s", name, got, challenge)
	}
	if got := answer.Header().Get("DPoP-Nonce"); got == "" {
		w.t.Errorf("%s: no nonce to try again with", name)
	}
}

func TestProofIsGoodOnceOnEveryKindOfRoute(t *testing.T) {
	w := newTown(t)
	close(w.server.stopping) // so that the event stream ends at once
	patient := w.hand(w.here['p'])
	entry := "/api/locks/" + string(w.lock) + "/entries/" + string(w.entry) + "/sealed"
	upload := "/api/locks/" + string(w.lock) + "/uploads/" + ward.NewID[string]()
	for _, route := range []string{"GET /api/locks", "GET /api/events", "GET " + entry, "PUT " + upload + "/1", "POST /api/passkeys/options"} {
		method, path, _ := strings.Cut(route, " ")
		r := patient.request(method, path, []byte("{}"))
		again := w.bare(method, path)
		again.Header = r.Header.Clone()
		if answer := w.answer(r); answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", route, answer.Code, answer.Body)
		}
		w.turnedAway(route+" again", w.answer(again), `DPoP error="invalid_token", algs="EdDSA"`)
	}
	// Nor does the proof of a request that was refused, or that asked for what is not there, become good again.
	for _, path := range []string{"/api/record", "/api/locks/" + ward.NewID[string]()} {
		r := patient.request("GET", path, nil)
		again := r.Clone(t.Context())
		w.problemOf(w.answer(r))
		w.turnedAway(path+" again", w.answer(again), `DPoP error="invalid_token", algs="EdDSA"`)
	}
}

// A proof's own time is by the clock of a phone, which may be days off: the nonce dates it (RFC 9449, section 4.3).
func TestProofIsDatedByItsNonce(t *testing.T) {
	w := newTown(t)
	patient, earlier := w.hand(w.here['p']), w.earlierNonce()
	for name, off := range map[string]time.Duration{"a clock that is days late": -72 * time.Hour, "a clock that is days early": 72 * time.Hour} {
		p := patient.proof("GET", "/api/locks")
		p.Time = time.Now().Add(off)
		if answer := w.answer(patient.sign(w.bare("GET", "/api/locks"), p, patient.key)); answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
		p = patient.proof("GET", "/api/locks")
		p.Time, p.Nonce = time.Now().Add(off), earlier
		w.turnedAway(name+", and an old nonce", w.answer(patient.sign(w.bare("GET", "/api/locks"), p, patient.key)), `DPoP error="use_dpop_nonce", algs="EdDSA"`)
	}
}

// Beginning a session wants a proof too: its key becomes the session's.
func TestSessionsBeginWithAProof(t *testing.T) {
	w := newTown(t)
	for _, route := range []string{"POST /api/sign-in", "POST /api/recovery/finish", "POST /api/invitations/{invitation}/accept"} {
		method, path := w.request(route)
		w.turnedAway(route+" without a proof", w.answer(w.bare(method, path)), `DPoP error="invalid_token", algs="EdDSA"`)
		patient := w.hand(w.here['p'])
		w.turnedAway(route+" with a session's proof", w.answer(patient.sign(w.bare(method, path), patient.proof(method, path), patient.key)), `DPoP error="invalid_token", algs="EdDSA"`)
	}
}

// What a thief tried is on record, for the person and the clinic to see; that a nonce grew old is not.
func TestStolenTokenIsOnRecord(t *testing.T) {
	w := newTown(t)
	patient, thief := w.hand(w.here['p']), w.hand(w.there['p'])
	r := w.bare("GET", "/api/locks")
	w.answer(patient.sign(r, patient.proof("GET", "/api/locks"), thief.key))
	if e := w.lastEvents(w.here['p'], 1)[0]; e.Action != "refused-proof" || e.Person != w.person || e.Decision != "deny" {
		t.Errorf("the record ends with %+v", e)
	}
	p := patient.proof("GET", "/api/locks")
	p.Nonce = w.earlierNonce()
	last := w.lastEvents(w.here['p'], 1)[0].Seq
	w.answer(patient.sign(w.bare("GET", "/api/locks"), p, patient.key))
	if e := w.lastEvents(w.here['p'], 1)[0]; e.Seq != last {
		t.Errorf("an old nonce is on record: %+v", e)
	}
}
