package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"ward/server"
)

// A clinic has one port that every network lets through, so the relay of visits answers on it too. Browsers that want
// pages say so in the TLS handshake (ALPN), and are passed on as they are. Of the others, whose first byte is the start
// of a STUN message (RFC 8489: two zero bits, where HTTP has a letter) goes to the relay.

const (
	// handshakeTime is how long someone may take to say what they want.
	handshakeTime = 10 * time.Second
	// maxUndecided is how many may be asked at once, and maxUndecidedEach how many of one network: a handshake
	// takes a moment, and who only dawdles must not keep others out. More are turned away at once.
	maxUndecided, maxUndecidedEach = 10_000, 200
)

// apart divides the connections of a TLS listener. Closing pages closes both.
func apart(listener net.Listener) (pages, relay net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	d := &divided{Listener: listener, cancel: cancel, ended: ctx.Done(), undecided: map[string]int{}}
	p, r := &part{d, make(chan net.Conn)}, &part{d, make(chan net.Conn)}
	d.working.Go(func() { d.divide(ctx, p.conns, r.conns) })
	return p, r
}

type divided struct {
	net.Listener
	cancel  func()
	ended   <-chan struct{}
	working sync.WaitGroup
	once    sync.Once
	err     error

	mu        sync.Mutex
	undecided map[string]int // by network
	all       int
}

// ask takes one more connection of a network, if there is room.
func (d *divided) ask(network string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= maxUndecided || d.undecided[network] >= maxUndecidedEach {
		return false
	}
	d.all++
	d.undecided[network]++
	return true
}

func (d *divided) asked(network string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.undecided[network]--; d.undecided[network] == 0 {
		delete(d.undecided, network)
	}
}

func (d *divided) divide(ctx context.Context, pages, relay chan<- net.Conn) {
	for {
		conn, err := d.Accept()
		if err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			d.err = err
			d.cancel()
			return
		}
		network := server.Network(conn.RemoteAddr().String())
		if !d.ask(network) {
			conn.Close()
			continue
		}
		d.working.Go(func() {
			to, conn := pages, conn
			if secure, ok := conn.(*tls.Conn); ok {
				var isRelay bool
				if conn, isRelay, err = decide(ctx, secure); err != nil {
					secure.Close()
					d.asked(network)
					return
				}
				if isRelay {
					to = relay
				}
			}
			d.asked(network)
			select {
			case to <- conn:
			case <-ctx.Done():
				conn.Close()
			}
		})
	}
}

// decide finishes the handshake and tells what the other side wants.
func decide(ctx context.Context, conn *tls.Conn) (_ net.Conn, isRelay bool, err error) {
	conn.SetDeadline(time.Now().Add(handshakeTime))
	defer conn.SetDeadline(time.Time{})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, false, err
	}
	if conn.ConnectionState().NegotiatedProtocol != "" {
		return conn, false, nil
	}
	first := make([]byte, 1)
	if _, err := conn.Read(first); err != nil {
		return nil, false, err
	}
	return &begun{Conn: conn, first: first}, first[0]&0xc0 == 0, nil
}

// begun is a connection whose first byte was read already.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(into []byte) (int, error) {
	if len(b.first) > 0 && len(into) > 0 {
		n := copy(into, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(into)
}

// part is a listener of one sort of connection.
type part struct {
	*divided
	conns chan net.Conn
}

// Accept waits for the next connection.
func (p *part) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		if p.err != nil {
			return nil, p.err
		}
		return nil, net.ErrClosed
	}
}

// Close ends both parts.
func (p *part) Close() error {
	var err error
	p.once.Do(func() {
		p.cancel()
		err = p.Listener.Close()
	})
	return err
}
