package server

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// A dialled is a connection from an address of the test's choice, inside this process.
type dialled struct {
	net.Conn
	from string
}

func (d *dialled) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(d.from))
}

func (p *pipes) dialFrom(from string) net.Conn {
	here, there := net.Pipe()
	p.coming <- &dialled{there, from}
	return here
}

// accepting hands out what a listener accepts.
func accepting(l net.Listener) <-chan net.Conn {
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	return accepted
}

// isClosed tells whether the server has closed its end.
func isClosed(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// One network has so many connections and no more, in whatever form its addresses come; others come in meanwhile.
func TestConnectionsOfANetworkAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		listener := Listen(p, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, false)
		accepted := accepting(listener)
		defer listener.Close()
		var held []net.Conn
		for n := range maxConnectionsEach {
			from := "198.51.100.1:1"
			if n%2 == 1 {
				from = "[::ffff:198.51.100.1]:1"
			}
			p.dialFrom(from)
			held = append(held, <-accepted)
		}
		if over := p.dialFrom("198.51.100.1:2"); !isClosed(over) {
			t.Errorf("connection %d of a network is let in", maxConnectionsEach+1)
		}
		for _, from := range []string{"198.51.100.2:1", "10.0.0.1:1"} {
			p.dialFrom(from)
			held = append(held, <-accepted)
		}
		held[0].Close()
		held[0].Close() // counts once
		p.dialFrom("198.51.100.1:3")
		held[0] = <-accepted
		if over := p.dialFrom("198.51.100.1:4"); !isClosed(over) {
			t.Error("closing one made room for two")
		}
		for n := 0; len(held) < maxConnections; n++ { // of a proxy, who has no limit but that of all
			p.dialFrom("10.0.0.1:1")
			held = append(held, <-accepted)
		}
		if over := p.dialFrom("192.0.2.9:1"); !isClosed(over) {
			t.Errorf("connection %d of all is let in", maxConnections+1)
		}
		for _, conn := range held {
			conn.Close()
		}
		d := listener.(*door)
		if d.all != 0 || len(d.of) != 0 {
			t.Errorf("%d are counted after all were closed, of %v", d.all, d.of)
		}
	})
}

func proxyHeader(command, family byte, fields string) []byte {
	rest, err := hex.DecodeString(fields)
	if err != nil {
		panic(err)
	}
	head := append(bytes.Clone(proxySignature), command, family)
	return append(binary.BigEndian.AppendUint16(head, uint16(len(rest))), rest...)
}

const (
	fields4 = "c6336401" + "0a000001" + "1267" + "01bb"                                                                    // 198.51.100.1:4711
	fields6 = "20010db8000000000000000000000007" + "fd000000000000000000000000000001" + "1267" + "01bb" + "030004a1b2c3d4" // and a field that Ward does not know
)

// A known proxy's connections begin by naming their client, and nobody else's may.
func TestProxyProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		listener := Listen(p, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, true)
		accepted := accepting(listener)
		silent := p.dialFrom("10.0.0.1:9") // keeps nobody waiting
		for _, c := range []struct {
			name, from string
			header     []byte
			client     string // empty: turned away
		}{
			{"a client of the proxy", "10.0.0.1:1", proxyHeader(proxyForward, proxyTCP4, fields4), "198.51.100.1:4711"},
			{"one of IPv6, with more fields", "10.0.0.1:1", proxyHeader(proxyForward, proxyTCP6, fields6), "[2001:db8::7]:4711"},
			{"the proxy itself", "10.0.0.1:1", proxyHeader(proxyLocal, 0, ""), "10.0.0.1:1"},
			{"somebody else", "203.0.113.5:1", nil, "203.0.113.5:1"},
			{"somebody who says they are another", "203.0.113.5:1", proxyHeader(proxyForward, proxyTCP4, fields4), "203.0.113.5:1"},
			{"no header", "10.0.0.1:1", []byte("GET / HTTP/1.1\r\n\r\n"), ""},
			{"version 1", "10.0.0.1:1", []byte("PROXY TCP4 198.51.100.1 10.0.0.1 4711 443\r\n"), ""},
			{"another version", "10.0.0.1:1", proxyHeader(0x31, proxyTCP4, fields4), ""},
			{"another command", "10.0.0.1:1", proxyHeader(0x22, proxyTCP4, fields4), ""},
			{"UDP", "10.0.0.1:1", proxyHeader(proxyForward, 0x12, fields4), ""},
			{"a socket of the system", "10.0.0.1:1", proxyHeader(proxyForward, 0x31, fields6), ""},
			{"addresses cut short", "10.0.0.1:1", proxyHeader(proxyForward, proxyTCP4, fields4[:22]), ""},
			{"addresses of the other family", "10.0.0.1:1", proxyHeader(proxyForward, proxyTCP6, fields4), ""},
		} {
			conn := p.dialFrom(c.from)
			go conn.Write(append(c.header, "hello"...))
			if c.client == "" {
				if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
					t.Errorf("%s: not turned away: %d, %v", c.name, n, err)
				}
				continue
			}
			got := <-accepted
			if from := got.RemoteAddr().String(); from != c.client {
				t.Errorf("%s: comes from %s; want %s", c.name, from, c.client)
			}
			first := make([]byte, 5)
			want := "hello"
			if c.from != "10.0.0.1:1" && c.header != nil {
				want = string(c.header[:5]) // which is no HTTP
			}
			if _, err := io.ReadFull(got, first); err != nil || string(first) != want {
				t.Errorf("%s: then %q, %v", c.name, first, err)
			}
			got.Close()
			conn.Close()
		}
		start := time.Now()
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(start) > headerTimeout {
			t.Errorf("a proxy that names nobody: %v after %s", err, time.Since(start))
		}
		late := p.dialFrom("10.0.0.1:1")
		listener.Close()
		if !isClosed(late) {
			t.Error("the listener is closed, and a connection is not")
		}
		if d := listener.(*door); d.all != 0 || len(d.of) != 0 {
			t.Errorf("%d are counted after all were closed, of %v", d.all, d.of)
		}
	})
}

// What a proxy names counts for its client's network.
func TestConnectionsOfAProxysClientAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		listener := Listen(p, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, true)
		accepted := accepting(listener)
		defer listener.Close()
		for range maxConnectionsEach {
			go p.dialFrom("10.0.0.1:1").Write(proxyHeader(proxyForward, proxyTCP4, fields4))
			defer (<-accepted).Close()
		}
		over := p.dialFrom("10.0.0.1:1")
		go over.Write(proxyHeader(proxyForward, proxyTCP4, fields4))
		if _, err := over.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("connection %d of a client is let in", maxConnectionsEach+1)
		}
		go p.dialFrom("10.0.0.1:1").Write(proxyHeader(proxyForward, proxyTCP6, fields6))
		(<-accepted).Close()
	})
}

func FuzzProxyHeader(f *testing.F) {
	f.Add(proxyHeader(proxyForward, proxyTCP4, fields4))
	f.Add(proxyHeader(proxyForward, proxyTCP6, fields6))
	f.Add(proxyHeader(proxyLocal, 0, ""))
	f.Add([]byte("PROXY TCP4 198.51.100.1 10.0.0.1 4711 443\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		client, err := readProxyHeader(r)
		if err != nil {
			return
		}
		read := len(b) - r.Len()
		if size := 16 + int(binary.BigEndian.Uint16(b[14:])); read != size {
			t.Errorf("%d bytes were read of a header of %d", read, size)
		}
		if again, err := readProxyHeader(bytes.NewReader(b[:read])); err != nil || again != client {
			t.Errorf("%v, and again %v, %v", client, again, err)
		}
	})
}
