package visits

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // as TURN's credentials are made (draft-uberti-behave-turn-rest-00)
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"ward"
)

// A relay (TURN, RFC 8656) is the way of media out of networks that let nothing through but what looks like the web:
// over UDP on a port of its own, and over TLS on the port of the clinic's pages. It is Ward's own, and leads to one
// place: the media server's port on this machine. Sockets that it opens for people are bound to this machine and hear
// nobody else, so a firewall need not know them, and nobody reaches another host, or this one, through it.
type relay struct {
	udp    string // as browsers are told: turn:address:port?transport=udp, or empty
	tls    string // turns:host:port?transport=tcp, or empty
	key    []byte
	peer   net.IP // that browsers name: the media server's address
	target *net.UDPAddr
	stop   []func() error

	mu   sync.Mutex
	held map[string]int // sockets by whom they are for
}

const (
	// relayLife is how long credentials are good for: longer than visits are, and whoever connects again is given new
	// ones.
	relayLife = 4 * time.Hour
	// relaysEach is how many sockets one member may hold: over UDP and TLS, and as many again while they reconnect.
	relaysEach = 6
	// relaysAll is how many there may be in all.
	relaysAll = 2000
	// relayIdle is how long nothing may come over a TCP connection: allocations are renewed within their ten minutes.
	relayIdle  = 11 * time.Minute
	relayRealm = "ward"
)

// startRelay relays to the media server. Over TLS it begins when Visits.RelayOver is given connections.
func startRelay(c MediaConfig, mediaPort int) (*relay, error) {
	peer := net.ParseIP(c.Address)
	if c.Address == "" {
		peer = net.IPv4(127, 0, 0, 1)
	}
	here, err := onThisMachine(peer)
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	r := &relay{key: make([]byte, 32), peer: peer, target: &net.UDPAddr{IP: here, Port: mediaPort}, held: map[string]int{}}
	rand.Read(r.key)
	if c.RelayTLS != "" {
		r.tls = "turns:" + c.RelayTLS + "?transport=tcp"
	}
	if c.RelayPort > 0 {
		conn, err := net.ListenPacket("udp", net.JoinHostPort(listenOn(peer), strconv.Itoa(c.RelayPort)))
		if err != nil {
			return nil, fmt.Errorf("relay: %w", err)
		}
		r.udp = "turn:" + net.JoinHostPort(peer.String(), strconv.Itoa(c.RelayPort)) + "?transport=udp"
		err = r.serve(turn.ServerConfig{PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: r, PermissionHandler: r.permits}}})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("relay: %w", err), conn.Close())
		}
	}
	return r, nil
}

// listenOn is the address to listen on: this machine alone if media stays on it.
func listenOn(peer net.IP) string {
	if peer.IsLoopback() {
		return peer.String()
	}
	return ""
}

// over relays what comes over these connections, which TLS was taken off already.
func (r *relay) over(listener net.Listener) error {
	listener = &bounded{Listener: listener, room: make(chan struct{}, relaysAll)}
	return r.serve(turn.ServerConfig{ListenerConfigs: []turn.ListenerConfig{{Listener: listener, RelayAddressGenerator: r, PermissionHandler: r.permits}}})
}

func (r *relay) serve(c turn.ServerConfig) error {
	c.Realm, c.AuthHandler, c.QuotaHandler = relayRealm, r.authenticate, r.hasRoom
	c.EventHandler = turn.EventHandler{
		OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { r.count(user, 1) },
		OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { r.count(user, -1) },
	}
	c.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard} // its lines hold addresses
	server, err := turn.NewServer(c)
	if err != nil {
		return err
	}
	r.stop = append(r.stop, server.Close)
	return nil
}

func (r *relay) close() error {
	var err error
	for _, stop := range r.stop {
		err = errors.Join(err, stop())
	}
	return err
}

// pass gives a member who enters a room the way through the relay. The name in it is the same for them each time, so that
// they hold no more sockets by asking again, and says nothing of them.
func (r *relay) pass(now time.Time, visit ward.VisitID, member string) []ward.VisitRelay {
	if r == nil {
		return nil
	}
	var urls []string
	for _, url := range []string{r.udp, r.tls} {
		if url != "" {
			urls = append(urls, url)
		}
	}
	if len(urls) == 0 {
		return nil
	}
	user := strconv.FormatInt(now.Add(relayLife).Unix(), 10) + ":" + r.mac("holder\n"+string(visit)+"\n"+member)
	return []ward.VisitRelay{{URLs: urls, Username: user, Credential: r.password(user)}}
}

func (r *relay) password(user string) string { return r.mac(user) }

func (r *relay) mac(text string) string {
	mac := hmac.New(sha1.New, r.key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// holder is the part of a name that is the same for a member each time.
func holder(user string) string {
	_, of, _ := strings.Cut(user, ":")
	return of
}

func (r *relay) authenticate(a *turn.RequestAttributes) (user string, key []byte, ok bool) {
	until, _, _ := strings.Cut(a.Username, ":")
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || time.Now().Unix() > end {
		return "", nil, false
	}
	return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, r.password(a.Username)), true
}

// permits lets people reach the media server and nothing else.
func (r *relay) permits(_ net.Addr, peer net.IP) bool { return peer.Equal(r.peer) }

func (r *relay) hasRoom(user, _ string, _ net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := 0
	for _, n := range r.held {
		all += n
	}
	return r.held[holder(user)] < relaysEach && all < relaysAll
}

func (r *relay) count(user string, change int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := holder(user)
	if r.held[of] += change; r.held[of] <= 0 {
		delete(r.held, of)
	}
}

// bounded keeps those who have no credentials from holding every connection that this machine has.
type bounded struct {
	net.Listener
	room chan struct{}
}

// Accept waits for the next connection for which there is room.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.room <- struct{}{}:
			return &idleConn{Conn: conn, leave: sync.OnceFunc(func() { <-b.room })}, nil
		default:
			conn.Close()
		}
	}
}

// idleConn ends when nothing came over it for long.
type idleConn struct {
	net.Conn
	leave func()
}

func (c *idleConn) Read(into []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(relayIdle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(into)
}

// Close makes room for another.
func (c *idleConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// Validate is of turn.RelayAddressGenerator.
func (r *relay) Validate() error { return nil }

// AllocatePacketConn opens a socket for someone, which reaches the media server alone.
func (r *relay) AllocatePacketConn(turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: r.target.IP})
	if err != nil {
		return nil, nil, err
	}
	port := conn.LocalAddr().(*net.UDPAddr).Port
	return &toMedia{conn, r.target, &net.UDPAddr{IP: r.peer, Port: r.target.Port}}, &net.UDPAddr{IP: r.peer, Port: port}, nil
}

var errNoTCP = errors.New("this relay carries UDP alone")

// AllocateListener is of turn.RelayAddressGenerator: TCP towards others is not relayed.
func (r *relay) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn is of turn.RelayAddressGenerator too.
func (r *relay) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// toMedia is a socket to the media server's port on this machine, which browsers know by another address where the
// network translates addresses. What is for or from anywhere else goes nowhere.
type toMedia struct {
	*net.UDPConn
	target *net.UDPAddr // on this machine
	known  *net.UDPAddr // to browsers
}

func (t *toMedia) WriteTo(data []byte, to net.Addr) (int, error) {
	if udp, ok := to.(*net.UDPAddr); !ok || udp.Port != t.known.Port || !udp.IP.Equal(t.known.IP) {
		return len(data), nil
	}
	return t.UDPConn.WriteTo(data, t.target)
}

func (t *toMedia) ReadFrom(into []byte) (int, net.Addr, error) {
	for {
		n, from, err := t.ReadFromUDP(into)
		if err != nil {
			return n, from, err
		}
		if from.Port == t.target.Port && from.IP.Equal(t.target.IP) {
			return n, t.known, nil
		}
	}
}

// onThisMachine finds the address under which this machine has the one that browsers use: that itself, or, where the
// network translates it, the one that leads outside.
func onThisMachine(address net.IP) (net.IP, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(address) || address.IsLoopback() {
			return address, nil
		}
	}
	conn, err := net.Dial("udp", net.JoinHostPort(address.String(), "9")) // sends nothing: it asks which way it would go
	if err != nil {
		return nil, fmt.Errorf("no way from this machine to %s (hint: is media-address right?)", address)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP, nil
}
