package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/client"
)

const (
	doorConnections = 1000     // idle ones, and as many slow ones
	doorEach        = 250      // connections of one network
	doorPeople      = 4        // who send slowly, too
	doorBody        = 12 << 10 // bytes of a body where anybody is listened to
	doorGoal        = 150      // MB
	doorWatch       = 5 * time.Second
)

// benchDoor measures the memory of the real server that 1,000 idle connections and 1,000 slow ones take. The slow are
// nobody's, who send all of a body but its end; then people of the clinic do the same over as many more, and hold what one
// organisation may. Networks are addresses of this machine.
func benchDoor(ctx context.Context, b *bencher) error {
	if err := binary(ctx); err != nil {
		return err
	}
	served, err := serveEmpty(ctx, "")
	if err != nil {
		return err
	}
	defer served.stop()
	people, err := doorPersons(ctx, served)
	if err != nil {
		return err
	}
	before, err := residentMB(served.process.Process.Pid)
	if err != nil {
		return err
	}
	holding, cancel := context.WithCancel(ctx)
	held := &heldConnections{ctx: holding, end: cancel, address: strings.TrimPrefix(served.origin, "http://")}
	defer held.close()
	for n := range doorConnections {
		if err := held.idle(n); err != nil {
			return err
		}
	}
	idle, err := residentMB(served.process.Process.Pid)
	if err != nil {
		return err
	}
	for n := range doorConnections {
		if err := held.stranger(n); err != nil {
			return err
		}
	}
	slow, err := mostMB(served.process.Process.Pid)
	if err != nil {
		return err
	}
	held.people(people, doorPeople*doorEach)
	full, err := mostMB(served.process.Process.Pid)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := isAlive(ctx, served.origin); err != nil {
		return fmt.Errorf("meanwhile nobody is answered: %w", err)
	}
	b.print("door: memory of the server, nobody there", before, "MB", noGoal)
	b.print("door: memory, 1,000 idle connections", idle, "MB", noGoal)
	b.print("door: memory, 1,000 idle and 1,000 slow ones", slow, "MB", atMost(doorGoal))
	b.print("door: memory, and people who hold all they may", full, "MB", noGoal)
	b.print("door: another's request meanwhile", float64(time.Since(start).Microseconds())/1000, "ms", noGoal)
	return nil
}

// A person is a person of the clinic and the way that their requests go.
type person struct {
	*client.Client
	http *http.Client
}

func doorPersons(ctx context.Context, served *served) ([]person, error) {
	founder := client.New(client.Config{Origin: served.origin})
	if _, err := founder.Accept(ctx, served.link, client.About{Given: "Ada", Family: "Okafor", PasskeyName: "x"}); err != nil {
		return nil, err
	}
	people := make([]person, doorPeople)
	for i := range people {
		about := client.About{Given: "Some", Family: fmt.Sprintf("Patient %d", i), PasskeyName: "x", Consent: "yes"}
		invited, err := founder.Invite(ctx, about, false, ward.Patient)
		if err != nil {
			return nil, err
		}
		hc := &http.Client{Transport: &http.Transport{}}
		people[i] = person{client.New(client.Config{Origin: served.origin, HTTP: hc}), hc}
		if _, err := people[i].Accept(ctx, invited.Link, about); err != nil {
			return nil, err
		}
	}
	return people, nil
}

// heldConnections are connections that stay.
type heldConnections struct {
	ctx     context.Context
	end     func()
	address string
	mu      sync.Mutex
	conns   []net.Conn
	sending sync.WaitGroup
}

// dial connects from the nth address of this machine's own network.
func (h *heldConnections) dial(ctx context.Context, n int) (net.Conn, error) {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n/doorEach))}
	_, port, err := net.SplitHostPort(h.address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{LocalAddr: from}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, conn)
	return conn, nil
}

// idle connects, asks once, and stays.
func (h *heldConnections) idle(n int) error {
	conn, err := h.dial(h.ctx, n)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "GET /api/health HTTP/1.1\r\nHost: %s\r\n\r\n", h.address); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// stranger sends a body, and not its end: a large one where the server need not listen, and a small one where it must.
func (h *heldConnections) stranger(n int) error {
	conn, err := h.dial(h.ctx, doorConnections+n)
	if err != nil {
		return err
	}
	path, size := "/api/locks/"+strings.Repeat("a", 26)+"/entries", ward.MaxBody
	if n%2 == 0 {
		path, size = "/api/recovery/open", doorBody
	}
	h.sending.Go(func() {
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", path, h.address, size)
		conn.Write(make([]byte, size-1)) // the server may have had enough before
	})
	return nil
}

// people send large bodies with all that a request must have, and not their end.
func (h *heldConnections) people(all []person, connections int) {
	body := []byte(`{"entries":[` + strings.Repeat(" ", ward.MaxBody-14) + `]}`)
	for i, who := range all {
		who.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := h.dial(ctx, 2*doorConnections+i*doorEach)
			return &stopping{Conn: conn, left: len(body), ctx: h.ctx}, err
		}}
	}
	for n := range connections {
		h.sending.Go(func() {
			answer, err := all[n%len(all)].Send(h.ctx, http.MethodPost, "/api/locks/"+strings.Repeat("a", 26)+"/entries", body)
			if err == nil {
				answer.Body.Close()
			}
		})
	}
}

func (h *heldConnections) close() {
	h.end()
	h.mu.Lock()
	for _, conn := range h.conns {
		conn.Close()
	}
	h.mu.Unlock()
	h.sending.Wait()
}

// stopping is a connection on which only so many bytes are sent.
type stopping struct {
	net.Conn
	left int
	ctx  context.Context
}

func (s *stopping) Write(b []byte) (int, error) {
	if len(b) > s.left {
		s.Conn.Write(b[:s.left])
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	s.left -= len(b)
	return s.Conn.Write(b)
}

func isAlive(ctx context.Context, origin string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+"/api/clinic", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// mostMB is the most memory that a process has for a while.
func mostMB(pid int) (float64, error) {
	most := 0.0
	for until := time.Now().Add(doorWatch); time.Now().Before(until); time.Sleep(doorWatch / 50) {
		now, err := residentMB(pid)
		if err != nil {
			return 0, err
		}
		most = max(most, now)
	}
	return most, nil
}

// residentMB is a process's memory (Linux).
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			return float64(kb) / 1024, err
		}
	}
	return 0, errors.New("this system does not tell a program's memory")
}
