package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ward"
	"ward/identity"
	"ward/policy"
	"ward/store"
)

// A held is a body that never ends: it comes at once, but for its last byte.
type held struct {
	left    int64
	stopped func()          // called when only the last byte is missing
	release <-chan struct{} // when its sender goes away
}

func (h *held) Read(into []byte) (int, error) {
	if h.left == 0 {
		h.stopped()
		<-h.release
		return 0, io.ErrUnexpectedEOF
	}
	n := min(int64(len(into)), h.left)
	for i := range n {
		into[i] = ' '
	}
	h.left -= n
	return int(n), nil
}

func (h *held) Close() error { return nil }

// A crowd sends requests whose bodies never end.
type crowd struct {
	w       *town
	release chan struct{}
	settled chan int // the status of an answer, or 0 of a request whose body has stopped
	sent    sync.WaitGroup
}

func (w *town) crowd() *crowd {
	return &crowd{w: w, release: make(chan struct{}), settled: make(chan int, 1000)}
}

func (c *crowd) send(r *http.Request, size int64) {
	var once sync.Once
	r.Body = &held{left: size - 1, stopped: func() { once.Do(func() { c.settled <- 0 }) }, release: c.release}
	r.ContentLength = size
	c.sent.Go(func() {
		answer := c.w.answer(r)
		once.Do(func() { c.settled <- answer.Code })
	})
}

// wait comes back when so many have been answered or have stopped, and counts the answers.
func (c *crowd) wait(n int) map[int]int {
	answers := map[int]int{}
	for range n {
		answers[<-c.settled]++
	}
	return answers
}

func (c *crowd) leave() {
	close(c.release)
	c.sent.Wait()
}

// Whoever is not signed in is turned away before a byte of a body is kept, however many come; where they must be listened
// to, since it is how one comes in, all of them together hold little.
func TestStrangersFillNoMemory(t *testing.T) {
	w := newTown(t)
	const many = 200
	for _, c := range []struct {
		name   string
		size   int64
		ask    func() *http.Request
		status int   // of whom nothing is held; of 0 some are
		least  int64 // held by all together
	}{
		{"no token", ward.MaxBody, func() *http.Request { return w.bare("POST", "/api/locks/"+string(w.lock)+"/entries") }, http.StatusUnauthorized, 0},
		{"a token made up", ward.MaxBody, func() *http.Request {
			h := &hand{w: w, key: w.hand(w.here['p']).key, token: strings.Repeat("A", 43)}
			return h.request("POST", "/api/locks/"+string(w.lock)+"/entries", nil)
		}, http.StatusUnauthorized, 0},
		{"another's token", ward.MaxBody, func() *http.Request {
			h := &hand{w: w, key: w.hand(w.there['p']).key, token: w.hand(w.here['p']).token}
			return h.request("POST", "/api/locks/"+string(w.lock)+"/entries", nil)
		}, http.StatusUnauthorized, 0},
		{"signing in without a proof", smallBody, func() *http.Request { return w.bare("POST", "/api/sign-in") }, http.StatusUnauthorized, 0},
		{"signing in", smallBody, func() *http.Request { return w.stranger("POST", "/api/sign-in", nil) }, 0, smallBody},
		{"signing in with too much", smallBody + 1, func() *http.Request { return w.stranger("POST", "/api/sign-in", nil) }, http.StatusRequestEntityTooLarge, 0},
		{"a recovery code", smallBody, func() *http.Request { return w.bare("POST", "/api/recovery/open") }, 0, smallBody},
		{"joining", joiningBody, func() *http.Request { return w.stranger("POST", "/api/invitations/"+string(w.invite)+"/accept", nil) }, 0, joiningBody},
		{"a guest", smallBody, func() *http.Request {
			return w.stranger("POST", "/api/guests/"+ward.NewID[string]()+"/arrive", nil)
		}, 0, smallBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			them := w.crowd()
			for range many {
				them.send(c.ask(), c.size)
			}
			answers := them.wait(many)
			if answers[c.status] != many {
				t.Errorf("answered with %v; want %d with %d", answers, many, c.status)
			}
			if n := w.server.bodies.inAll(); n < c.least || n > min(bodyBounds.stranger, many*c.least) {
				t.Errorf("they hold %d bytes; want from %d to %d", n, c.least, min(bodyBounds.stranger, many*c.least))
			}
			if answer := w.hand(w.here['p']).send("PUT", "/api/browser", []byte("{}")); answer.Code != http.StatusBadRequest {
				t.Errorf("meanwhile who is signed in is answered with %d %s", answer.Code, answer.Body)
			}
			them.leave()
			if n := w.server.bodies.inAll(); n != 0 || len(w.server.bodies.held) != 0 {
				t.Errorf("%d bytes are held after they have gone, of %v", n, w.server.bodies.held)
			}
		})
	}
}

// Nobody's statements are checked for who is not signed in: it is known first who asks.
func TestStatementsOfStrangersAreNotRead(t *testing.T) {
	w := newTown(t)
	read := 0
	w.reopen(&journal{}, Route{
		Pattern: "POST /api/test", Action: "writeSelf", About: w.server.identity.AboutSelf,
		Read: func(r *http.Request) *http.Request { read++; return r },
		Do:   func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) { return nil, nil },
	})
	patient, thief := w.hand(w.here['p']), w.hand(w.there['p'])
	thief.token = patient.token
	for name, r := range map[string]*http.Request{
		"no token":        w.bare("POST", "/api/test"),
		"another's token": thief.request("POST", "/api/test", []byte("{}")),
	} {
		body := &endless{}
		r.Body = io.NopCloser(body)
		if answer := w.answer(r); answer.Code != http.StatusUnauthorized || read != 0 || body.read != 0 {
			t.Errorf("%s: %d, %d bytes read, checked %d times", name, answer.Code, body.read, read)
		}
	}
	if answer := patient.send("POST", "/api/test", []byte("{}")); answer.Code != http.StatusNoContent || read != 1 {
		t.Errorf("as oneself: %d, checked %d times", answer.Code, read)
	}
}

// Who was recognised a moment ago may nothing once the session has ended.
func TestASessionThatHasEndedMayNothing(t *testing.T) {
	w := newTown(t)
	done := 0
	w.reopen(&journal{}, Route{
		Pattern: "POST /api/test", Action: "writeSelf", About: w.server.identity.AboutSelf,
		Do: func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) { done++; return nil, nil },
	})
	patient := w.hand(w.here['p'])
	for range 2 {
		if answer := patient.send("POST", "/api/test", nil); answer.Code != http.StatusNoContent {
			t.Fatalf("before: %d %s", answer.Code, answer.Body)
		}
	}
	if answer := patient.send("DELETE", "/api/sessions", nil); answer.Code != http.StatusNoContent {
		t.Fatalf("sign out everywhere: %d %s", answer.Code, answer.Body)
	}
	if answer := patient.send("POST", "/api/test", nil); answer.Code != http.StatusUnauthorized || done != 2 {
		t.Errorf("after: %d %s, done %d times", answer.Code, answer.Body, done)
	}
}

// The same holds over TLS and HTTP/2, where a body that nobody reads stays with its sender.
func TestStrangersOverHTTP2(t *testing.T) {
	w := newTown(t)
	secured := httptest.NewUnstartedServer(nil)
	secured.EnableHTTP2 = true
	secured.StartTLS()
	defer secured.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	listener := tls.NewListener(Listen(plain, nil, false), secured.TLS)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ctx, listener) }()
	for _, c := range []struct {
		path   string
		size   int64
		status int
		most   int64 // that is sent
	}{
		{"/api/locks/" + string(w.lock) + "/entries", ward.MaxBody, http.StatusUnauthorized, 2 * maxUnread},
		{"/api/recovery/open", 100, http.StatusBadRequest, 100},
		{"/api/recovery/open", smallBody + 1, http.StatusRequestEntityTooLarge, smallBody + 1},
	} {
		body := &endless{}
		r, err := http.NewRequestWithContext(ctx, "POST", "https://"+listener.Addr().String()+c.path, io.LimitReader(body, c.size))
		w.must(err)
		r.ContentLength = c.size
		answer, err := secured.Client().Do(r)
		w.must(err)
		answer.Body.Close()
		if answer.ProtoMajor != 2 || answer.StatusCode != c.status || body.read > 2*c.most {
			t.Errorf("%s with %d bytes: %s %s, of which %d were sent", c.path, c.size, answer.Proto, answer.Status, body.read)
		}
	}
	secured.Client().CloseIdleConnections()
	stop()
	w.must(<-served)
}

// One account holds no more than one may, is worked for no more than one may, and the others' bodies are taken meanwhile.
func TestOneAccountLeavesRoomForOthers(t *testing.T) {
	w := newTown(t)
	patient, doctor := w.hand(w.here['p']), w.hand(w.here['c'])
	path := "/api/locks/" + string(w.lock) + "/entries"
	them := w.crowd()
	for range 3 * maxAtOnce {
		them.send(patient.request("POST", path, nil), ward.MaxBody)
	}
	them.wait(maxAtOnce) // the others have no turn
	if n := w.server.bodies.inAll(); n == 0 || n > bodyBounds.person {
		t.Errorf("one account holds %d bytes; it may hold %d", n, bodyBounds.person)
	}
	whole := append([]byte(`{"entries":[`), append(bytes.Repeat([]byte(" "), ward.MaxBody-14), "]}"...)...)
	if answer := doctor.send("POST", path, whole); answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "entries at a time") {
		t.Errorf("meanwhile another's whole body is answered with %d %.200s", answer.Code, answer.Body)
	}
	if n := len(them.settled); n != 0 {
		t.Errorf("%d more were read", n)
	}
	them.leave()
	if n := w.server.bodies.inAll(); n != 0 || len(w.server.turns.of) != 0 {
		t.Errorf("%d bytes and the turns of %d people remain", n, len(w.server.turns.of))
	}
}

// A budget's parts are each kept to: a person's, a network's, an organisation's, everybody's.
func TestBudgets(t *testing.T) {
	from := func(address string) *http.Request { return &http.Request{RemoteAddr: address} }
	b := newBudget(bounds{stranger: 10, strangers: 15, person: 20, network: 30, org: 40, all: 60})
	take := func(n int64, org, person, address string) bool {
		return b.of(ward.Caller{Org: ward.OrgID(org), Person: ward.PersonID(person)}, from(address)).take(n) == nil
	}
	for n, c := range []struct {
		bytes                int64
		org, person, address string
		fits                 bool
	}{
		{11, "", "", "192.0.2.1:1", false}, // a stranger's network
		{10, "", "", "192.0.2.1:1", true},
		{1, "", "", "192.0.2.1:2", false},
		{6, "", "", "[2001:db8::1]:1", false}, // all strangers
		{5, "", "", "[2001:db8::1]:1", true},
		{21, "a", "p", "192.0.2.1:1", false}, // a person
		{20, "a", "p", "192.0.2.1:1", true},
		{1, "a", "p", "192.0.2.2:1", false},
		{11, "b", "q", "192.0.2.1:1", false}, // a network, whatever the organisation
		{10, "a", "q", "192.0.2.1:1", true},
		{11, "a", "r", "192.0.2.3:1", false}, // an organisation, from wherever
		{10, "a", "r", "192.0.2.3:1", true},
		{6, "b", "s", "192.0.2.4:1", false}, // everybody
		{5, "b", "s", "192.0.2.4:1", true},
	} {
		if fits := take(c.bytes, c.org, c.person, c.address); fits != c.fits {
			t.Errorf("%d: %d bytes of %q fit: %v", n, c.bytes, c.person, fits)
		}
	}
}

// A body that comes too slowly is cut, whoever sends it; at the least rate it is heard to its end.
func TestSlowBodiesAreCut(t *testing.T) {
	decide, err := policy.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		pieces int // one each second
		size   int // of each
		after  time.Duration
		whole  bool
	}{
		{"nothing after the first byte", 1, 1, bodyGrace, false},
		{"a byte a second", 1000, 1, bodyGrace, false},
		{"a little too slow", 1000, minBodyRate * 9 / 10, 100 * time.Second, false},
		{"fast enough", 60, minBodyRate, 60 * time.Second, true},
		{"fast enough, and too long", 1000, minBodyRate, bodyTimeout, false},
		{"after it waited its turn", 5, minBodyRate, 2*bodyGrace + 5*time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := int64(0), error(nil)
				ended := make(chan struct{})
				s, refused := newServer(Config{
					Origin: "http://localhost", Policy: decide, Log: slog.New(slog.DiscardHandler), Identity: &identity.Identity{Config: identity.Config{Now: time.Now}},
				}, func(*Server) []Route {
					return []Route{{Pattern: "PUT /api/test", Action: public, Stream: func(_ context.Context, _ ward.Caller, _ http.ResponseWriter, r *http.Request) error {
						if strings.HasPrefix(c.name, "after") {
							time.Sleep(2 * bodyGrace)
						}
						got, err = io.Copy(io.Discard, r.Body)
						close(ended)
						return nil
					}}}
				})
				if refused != nil {
					t.Fatal(refused)
				}
				listener, stop := serve(t, s)
				defer stop()
				conn, start := listener.dial(), time.Now()
				go drain(conn)
				size := c.pieces * c.size
				if !c.whole {
					size++
				}
				var sending sync.WaitGroup
				defer sending.Wait()
				defer conn.Close()
				sending.Go(func() {
					fmt.Fprintf(conn, "PUT /api/test HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size)
					for range c.pieces {
						if _, err := conn.Write(make([]byte, c.size)); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				<-ended
				took := time.Since(start)
				if whole := err == nil && got == int64(size); whole != c.whole || took < c.after-2*time.Second || took > c.after+2*time.Second {
					t.Errorf("%d of %d bytes and %v after %s; want the whole %v, after %s", got, size, err, took, c.whole, c.after)
				}
			})
		})
	}
}

// An answer that waits for a slow reader counts too.
func TestAnswersInMemoryAreCounted(t *testing.T) {
	w := newTown(t)
	patient := w.hand(w.here['p'])
	w.reopen(&journal{}, Route{
		Pattern: "GET /api/test", Action: "readSelf", About: w.server.identity.AboutSelf,
		Do: func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error) {
			return strings.Repeat("x", int(answerBounds.person)/2), nil
		},
	})
	slow := &slowReader{ResponseRecorder: httptest.NewRecorder(), writing: make(chan struct{}), read: make(chan struct{})}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		w.server.ServeHTTP(slow, patient.request("GET", "/api/test", nil))
	}()
	<-slow.writing
	if answer := patient.send("GET", "/api/test", nil); answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") == "" {
		t.Errorf("another large answer, meanwhile: %d", answer.Code)
	}
	if answer := patient.send("GET", "/api/locks", nil); answer.Code != http.StatusOK {
		t.Errorf("a small one: %d %s", answer.Code, answer.Body)
	}
	close(slow.read)
	<-answered
	if answer := patient.send("GET", "/api/test", nil); answer.Code != http.StatusOK || w.server.answers.inAll() != 0 {
		t.Errorf("afterwards: %d, and %d bytes are held", answer.Code, w.server.answers.inAll())
	}
}

// slowReader reads no answer until it is told to.
type slowReader struct {
	*httptest.ResponseRecorder
	writing, read chan struct{}
}

func (s *slowReader) Write(b []byte) (int, error) {
	close(s.writing)
	<-s.read
	return s.ResponseRecorder.Write(b)
}
