package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"ward"
	"ward/client"
	"ward/seal/envelope"
	"ward/store"
)

// What a server tells its operator holds nobody's id, token or words: after a run with real ones, neither the metrics
// nor the log have any. Only the id of each request is there, by which a person may name one.
func TestMetricsAndLogNameNobody(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log, Route{
		Pattern: "POST /api/test/{person}", Action: "writeSelf", About: w.server.identity.AboutSelf,
		Do: func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) {
			return nil, errors.New("the disk is full")
		},
	})
	patient, clinician := w.here['p'], w.here['c']
	ctx := t.Context()
	const words = "quietwords"
	_, err := patient.Write(ctx, w.chart, envelope.General, patient.Message(w.chart, words, ""))
	w.must(err)
	_, err = clinician.Read(ctx, w.lock)
	w.must(err)
	invited, err := w.here['f'].Invite(ctx, client.About{Given: words, Family: words}, false, ward.Patient)
	w.must(err)
	w.must(patient.SignOut(ctx, false))
	w.must(patient.SignIn(ctx))
	mine := w.hand(patient)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/locks/" + string(w.lock) + "/entries?after=0&" + words + "=1", http.StatusOK},
		{"GET", "/api/charts/" + string(w.chart), http.StatusOK},
		{"GET", "/api/locks/" + words, http.StatusNotFound},
		{"GET", "/api/people/" + ward.NewID[string]() + "/cards", http.StatusNotFound},
		{"GET", "/api/" + words + "/" + string(w.person), http.StatusNotFound},
		{"GET", "/" + words + ".html", http.StatusNotFound},
		{"GET", "/" + words, http.StatusOK},
		{strings.ToUpper(words), "/api/locks", http.StatusNotFound},
		{"POST", "/api/test/" + string(w.person), http.StatusInternalServerError},
		{"POST", "/api/passkeys", http.StatusBadRequest},
		{"GET", "/api/record", http.StatusForbidden},
	} {
		if answer := mine.send(c.method, c.path, []byte(`{"`+words+`":1}`)); answer.Code != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, answer.Code, answer.Body)
		}
	}
	shown := httptest.NewRecorder()
	w.server.Metrics("").ServeHTTP(shown, httptest.NewRequest("GET", "/metrics", nil))
	if shown.Code != http.StatusOK || !strings.Contains(shown.Body.String(), `action="readEntries",decision="allow",outcome="done"`) ||
		!strings.Contains(shown.Body.String(), `route="GET /api/locks/{lock}/entries",status="200"`) {
		t.Fatalf("metrics: %d without what was done: %s", shown.Code, shown.Body)
	}
	logged := log.String()
	if !strings.Contains(logged, `route="GET /api/locks/{lock}/entries" status=200`) || !strings.Contains(logged, "the disk is full") {
		t.Fatalf("the log is without what was done: %s", logged)
	}
	for where, text := range map[string]string{
		"metrics": shown.Body.String(),
		"log":     regexp.MustCompile(`request=[a-z2-7]{26}\b`).ReplaceAllString(logged, ""),
	} {
		for name, secret := range map[string]string{
			"an id":                 `\b[a-z2-7]{26}\b`,
			"a token, key or hash":  `[A-Za-z0-9_-]{43}`,
			"what was sent":         `(?i)` + words,
			"the token of a person": regexp.QuoteMeta(mine.token),
			"an invitation's link":  regexp.QuoteMeta(invited.Link),
			"an address":            `127\.0\.0\.1`,
		} {
			if found := regexp.MustCompile(secret).FindString(text); found != "" {
				t.Errorf("the %s has %s: %s", where, name, found)
			}
		}
	}
}
