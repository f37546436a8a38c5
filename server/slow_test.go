package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"ward"
)

// A pipes is a listener inside this process, so that the time its clients take can be synctest's.
type pipes struct {
	coming chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.coming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.coming <- there
	return here
}

// serve runs a server with the deadlines that clinics have, until stop.
func serve(t *testing.T, s *Server) (_ *pipes, stop func()) {
	t.Helper()
	listener := newPipes()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	return listener, func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}

// drip writes one byte a second until the other side has had enough.
func drip(conn net.Conn) {
	for range time.Tick(time.Second) {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
	}
}

// drain reads until the other side closes.
func drain(conn net.Conn) { io.Copy(io.Discard, conn) }

func TestSlowClientIsCutOffWhileOthersAreAnswered(t *testing.T) {
	const get = " / HTTP/1.1\r\nHost: localhost\r\n"
	for _, c := range []struct {
		name  string
		begin string
		goOn  func(net.Conn)
		after time.Duration
	}{
		{"headers a byte at a time", "GET" + get + "X-Slow: ", drip, headerTimeout},
		{"headers that stop", "GET" + get, drain, headerTimeout},
		{"nothing at all", "", drain, headerTimeout},
		{"a body that nobody reads", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", drain, bodyGrace},
		{"a body in chunks that nobody reads", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", drain, bodyGrace},
		{"an answer that is not read", "GET" + get + "\r\n", drip, bodyTimeout},
		{"no next request", "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n", drain, idleTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := New(Config{
					App: fstest.MapFS{"index.html": {Data: bytes.Repeat([]byte("app "), 1<<18)}}, Log: slog.New(slog.DiscardHandler), Origin: "http://localhost",
				})
				if err != nil {
					t.Fatal(err)
				}
				listener, stop := serve(t, s)
				defer stop()
				slow, start := listener.dial(), time.Now()
				defer slow.Close()
				ended := make(chan time.Duration, 1)
				go func() {
					io.WriteString(slow, c.begin)
					c.goOn(slow)
					ended <- time.Since(start)
				}()
				synctest.Wait()
				if err := isAnswered(listener); err != nil {
					t.Errorf("another client, meanwhile: %v", err)
				}
				if took := <-ended; took < c.after-time.Second || took > c.after+time.Second {
					t.Errorf("cut off after %s, want %s", took, c.after)
				}
			})
		})
	}
}

// isAnswered tells whether somebody else is served at once.
func isAnswered(listener *pipes) error {
	conn, start := listener.dial(), time.Now()
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || time.Since(start) > 0 {
		return fmt.Errorf("%s after %s", answer.Status, time.Since(start))
	}
	return nil
}

// Whoever sends more headers than a request of Ward needs is told so and not listened to.
func TestHugeHeadersAreRefused(t *testing.T) {
	w := newTown(t)
	listener, stop := serve(t, w.server)
	defer stop()
	for name, header := range map[string]string{
		"one long header":  "X-Long: " + strings.Repeat("a", 2*maxHeader),
		"many headers":     strings.TrimSuffix(strings.Repeat("X-Many: a\r\n", 2*maxHeader/11), "\r\n"),
		"a long path":      "",
		"a long DPoP":      "DPoP: " + strings.Repeat("a", 2*maxHeader),
		"a long signed-in": "Authorization: DPoP " + strings.Repeat("a", 2*maxHeader),
	} {
		t.Run(name, func(t *testing.T) {
			conn := listener.dial()
			defer conn.Close()
			path := "/api/me"
			if header == "" {
				header, path = "X-Short: a", "/api/"+strings.Repeat("a", 2*maxHeader)
			}
			go fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", path, header)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("answered %s", answer.Status)
			}
		})
	}
}

// stream opens the event stream over a connection and comes back when the server listens for notices.
func (h *hand) stream(listener *pipes) (net.Conn, *bufio.Reader) {
	h.w.t.Helper()
	conn := listener.dial()
	h.w.t.Cleanup(func() { conn.Close() })
	h.w.must(conn.SetDeadline(time.Now().Add(10 * time.Second))) // so that a stream that should end fails the test
	request := h.request("GET", "/api/events", nil)
	go request.Write(conn)
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	h.w.must(err)
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "text/event-stream" {
		h.w.t.Fatalf("the event stream: %s, %s", answer.Status, kind)
	}
	lines := bufio.NewReader(answer.Body)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, ":") {
		h.w.t.Fatalf("the event stream begins with %q, %v", line, err)
	}
	return conn, lines
}

// notice reads the next one.
func notice(lines *bufio.Reader) (ward.Notice, error) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return ward.Notice{}, err
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			return ward.Decode[ward.Notice](strings.NewReader(data))
		}
	}
}

// Who does not read their notices keeps nobody waiting, and hears that the stream is over instead of some of them.
func TestSlowReaderOfEventsKeepsNobodyWaiting(t *testing.T) {
	w := newTown(t)
	listener, stop := serve(t, w.server)
	defer stop()
	patient := w.here['p']
	_, slow := w.hand(patient).stream(listener)
	reading, fast := w.hand(patient).stream(listener)
	const sent = 2 * maxWaiting
	for n := int64(1); n <= sent; n++ {
		w.must(w.server.bus.Publish(patient.Org(), ward.Notice{Kind: "entry", Person: patient.Person(), Seq: n}))
		if got, err := notice(fast); err != nil || got.Seq != n {
			t.Fatalf("who reads got %+v, %v; want number %d", got, err, n)
		}
	}
	if answer := w.hand(patient).send("GET", "/api/locks", nil); answer.Code != http.StatusOK {
		t.Errorf("meanwhile a request is answered with %d %s", answer.Code, answer.Body)
	}
	var last ward.Notice
	for {
		got, err := notice(slow)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the slow reader's stream does not end: %v", err)
		}
		last = got
	}
	if last.Seq == sent {
		t.Error("the slow reader's stream ended, and only after everything")
	}
	reading.Close() // before the server stops, which waits for whoever still reads
}
