package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listen keeps to the numbers of connections, in all and of one network, before anything of them is read. It goes under
// TLS. With the PROXY protocol (version 2, as HAProxy describes it) the connections of known proxies, and no others, begin by
// naming their client.
func Listen(listener net.Listener, known []netip.Prefix, proxyProtocol bool) net.Listener {
	d := &door{Listener: listener, proxies: known, asks: proxyProtocol, of: map[string]int{}, come: make(chan net.Conn)}
	d.ctx, d.end = context.WithCancel(context.Background())
	if d.asks {
		d.asking.Go(d.ask)
	}
	return d
}

type door struct {
	net.Listener
	proxies proxies
	asks    bool

	mu  sync.Mutex
	all int
	of  map[string]int // by network

	come   chan net.Conn // whose client is known
	ctx    context.Context
	end    func()
	err    error // of the listener, once ctx has ended
	asking sync.WaitGroup
}

// Accept waits for the next connection that there is room for.
func (d *door) Accept() (net.Conn, error) {
	if !d.asks {
		return d.next()
	}
	select {
	case conn := <-d.come:
		return conn, nil
	case <-d.ctx.Done():
		return nil, d.err
	}
}

// Close ends the listener, and waits for those whose client is not known yet.
func (d *door) Close() error {
	err := d.Listener.Close()
	d.asking.Wait()
	return err
}

// next is the next connection, counted. A known proxy's are its clients', so only their number in all counts.
func (d *door) next() (*entered, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		e := &entered{Conn: conn, door: d}
		address, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		e.isProxy = err == nil && d.proxies.include(address.Addr())
		if !e.isProxy {
			e.network = Network(conn.RemoteAddr().String())
		}
		if d.enter(e) {
			return e, nil
		}
		conn.Close()
	}
}

// enter counts a connection, if there is room.
func (d *door) enter(e *entered) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= maxConnections || e.network != "" && d.of[e.network] >= maxConnectionsEach {
		return false
	}
	d.all++
	if e.network != "" {
		d.of[e.network]++
	}
	return true
}

// name counts a connection of a proxy as one of a network, if there is room.
func (d *door) name(e *entered, network string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[network] >= maxConnectionsEach {
		return false
	}
	d.of[network]++
	e.network = network
	return true
}

func (d *door) leave(e *entered) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if e.network == "" {
		return
	}
	if d.of[e.network]--; d.of[e.network] == 0 {
		delete(d.of, e.network)
	}
}

// ask has each proxy's connection name its client, and passes on others as they are. None waits for another.
func (d *door) ask() {
	var named sync.WaitGroup
	defer named.Wait()
	defer d.end()
	for {
		e, err := d.next()
		if err != nil {
			d.err = err
			return
		}
		named.Go(func() {
			if e.isProxy && !d.isNamed(e) {
				e.Close()
				return
			}
			select {
			case d.come <- e:
			case <-d.ctx.Done():
				e.Close()
			}
		})
	}
}

// isNamed reads whose a proxy's connection is.
func (d *door) isNamed(e *entered) bool {
	defer context.AfterFunc(d.ctx, func() { e.Conn.Close() })()
	e.SetDeadline(time.Now().Add(headerTimeout))
	client, err := readProxyHeader(e.Conn)
	if err != nil || e.SetDeadline(time.Time{}) != nil {
		return false
	}
	if !client.IsValid() {
		return true // the proxy's own, which asks whether Ward is there
	}
	e.client = net.TCPAddrFromAddrPort(client)
	return d.name(e, Network(client.String()))
}

// entered is a connection that counts until it is closed.
type entered struct {
	net.Conn
	door    *door
	isProxy bool
	network string   // that it counts for; empty for a proxy's own
	client  net.Addr // whom a proxy named
	once    sync.Once
}

// RemoteAddr is the client's.
func (e *entered) RemoteAddr() net.Addr {
	if e.client != nil {
		return e.client
	}
	return e.Conn.RemoteAddr()
}

// Close closes the connection.
func (e *entered) Close() error {
	e.once.Do(func() { e.door.leave(e) })
	return e.Conn.Close()
}

// The header of the PROXY protocol, version 2: a signature, version and command, family, length of what follows; then two
// addresses, two ports, and further fields, which Ward does not need.
var proxySignature = []byte("\r\n\r\n\x00\r\nQUIT\n")

const (
	proxyLocal   = 0x20 // the proxy's own connection
	proxyForward = 0x21
	proxyTCP4    = 0x11
	proxyTCP6    = 0x21
	// maxProxyHeader is how long what follows may be: addresses take 36 bytes, and fields about TLS a few hundred.
	maxProxyHeader = 4 << 10
)

// readProxyHeader reads a header and no byte more. A proxy's own connection has no client.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	var none netip.AddrPort
	head := make([]byte, 16)
	if _, err := io.ReadFull(r, head); err != nil {
		return none, fmt.Errorf("PROXY header: %w", err)
	}
	size := int(binary.BigEndian.Uint16(head[14:]))
	if !bytes.Equal(head[:12], proxySignature) || size > maxProxyHeader {
		return none, errors.New("PROXY header: it is not one of version 2")
	}
	rest := make([]byte, size)
	if _, err := io.ReadFull(r, rest); err != nil {
		return none, fmt.Errorf("PROXY header: %w", err)
	}
	switch {
	case head[12] == proxyLocal:
		return none, nil
	case head[12] == proxyForward && head[13] == proxyTCP4 && size >= 12:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[:4])), binary.BigEndian.Uint16(rest[8:])), nil
	case head[12] == proxyForward && head[13] == proxyTCP6 && size >= 36:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(rest[:16])).Unmap(), binary.BigEndian.Uint16(rest[32:])), nil
	}
	return none, errors.New("PROXY header: it names no client of TCP")
}
