package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/client"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
)

// touches are the routes that want a fresh touch of the passkey, each with someone who may use it and what it is asked
// with; a route that is missing here must want none.
func (w *town) touches() map[string]struct {
	who  byte
	body []byte
} {
	type asked = struct {
		who  byte
		body []byte
	}
	hash := envelope.Hash(nil)
	code := w.json(ward.KeyringPut{Version: 2, Recovery: &ward.RecoveryKey{Lookup: hash[:22], TokenHash: hash}})
	return map[string]asked{
		"DELETE /api/me":                       {'p', nil},
		"PUT /api/keyring":                     {'p', code},
		"POST /api/passkeys/options":           {'c', []byte("{}")},
		"POST /api/passkeys":                   {'p', []byte("{}")},
		"DELETE /api/passkeys/{passkey}":       {'p', []byte("{}")},
		"POST /api/people/{person}/membership": {'s', w.body("POST /api/people/{person}/membership", w.here['s'])},
		"POST /api/keys":                       {'p', []byte("{}")},
		"POST /api/locks/{lock}/grants":        {'p', w.body("POST /api/locks/{lock}/grants", w.here['p'])},
		"DELETE /api/charts/{chart}":           {'p', nil},
		"POST /api/ledger/votes":               {'s', []byte("{}")},
	}
}

// untouched makes the last touch of someone's sessions as old as it may be, and a little more.
func (w *town) untouched(person *client.Client, age time.Duration) {
	w.t.Helper()
	w.must(w.server.db.Do(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE sessions SET touched = $1 WHERE org = $2 AND person = $3`, time.Now().Add(-age).UnixMilli(), string(person.Org()), string(person.Person()))
		return err
	}))
}

// What is hard to undo, or gives others access, is done by who touched a passkey lately. Who may not do it at all hears that.
func TestWhatWantsATouchIsRefusedWithoutOne(t *testing.T) {
	w := newTown(t)
	touches := w.touches()
	for _, route := range w.server.routes() {
		asked, wants := touches[route.Pattern]
		if wants != (route.Touch != nil) {
			t.Errorf("%s: it wants a touch: %v", route.Pattern, !wants)
		}
		if !wants {
			continue
		}
		delete(touches, route.Pattern)
		person := w.here[asked.who]
		w.untouched(person, touchAge+time.Minute)
		h := w.hand(person)
		method, path := w.request(route.Pattern)
		request := h.request(method, path, asked.body)
		again := request.Clone(t.Context())
		before := w.rows()
		w.turnedAway(route.Pattern, w.answer(request), `DPoP error="insufficient_user_authentication", max_age=300`)
		if after := w.rows(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: it was done: %v, and then %v", route.Pattern, before, after)
		}
		w.turnedAway(route.Pattern+" again", w.answer(again), `DPoP error="invalid_token", algs="EdDSA"`)
		if allowed := walk[route.Pattern]; !strings.ContainsRune(allowed, 'f') {
			w.untouched(w.here['f'], time.Hour)
			if answer := w.hand(w.here['f']).send(method, path, asked.body); answer.Code != http.StatusForbidden {
				t.Errorf("%s by who may not: %d %s", route.Pattern, answer.Code, answer.Body)
			}
		}
	}
	for pattern := range touches {
		t.Errorf("%s is no route", pattern)
	}
}

// A touch lasts for a while, of the session that it was given to, and is given once.
func TestATouchLasts(t *testing.T) {
	w := newTown(t)
	patient, ctx := w.here['p'], t.Context()
	ask := func() int { return w.hand(patient).send("POST", "/api/passkeys/options", []byte("{}")).Code }
	w.untouched(patient, touchAge-time.Minute)
	if status := ask(); status != http.StatusOK {
		t.Errorf("with a touch of four minutes ago: %d", status)
	}
	w.untouched(patient, touchAge+time.Minute)
	other := w.hand(patient) // another session of the same person
	if _, err := patient.NewCode(ctx); err != nil {
		t.Errorf("the client does not touch by itself: %v", err)
	}
	if answer := other.send("POST", "/api/passkeys/options", []byte("{}")); answer.Code != http.StatusUnauthorized {
		t.Errorf("a touch in another session counts: %d", answer.Code)
	}
	// Another's passkey, and an answer of before, are none.
	w.untouched(patient, touchAge+time.Minute)
	if answer := other.send("POST", "/api/touch", w.json(ward.SignIn{Ceremony: ward.NewID[string](), Credential: []byte("{}")})); answer.Code != http.StatusGone {
		t.Errorf("an answer to nothing: %d %s", answer.Code, answer.Body)
	}
	options := other.send("POST", "/api/touch/options", []byte("{}"))
	ceremony, err := ward.Decode[ward.Ceremony](options.Body)
	w.must(err)
	if allowed := string(ceremony.PublicKey); !strings.Contains(allowed, `"userVerification":"required"`) || !strings.Contains(allowed, "allowCredentials") {
		t.Errorf("it is asked for %s", allowed)
	}
	if _, _, err := w.here['c'].Authenticator().Get(ceremony.PublicKey, w.origin); err == nil {
		t.Error("another's authenticator answers")
	}
	credential, _, err := patient.Authenticator().Get(ceremony.PublicKey, w.origin)
	w.must(err)
	body := w.json(ward.SignIn{Ceremony: ceremony.Ceremony, Credential: credential})
	if answer := w.hand(w.here['c']).send("POST", "/api/touch", body); answer.Code != http.StatusBadRequest {
		t.Errorf("by somebody else: %d %s", answer.Code, answer.Body)
	}
	if status := other.send("POST", "/api/passkeys/options", []byte("{}")).Code; status != http.StatusUnauthorized {
		t.Errorf("and it counts: %d", status)
	}
	for n, want := range []int{http.StatusNoContent, http.StatusGone} {
		if answer := other.send("POST", "/api/touch", body); answer.Code != want {
			t.Errorf("by oneself, time %d: %d %s", n+1, answer.Code, answer.Body)
		}
	}
	if status := other.send("POST", "/api/passkeys/options", []byte("{}")).Code; status != http.StatusOK {
		t.Errorf("after it: %d", status)
	}
}

// A keyring that changes its names needs no touch, and neither does what devices do by themselves.
func TestWhatDevicesDoByThemselvesWantsNoTouch(t *testing.T) {
	w := newTown(t)
	for _, person := range w.here {
		w.untouched(person, time.Hour)
	}
	h := w.hand(w.here['p'])
	if answer := h.send("PUT", "/api/keyring", []byte("{}")); answer.Code == http.StatusUnauthorized {
		t.Errorf("a keyring with the same code: %d %s", answer.Code, answer.Body)
	}
	w.must(w.here['c'].Housekeep(t.Context()))
	w.must(w.here['f'].Housekeep(t.Context()))
	for _, c := range []struct {
		name   string
		person ward.PersonID
		touch  bool
	}{{"to oneself", w.here['p'].Person(), false}, {"to a doctor", w.here['c'].Person(), true}} {
		s, err := envelope.Write(envelope.Grant{
			Org: w.here['p'].Org(), Lock: w.lock, Epoch: 1, Grant: ward.NewID[ward.GrantID](), Person: c.person, Card: seal.Hash(nil), Purpose: envelope.ForEmergency,
			Granter: w.here['p'].Person(), Time: ward.FormatTime(time.Now()), SHA256: seal.Hash(nil),
		}, func([]byte) ([]byte, error) { return make([]byte, 64), nil }, func([]byte) ([]byte, error) { return make([]byte, 64), nil })
		w.must(err)
		answer := h.send("POST", "/api/locks/"+string(w.lock)+"/grants", w.json(map[string]any{"grants": []ward.NewGrant{{Text: string(s.Text)}}}))
		if (answer.Code == http.StatusUnauthorized) != c.touch {
			t.Errorf("a grant %s: %d %s", c.name, answer.Code, answer.Body)
		}
	}
}
