package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/client"
	"ward/ledger"
	"ward/policy"
	"ward/seal"
	"ward/store"
)

// reopen puts another door before the town's clinic: one that writes its log into log and has these routes too.
func (w *town) reopen(log *journal, more ...Route) {
	w.t.Helper()
	config := w.config
	config.Log = log.logger()
	s, err := newServer(config, func(s *Server) []Route { return append(s.routes(), more...) })
	w.must(err)
	w.server = s
}

// A journal keeps what a server logs, at every level.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// A hand is a session of someone in the town whose requests a test writes by hand, since the test holds its key.
type hand struct {
	w     *town
	key   seal.SigningKey
	token string
}

// hand begins a session of a person beside the one that their client has.
func (w *town) hand(person *client.Client) *hand {
	w.t.Helper()
	var token [32]byte
	rand.Read(token[:])
	h := &hand{w, seal.NewSigningKey(), ward.B64.EncodeToString(token[:])}
	w.must(w.server.db.Do(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO sessions (org, session, person, card, token, browser, agent, share, idle, started, used, until, touched)
			SELECT org, $1, person, card, $2, $3, agent, share, idle, started, used, until, touched FROM sessions WHERE org = $4 AND person = $5 LIMIT 1`,
			ward.NewID[string](), seal.Hash([]byte(h.token)), h.key.Public(), string(person.Org()), string(person.Person()))
		if err == nil && n != 1 {
			err = fmt.Errorf("%d sessions", n)
		}
		return err
	}))
	return h
}

// proof is the proof of a request that is as it should be, for tests to bend.
func (h *hand) proof(method, path string) seal.Proof {
	path, _, _ = strings.Cut(path, "?")
	return seal.NewProof(method, h.w.origin+path, h.w.server.identity.Nonce(), h.token, time.Now())
}

// sign puts a proof into a request.
func (h *hand) sign(r *http.Request, p seal.Proof, key seal.SigningKey) *http.Request {
	h.w.t.Helper()
	text, err := p.Sign(key)
	h.w.must(err)
	r.Header.Add("DPoP", text)
	r.Header.Set("Authorization", "DPoP "+h.token)
	return r
}

// request is a whole request, from this machine, so that no test runs into the limits of an address.
func (h *hand) request(method, path string, body []byte) *http.Request {
	h.w.t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(body)).WithContext(h.w.t.Context())
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/json")
	return h.sign(r, h.proof(method, r.URL.EscapedPath()), h.key)
}

func (h *hand) send(method, path string, body []byte) *httptest.ResponseRecorder {
	h.w.t.Helper()
	return h.w.answer(h.request(method, path, body))
}

func (w *town) answer(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, r)
	return answer
}

// problemOf reads an answer that must be a failure as docs/api.md describes it: its status fits its kind, it says what
// is wrong, and it holds nothing else.
func (w *town) problemOf(answer *httptest.ResponseRecorder) ward.Problem {
	w.t.Helper()
	p, err := ward.Decode[ward.Problem](bytes.NewReader(answer.Body.Bytes()))
	switch {
	case err != nil:
		w.t.Errorf("%d %.200q is not the error of docs/api.md: %v", answer.Code, answer.Body, err)
	case answer.Code != statuses[p.Error.Kind]:
		w.t.Errorf("%d with the kind %q", answer.Code, p.Error.Kind)
	case p.Error.Message == "" || answer.Header().Get("Content-Type") != "application/json":
		w.t.Errorf("%d without a message or as %q", answer.Code, answer.Header().Get("Content-Type"))
	}
	return p
}

// lastEvents is the end of the record of a clinic, newest first.
func (w *town) lastEvents(person *client.Client, n int) []ward.Event {
	w.t.Helper()
	var found ward.Events
	w.must(w.server.db.View(w.t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		found, err = w.server.ledger.List(ctx, tx, person.Org(), ledger.Query{Limit: n, Newest: true})
		return err
	}))
	return found.Events
}

func TestRouteWithoutAKnownActionStopsTheServer(t *testing.T) {
	do := func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) { return nil, nil }
	stream := func(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error { return nil }
	for _, c := range []struct {
		route Route
		want  string
	}{
		{Route{Pattern: "GET /api/new", Do: do}, "names no action"},
		{Route{Pattern: "GET /api/new", Action: "readEverything", Do: do}, "knows no action"},
		{Route{Pattern: "GET /api/new", Action: "readself", Do: do}, "knows no action"},
		{Route{Pattern: "GET /api/new", Action: "readSelf"}, "one way"},
		{Route{Pattern: "GET /api/new", Action: "readSelf", Do: do, Stream: stream}, "one way"},
	} {
		s, err := newServer(Config{Origin: "http://localhost"}, func(*Server) []Route { return []Route{c.route} })
		if s != nil || err == nil || !strings.Contains(err.Error(), c.route.Pattern) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("action %q: server %v, error %v; want no server, and an error that names %s and says %q", c.route.Action, s, err, c.route.Pattern, c.want)
		}
	}
	known := Route{Pattern: "GET /api/new", Action: "readSelf", Do: do}
	if _, err := newServer(Config{Origin: "http://localhost"}, func(*Server) []Route { return []Route{known} }); err != nil {
		t.Errorf("a route as it should be: %v", err)
	}
}

// Whoever is decided about learns which policies decided: in a header, the same as are on record, and of a refusal in
// its body too. Only a refusal by default, which no policy decided, names none.
func TestEveryDecidedAnswerNamesItsPolicies(t *testing.T) {
	w := newTown(t)
	close(w.server.stopping) // so that the event stream ends at once
	refusals := map[bool]int{}
	for _, route := range w.server.routes() {
		allowed := walk[route.Pattern]
		for who, person := range w.here {
			if allowed == "*" || isLasting(route.Pattern) && route.Stream == nil && strings.ContainsRune(allowed, rune(who)) {
				continue
			}
			method, path := w.request(route.Pattern)
			answer := w.hand(person).send(method, path, w.body(route.Pattern, person))
			named := answer.Header().Get("Ward-Policies")
			e := w.lastEvents(person, 1)[0]
			if e.Action != route.Action || e.Person != person.Person() || strings.Join(e.Policies, " ") != named {
				t.Errorf("%s as %c: the header names %q, the record %+v", route.Pattern, who, named, e)
			}
			if e.Decision == "allow" && named == "" {
				t.Errorf("%s as %c: %d, allowed by no policy", route.Pattern, who, answer.Code)
			}
			if e.Decision == "deny" {
				refusals[named != ""]++
				if told := w.problemOf(answer).Error.Policies; answer.Code != http.StatusForbidden || strings.Join(told, " ") != named {
					t.Errorf("%s as %c: %d, the header names %q, the body %q", route.Pattern, who, answer.Code, named, told)
				}
			}
		}
	}
	if refusals[true] == 0 || refusals[false] == 0 {
		t.Errorf("%d refusals by a policy and %d by default; both kinds should have been met", refusals[true], refusals[false])
	}
}

// errAsCounted is a failure whose work stays, as of a wrong attempt that is counted.
type errAsCounted struct{ error }

func (errAsCounted) Counts() bool    { return true }
func (e errAsCounted) Unwrap() error { return e.error }

// A failure undoes the work, and the record keeps that it was allowed and that it failed.
func TestFailedWorkIsUndoneAndOnRecord(t *testing.T) {
	w := newTown(t)
	const trace = "left-by-a-test"
	for _, c := range []struct {
		name    string
		fail    func() error
		stays   bool
		outcome ward.Kind
	}{
		{"success", func() error { return nil }, true, ""},
		{"a conflict", func() error { return ward.Errorf(ward.Conflict, "another was first") }, false, ward.Conflict},
		{"a fault of ours", func() error { return errors.New("disk on fire") }, false, ward.Internal},
		{"a panic", func() error { panic("out of order") }, false, ward.Internal},
		{"a failure that counts", func() error { return errAsCounted{ward.Errorf(ward.Missing, "no such code")} }, true, ward.Missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			log, runs := &journal{}, 0
			w.reopen(log, Route{
				Pattern: "POST /api/test", Action: "writeSelf", About: w.server.identity.AboutSelf,
				Do: func(ctx context.Context, tx *store.Tx, _ ward.Caller, _ *http.Request) (any, error) {
					runs++
					if _, err := tx.Exec(ctx, `INSERT INTO proofs (jti, expires) VALUES ($1, $2)`, trace+c.name, time.Now().Add(time.Hour).UnixMilli()); err != nil {
						return nil, err
					}
					return nil, c.fail()
				},
			})
			patient := w.hand(w.here['p'])
			before := w.lastEvents(w.here['p'], 1)[0]
			request := patient.request("POST", "/api/test", []byte("{}"))
			again := request.Clone(t.Context())
			if answer := w.answer(request); c.outcome != "" && w.problemOf(answer).Error.Kind != c.outcome || c.outcome == "" && answer.Code != http.StatusNoContent {
				t.Errorf("answered %d %s", answer.Code, answer.Body)
			}
			left := 0
			w.must(w.server.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Row(ctx, `SELECT count(*) FROM proofs WHERE jti = $1`, trace+c.name).Scan(&left)
			}))
			if (left == 1) != c.stays {
				t.Errorf("%d rows remain of the work", left)
			}
			events := w.lastEvents(w.here['p'], 2)
			e := events[0]
			if events[1].Seq != before.Seq || e.Action != "writeSelf" || e.Decision != "allow" || e.Outcome != string(c.outcome) || e.Person != w.person || len(e.Policies) == 0 {
				t.Errorf("the record ends with %+v, after %d; want one event more, allowed, outcome %q", e, before.Seq, c.outcome)
			}
			if answer := w.answer(again); answer.Code != http.StatusUnauthorized || runs != 1 {
				t.Errorf("sent again: %d, and the work ran %d times; a proof is spent also when the work fails", answer.Code, runs)
			}
		})
	}
}

// A panic anywhere in a request costs that request only, and its value is told to nobody: it may hold what was sent.
func TestPanicTellsNothing(t *testing.T) {
	w := newTown(t)
	about := w.server.identity.AboutSelf
	const private = "private-words"
	boom := func(r *http.Request) {
		body := new(bytes.Buffer)
		body.ReadFrom(r.Body)
		panic(body.String() + r.Header.Get("Authorization"))
	}
	log := &journal{}
	w.reopen(log,
		Route{
			Pattern: "POST /api/test/read", Action: "writeSelf", About: about,
			Read: func(r *http.Request) *http.Request { boom(r); return r },
			Do:   func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) { return nil, nil },
		},
		Route{
			Pattern: "POST /api/test/about", Action: "writeSelf",
			About: func(_ context.Context, _ *store.Tx, _ ward.Caller, r *http.Request) (policy.Resource, error) {
				boom(r)
				return policy.Resource{}, nil
			},
			Do: func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) { return nil, nil },
		},
		Route{
			Pattern: "POST /api/test/do", Action: "writeSelf", About: about,
			Do: func(_ context.Context, _ *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
				boom(r)
				return nil, nil
			},
		},
		Route{
			Pattern: "POST /api/test/stream", Action: "writeSelf", About: about,
			Stream: func(_ context.Context, _ ward.Caller, _ http.ResponseWriter, r *http.Request) error {
				boom(r)
				return nil
			},
		},
		Route{
			Pattern: "POST /api/test/public", Action: public,
			Do: func(_ context.Context, _ *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
				boom(r)
				return nil, nil
			},
		},
	)
	patient := w.hand(w.here['p'])
	for _, where := range []string{"read", "about", "do", "stream", "public"} {
		answer := patient.send("POST", "/api/test/"+where, []byte(private))
		if p := w.problemOf(answer); p.Error.Kind != ward.Internal || !strings.Contains(p.Error.Hint, answer.Header().Get("Request-Id")) {
			t.Errorf("%s: %d %+v; want an internal error whose hint has the request's id", where, answer.Code, p)
		}
		for _, told := range []string{private, patient.token, "goroutine", ".go:"} {
			if strings.Contains(answer.Body.String(), told) {
				t.Errorf("%s: the answer tells %q: %s", where, told, answer.Body)
			}
		}
		if !strings.Contains(log.String(), "POST /api/test/"+where) {
			t.Errorf("%s: the log does not name the route", where)
		}
		if answer := patient.send("GET", "/api/locks", nil); answer.Code != http.StatusOK {
			t.Errorf("%s: the next request is answered with %d %s", where, answer.Code, answer.Body)
		}
	}
	text := log.String()
	if n := strings.Count(text, "level=ERROR"); n < 5 || !strings.Contains(text, "door_test.go") {
		t.Errorf("%d errors in the log, without the place where it panicked: %s", n, text)
	}
	for _, told := range []string{private, patient.token} {
		if strings.Contains(text, told) {
			t.Errorf("the log tells %q", told)
		}
	}
}

// A public stream waits for nobody who writes: it reads nothing and puts nothing on record. Its address is checked all the same.
func TestPublicStreamsDoNotWaitForTheWriter(t *testing.T) {
	w := newTown(t)
	answered := func(_ context.Context, who ward.Caller, rw http.ResponseWriter, _ *http.Request) error {
		if who.Org != "" {
			t.Errorf("a public stream has a caller: %+v", who)
		}
		rw.WriteHeader(http.StatusTeapot)
		return nil
	}
	w.reopen(&journal{}, Route{Pattern: "GET /api/test/{visit}/public", Action: public, Stream: answered})
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- w.server.db.Do(t.Context(), func(context.Context, *store.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	answer := make(chan int, 1)
	go func() { answer <- w.answer(w.bare("GET", "/api/test/"+strings.Repeat("a", 26)+"/public")).Code }()
	select {
	case code := <-answer:
		if code != http.StatusTeapot {
			t.Errorf("answered with %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the writer")
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if answer := w.answer(w.bare("GET", "/api/test/nothing/public")); answer.Code != http.StatusNotFound {
		t.Errorf("an address that is no id is answered with %d %s", answer.Code, answer.Body)
	}
}
