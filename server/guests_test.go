package server

import (
	"bufio"
	"context"
	"net/http"
	"testing"

	"ward"
	"ward/client"
	"ward/seal"
	"ward/store"
)

// letGuestIn lets a guest into the town's visit, which its clinician has opened.
func (w *town) letGuestIn(name string) (guest *client.Client, link string) {
	w.t.Helper()
	ctx := w.t.Context()
	answer, err := w.here['c'].Send(ctx, http.MethodPost, "/api/visits/"+string(w.visit)+"/arrive", []byte("{}"))
	w.must(err)
	answer.Body.Close()
	link, id, err := w.here['p'].InviteGuest(ctx, w.visit, "Dr Okafor", "interpreter")
	w.must(err)
	guest, err = client.ArriveAsGuest(ctx, client.Config{Origin: w.origin}, link, name)
	w.must(err)
	called, err := w.here['c'].AdmitGuest(ctx, w.visit, id)
	w.must(err)
	if called != name {
		w.t.Errorf("the host reads the name %q", called)
	}
	return guest, link
}

func (w *town) status(who *client.Client, method, path string) int {
	w.t.Helper()
	answer, err := who.Send(w.t.Context(), method, path, []byte("{}"))
	w.must(err)
	answer.Body.Close()
	return answer.StatusCode
}

func TestAGuestAttendsOneVisitUntilTakenOut(t *testing.T) {
	w := newTown(t)
	guest, link := w.letGuestIn("Ines")
	visit := "/api/visits/" + string(w.visit)
	if got := w.status(guest, "POST", visit+"/room"); got != http.StatusOK {
		t.Errorf("the guest's way into the room: %d", got)
	}
	if _, err := client.ArriveAsGuest(t.Context(), client.Config{Origin: w.origin}, link, "Mallory"); ward.KindOf(err) != ward.Gone {
		t.Errorf("somebody else with the same link: %v", err)
	}
	answer, err := guest.Send(t.Context(), http.MethodGet, "/api/events", nil)
	w.must(err)
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	if got := w.status(w.here['c'], "DELETE", visit+"/members/"+string(guest.Person())); got != http.StatusNoContent {
		t.Fatalf("taking the guest out: %d", got)
	}
	for heard := 0; ; heard++ { // what was told before, and then the end
		n, err := notice(lines)
		if err != nil {
			break
		}
		if n.Visit != w.visit && n.Kind != "session" || heard > 20 {
			t.Errorf("the guest hears %+v", n)
		}
	}
	for _, path := range []string{visit + "/room", visit + "/arrive", visit + "/leave"} {
		if got := w.status(guest, "POST", path); got != http.StatusUnauthorized {
			t.Errorf("once taken out, POST %s: %d", path, got)
		}
	}
	if _, err := client.ArriveAsGuest(t.Context(), client.Config{Origin: w.origin}, link, "Ines"); ward.KindOf(err) != ward.Gone {
		t.Errorf("once taken out, the link: %v", err)
	}
	if got := w.status(w.here['c'], "POST", visit+"/end"); got != http.StatusNoContent {
		t.Fatalf("ending the visit: %d", got)
	}
	if _, err := client.ArriveAsGuest(t.Context(), client.Config{Origin: w.origin}, link, "Ines"); ward.KindOf(err) != ward.Missing {
		t.Errorf("once the visit has ended, the link: %v", err)
	}
}

// A guest's token is of use in their own browser alone, as everyone's.
func TestAGuestsTokenIsBoundToTheirBrowser(t *testing.T) {
	w := newTown(t)
	guest, _ := w.letGuestIn("Ines")
	mine, thief := &hand{w, seal.NewSigningKey(), ward.B64.EncodeToString(make([]byte, 32))}, w.hand(w.there['p'])
	w.must(w.server.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE guest_sessions SET token = $1, browser = $2 WHERE guest = $3`, seal.Hash([]byte(mine.token)), mine.key.Public(), string(guest.Person()))
		return err
	}))
	path := "/api/visits/" + string(w.visit)
	r := w.bare("GET", path)
	if got := w.answer(mine.sign(r, mine.proof("GET", path), thief.key)); got.Code != http.StatusUnauthorized {
		t.Errorf("with another's proof: %d", got.Code)
	}
	if got := w.answer(mine.sign(w.bare("GET", path), mine.proof("GET", path), mine.key)); got.Code != http.StatusOK {
		t.Errorf("with their own: %d", got.Code)
	}
}
