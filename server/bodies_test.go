package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ward"
	"ward/store"
)

// takesNothing are the routes that do not look at their body: the path says all.
var takesNothing = map[string]bool{
	"POST /api/sign-in/options":                   true,
	"POST /api/passkeys/options":                  true,
	"POST /api/touch/options":                     true,
	"DELETE /api/me":                              true,
	"DELETE /api/sessions":                        true,
	"DELETE /api/sessions/{session}":              true,
	"DELETE /api/charts/{chart}":                  true,
	"DELETE /api/charts/{chart}/break-glass":      true,
	"DELETE /api/locks/{lock}/grants/{grant}":     true,
	"POST /api/visits/{visit}/arrive":             true,
	"DELETE /api/calendar-feed":                   true,
	"DELETE /api/reminders":                       true,
	"DELETE /api/reminders/push":                  true,
	"POST /api/visits/{visit}/leave":              true,
	"POST /api/visits/{visit}/end":                true,
	"POST /api/visits/{visit}/enter":              true,
	"POST /api/visits/{visit}/room":               true,
	"DELETE /api/visits/{visit}/members/{member}": true,
	"DELETE /api/visits/{visit}/guests/{guest}":   true,
	"POST /api/guests/{guest}/open":               true,
}

// askers gives someone for each route who may use it, so that what is refused is the request and not the person. Who
// asks at a public route is not signed in, and nobody may do what nobody may.
func (w *town) askers() func(route Route, method, path string, body []byte) *httptest.ResponseRecorder {
	hands := map[byte]*hand{}
	for who, person := range w.here {
		hands[who] = w.hand(person)
	}
	return func(route Route, method, path string, body []byte) *httptest.ResponseRecorder {
		allowed := walk[route.Pattern]
		switch allowed {
		case "*":
			return w.answer(w.stranger(method, path, body))
		case "":
			allowed = "c"
		}
		if strings.HasSuffix(path, "/availability") { // which is one's own
			path = strings.ReplaceAll(path, string(w.person), string(w.here[allowed[0]].Person()))
		}
		return hands[allowed[0]].send(method, path, body)
	}
}

func (w *town) requestOf(pattern, body string) (method, path string, _ []byte) {
	method, path = w.request(pattern)
	return method, path, []byte(body)
}

// rows counts what is stored, but for proofs, which each request spends, and the record and its log, which keep each
// decision.
func (w *town) rows() map[string]int {
	w.t.Helper()
	list := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if w.server.db.Engine() != "sqlite" {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	counts := map[string]int{}
	w.must(w.server.db.View(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Rows(ctx, list)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			table := ""
			if err := found.Scan(&table); err != nil {
				return err
			}
			if table != "proofs" && !strings.HasPrefix(table, "record_") && table != "ledger_leaves" && table != "ledger_tiles" && !strings.HasPrefix(table, "sqlite_") {
				counts[table] = 0
			}
		}
		if err := found.Err(); err != nil {
			return err
		}
		found.Close()
		for table := range counts {
			n := 0
			if err := tx.Row(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
				return err
			}
			counts[table] = n
		}
		return nil
	}))
	if len(counts) < 10 {
		w.t.Fatalf("only the tables %v were found", counts)
	}
	return counts
}

// unharmed checks that requests which were refused left nothing in the store and no fault in the log.
func (w *town) unharmed(before map[string]int, log *journal) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.rows()); diff != "" {
		w.t.Errorf("rows were written: %s", diff)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		w.t.Errorf("something broke: %s", log)
	}
}

func TestBodiesThatAreNotWhatARouteTakes(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log)
	w.hand(w.here['c']).send(w.requestOf("POST /api/visits/{visit}/arrive", "{}")) // so that the visit has its messages
	ask, before := w.askers(), w.rows()
	for _, route := range w.server.routes() {
		if strings.HasPrefix(route.Pattern, "GET ") || route.Stream != nil || takesNothing[route.Pattern] {
			continue
		}
		method, path := w.request(route.Pattern)
		for name, body := range map[string]string{
			"nothing":                "",
			"an end too early":       "{",
			"no JSON":                "token=1&lookup=2",
			"a list":                 "[]",
			"a text":                 `"{}"`,
			"two values":             "{}{}",
			"a field nobody knows":   `{"surprise": 1}`,
			"a field of a long name": `{"` + strings.Repeat("a", 1<<20) + `": 1}`,
			"nesting too deep":       `{"credential":` + strings.Repeat("[", 1<<15) + strings.Repeat("]", 1<<15) + `}`,
			"text that is not UTF-8": "\xff\xfe{\x00}\x00",
		} {
			if int64(len(body)) > route.bodyLimit() {
				continue // which TestBodiesThatAreTooLarge has
			}
			answer := ask(route, method, path, []byte(body))
			p := w.problemOf(answer)
			if answer.Code != http.StatusBadRequest || p.Error.Kind != ward.Invalid || p.Error.Hint == "" {
				t.Errorf("%s with %s: %d %+v; want invalid and a hint", route.Pattern, name, answer.Code, p.Error)
			}
			if len(p.Error.Message) > 400 {
				t.Errorf("%s with %s: a message of %d bytes", route.Pattern, name, len(p.Error.Message))
			}
		}
	}
	w.unharmed(before, log)
}

// Every field of every body refuses a value of another type.
func TestFieldsOfAnotherType(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log)
	ask, before := w.askers(), w.rows()
	fields := map[string][]string{
		"POST /api/invitations/{invitation}/open":       {"token"},
		"POST /api/invitations/{invitation}/accept":     {"token", "passkey", "cardText", "recipient", "keyring", "recoveryKeyring", "recovery", "locks", "grants"},
		"POST /api/invitations/{invitation}/membership": {"token", "after"},
		"POST /api/keys":                        {"cardText", "recipient", "browserText", "version", "keyring", "recoveryKeyring", "recovery"},
		"POST /api/sign-in":                     {"ceremony"},
		"POST /api/recovery/open":               {"lookup", "token"},
		"POST /api/recovery/finish":             {"lookup", "token", "version", "keyring", "recovery"},
		"PUT /api/keyring":                      {"version", "keyring", "recoveryKeyring", "recovery"},
		"PUT /api/browser":                      {"browserText"},
		"POST /api/passkeys":                    {"ceremony", "passkey", "version", "keyring"},
		"POST /api/touch":                       {"ceremony"},
		"DELETE /api/passkeys/{passkey}":        {"version", "keyring"},
		"POST /api/invitations":                 {"inviteText", "chart", "tokenHash", "welcome", "email", "link", "language"},
		"DELETE /api/invitations/{invitation}":  {"text"},
		"POST /api/people/{person}/membership":  {"text"},
		"POST /api/locks":                       {"epoch", "grants"},
		"POST /api/locks/{lock}/grants":         {"grants"},
		"POST /api/locks/{lock}/epochs":         {"epoch", "history", "grants"},
		"POST /api/locks/{lock}/entries":        {"entries"},
		"POST /api/charts/{chart}/break-glass":  {"code"},
		"POST /api/visits":                      {"visit", "chart", "host", "starts", "ends", "repeat", "skip", "overlap"},
		"POST /api/visits/plan":                 {"visit", "chart", "host", "starts", "ends", "repeat"},
		"PUT /api/visits/{visit}":               {"starts", "ends", "overlap", "state", "series", "late"},
		"POST /api/visits/{visit}/admit":        {"admissionText", "name", "names"},
		"PUT /api/reminders":                    {"language", "timeZone", "leads", "email"},
		"PUT /api/reminders/push":               {"endpoint", "p256dh", "auth"},
		"POST /api/visits/{visit}/guests":       {"guestText", "welcome"},
		"POST /api/guests/{guest}/arrive":       {"arrivalText", "hello"},
		"PUT /api/people/{person}/availability": {"timeZone", "weekly", "length", "notice", "horizon"},
	}
	for _, route := range w.server.routes() {
		method, path := w.request(route.Pattern)
		for _, field := range fields[route.Pattern] {
			body := fmt.Sprintf(`{%q: {"x": [1e999]}}`, field)
			if answer := ask(route, method, path, []byte(body)); w.problemOf(answer).Error.Kind != ward.Invalid {
				t.Errorf("%s with %s: %d %s", route.Pattern, body, answer.Code, answer.Body)
			}
			body = fmt.Sprintf(`{%q: "\u0000"}`, field) // which PostgreSQL refuses to compare with
			if answer := ask(route, method, path, []byte(body)); w.problemOf(answer).Error.Kind != ward.Invalid {
				t.Errorf("%s with %s: %d %s", route.Pattern, body, answer.Code, answer.Body)
			}
		}
		delete(fields, route.Pattern)
	}
	for pattern := range fields {
		t.Errorf("%s is no route", pattern)
	}
	w.unharmed(before, log)
}

func TestANULIsFoundHoweverItIsWritten(t *testing.T) {
	for body, has := range map[string]bool{
		`{}`: false, `{"a": "\u0000"}`: true, `{"a": "b\u0000c"}`: true, `{"a": "\\u0000"}`: false, `{"a": "\\\u0000"}`: true,
		`{"a": "\\u0000", "b": "\u0000"}`: true, `{"a": "\u00001"}`: true, `{"a": "u0000"}`: false, `{"a": "\u0001"}`: false, `\u0000`: true,
	} {
		for cut := range len(body) {
			if bodyOf(body[:cut], body[cut:]).holdsNUL() != has {
				t.Errorf("%s, cut after %d: %v", body, cut, !has)
			}
		}
	}
}

func bodyOf(pieces ...string) (b body) {
	for _, piece := range pieces {
		b = append(b, []byte(piece))
	}
	return b
}

// FuzzNUL compares with what an escape is by the text that comes out.
func FuzzNUL(f *testing.F) {
	f.Add(`a\u0000`, 3)
	f.Add(`\\u0000`, 2)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var read string
		if json.Unmarshal([]byte(`"`+text+`"`), &read) != nil || cut < 0 || cut > len(text) {
			return
		}
		if has := strings.Contains(read, "\x00"); bodyOf(text[:cut], text[cut:]).holdsNUL() != has {
			t.Errorf("%q, cut after %d: %v", text, cut, !has)
		}
	})
}

// endless is a body that goes on for as long as anybody reads it.
type endless struct{ read int64 }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	e.read += int64(len(b))
	return len(b), nil
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log)
	patient := w.hand(w.here['p'])
	before := w.rows()
	for _, route := range w.server.routes() {
		if strings.HasPrefix(route.Pattern, "GET ") {
			continue
		}
		method, path := w.request(route.Pattern)
		limit := route.bodyLimit()
		if route.Stream != nil {
			limit = ward.MaxPart
		}
		for name, said := range map[string]int64{"said in its header": limit + 1, "that does not say how large": -1} {
			r, body := patient.request(method, path, nil), &endless{}
			if route.Action == public {
				r = w.stranger(method, path, nil)
			}
			r.Body, r.ContentLength = io.NopCloser(body), said
			answer := w.answer(r)
			p := w.problemOf(answer)
			if answer.Code != http.StatusRequestEntityTooLarge || !strings.Contains(p.Error.Message, fmt.Sprint(limit)) {
				t.Errorf("%s, a body %s: %d %+v; want too_large and the limit of %d", route.Pattern, name, answer.Code, p.Error, limit)
			}
			if body.read > 2*limit {
				t.Errorf("%s, a body %s: %d bytes were read", route.Pattern, name, body.read)
			}
		}
	}
	largest := append(bytes.Repeat([]byte(" "), ward.MaxBody-2), "{}"...)
	if answer := patient.send("POST", "/api/passkeys", largest); answer.Code == http.StatusRequestEntityTooLarge {
		t.Errorf("a body that just fits: %d", answer.Code)
	}
	w.unharmed(before, log)
}

func TestPathValuesThatAreNoIDs(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log)
	ask, before := w.askers(), w.rows()
	for _, route := range w.server.routes() {
		_, pattern, _ := strings.Cut(route.Pattern, " ")
		for _, wildcard := range strings.Split(pattern, "/") {
			if !strings.HasPrefix(wildcard, "{") {
				continue
			}
			_, id := w.request("GET " + wildcard)
			for name, value := range map[string]string{
				"upper case":         strings.ToUpper(string(w.lock)),
				"one letter more":    id + "a",
				"a thousand letters": strings.Repeat("a", 1000),
				"the folder above":   "..",
				"folders":            "..%2f..%2fme",
				"NUL in an id":       string(w.lock[:25]) + "%00",
				"no UTF-8":           "%ff%fe",
				"nothing":            "",
			} {
				method, path := w.request(strings.ReplaceAll(route.Pattern, wildcard, value))
				answer := ask(route, method, path, w.body(route.Pattern, w.here['p']))
				if answer.Code == http.StatusTemporaryRedirect {
					if to := answer.Header().Get("Location"); strings.Contains(to, "..") || strings.Contains(to, "//") {
						t.Errorf("%s with %s as %s: sent on to %s", route.Pattern, name, wildcard, to)
					}
					continue // to the path that this is in short; what is there asks again who asks
				}
				switch p := w.problemOf(answer); p.Error.Kind {
				case ward.Missing, ward.Invalid:
				case ward.Unauthenticated:
					if walk[route.Pattern] != "*" {
						t.Errorf("%s with %s as %s: not signed in", route.Pattern, name, wildcard)
					}
				default:
					t.Errorf("%s with %s as %s: %d %s", route.Pattern, name, wildcard, answer.Code, answer.Body)
				}
			}
		}
	}
	w.unharmed(before, log)
}

// A body is JSON or it is refused, whatever it calls itself; a page of another origin sends none.
func TestBodiesOfAnotherKindAndOrigin(t *testing.T) {
	w := newTown(t)
	log := &journal{}
	w.reopen(log)
	patient, before := w.hand(w.here['p']), w.rows()
	for kind, body := range map[string]string{
		"application/x-www-form-urlencoded": "browserText=a",
		"multipart/form-data; boundary=x":   "--x\r\nContent-Disposition: form-data; name=\"browserText\"\r\n\r\na\r\n--x--\r\n",
		"application/xml":                   "<browserText>a</browserText>",
		"":                                  "browserText",
	} {
		r := patient.request("PUT", "/api/browser", []byte(body))
		r.Header.Set("Content-Type", kind)
		if p := w.problemOf(w.answer(r)); p.Error.Kind != ward.Invalid {
			t.Errorf("a body of %q: %+v", kind, p.Error)
		}
	}
	for name, from := range map[string][2]string{
		"a page elsewhere, as browsers say":     {"Sec-Fetch-Site", "cross-site"},
		"a page of a sibling":                   {"Sec-Fetch-Site", "same-site"},
		"a page elsewhere, as old browsers say": {"Origin", "https://elsewhere.example"},
		"a page of nowhere":                     {"Origin", "null"},
	} {
		r := patient.request("PUT", "/api/browser", []byte(`{}`))
		r.Header.Set(from[0], from[1])
		if p := w.problemOf(w.answer(r)); p.Error.Kind != ward.Refused {
			t.Errorf("%s: %+v", name, p.Error)
		}
	}
	w.unharmed(before, log)
}
