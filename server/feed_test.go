package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestACalendarIsForWhoeverHasItsAddressUntilItEnds(t *testing.T) {
	w := newTown(t)
	answer, err := w.here['p'].Send(t.Context(), http.MethodPost, "/api/calendar-feed", []byte(`{"language":"en"}`))
	w.must(err)
	var feed struct{ Path string }
	w.must(json.NewDecoder(answer.Body).Decode(&feed))
	answer.Body.Close()
	get := func(path string) *httptest.ResponseRecorder {
		got := httptest.NewRecorder()
		w.server.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
		return got
	}
	got := get(feed.Path)
	if text := got.Body.String(); got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/calendar") || !strings.Contains(text, "SUMMARY:Appointment") {
		t.Fatalf("%s: %d %s", feed.Path, got.Code, text)
	}
	for _, path := range []string{strings.TrimSuffix(feed.Path, ".ics"), strings.ToLower(feed.Path), "/api/calendar-feed/.ics", "/api/calendar-feed/%00.ics"} {
		if got := get(path); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if status := w.status(w.here['p'], http.MethodDelete, "/api/calendar-feed"); status >= 300 {
		t.Fatalf("ending it: %d", status)
	}
	if got := get(feed.Path); got.Code != http.StatusNotFound {
		t.Errorf("after its end: %d", got.Code)
	}
}
