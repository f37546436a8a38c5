package visits

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"
	lk "github.com/livekit/livekit-server/test/client"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"ward"
)

// studio is a media server with LiveKit's own client at it, in the place of browsers.
type studio struct {
	t     *testing.T
	media *Media
	url   string
	visit ward.VisitID
	heard chan string
	out   sync.Map // who was taken out
}

func newStudio(t *testing.T, c MediaConfig) *studio {
	t.Helper()
	s := &studio{t: t, visit: ward.NewID[ward.VisitID](), heard: make(chan string, 100)}
	tell := func(what string) func(ward.VisitID, string) {
		return func(_ ward.VisitID, who string) { s.heard <- what + " " + who }
	}
	c.Log = slog.New(slog.DiscardHandler)
	media, err := startMedia(c, &roomEvents{
		joined: tell("joined"), left: tell("left"), clear: tell("clear"), back: tell("back"),
		isIn: func(_ ward.VisitID, who string) bool { _, out := s.out.Load(who); return !out },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.media = media
	t.Cleanup(func() { media.Close() })
	listener := httptest.NewServer(media)
	t.Cleanup(listener.Close)
	s.url = strings.Replace(listener.URL, "http", "ws", 1)
	if c.URL != "" {
		s.url = c.URL
	}
	return s
}

// until waits until something is heard, or fails.
func (s *studio) until(what string) {
	s.t.Helper()
	end := time.After(patience)
	for {
		select {
		case got := <-s.heard:
			if got == what {
				return
			}
		case <-end:
			s.t.Fatalf("not heard: %s", what)
		}
	}
}

// seat is someone connected.
type seat struct {
	*lk.RTCClient
	mu    sync.Mutex
	join  *livekit.JoinResponse
	ways  []string // what the server said of where it is
	ended chan struct{}
}

// enter connects a member. Clear: their tracks say that they are not encrypted. Relays: only through them.
func (s *studio) enter(member string, clear bool, relays ...ward.VisitRelay) *seat {
	s.t.Helper()
	at := s.come(member, clear, relays...)
	if err := at.WaitUntilConnected(patience); err != nil {
		s.t.Fatal(err)
	}
	return at
}

// come does not wait until they are connected.
func (s *studio) come(member string, clear bool, relays ...ward.VisitRelay) *seat {
	s.t.Helper()
	token, err := s.media.Token(s.visit, member)
	if err != nil {
		s.t.Fatal(err)
	}
	at := &seat{ended: make(chan struct{})}
	options := &lk.Options{AutoSubscribe: true, ForceRelay: len(relays) > 0}
	options.SignalResponseInterceptor = func(r *livekit.SignalResponse, next lk.SignalResponseHandler) error {
		if join := r.GetJoin(); join != nil {
			at.mu.Lock()
			at.join = join
			at.mu.Unlock()
			for i, relay := range relays {
				if i == 0 {
					join.IceServers = nil
				}
				join.IceServers = append(join.IceServers, &livekit.ICEServer{Urls: relay.URLs, Username: relay.Username, Credential: relay.Credential})
			}
		}
		at.mu.Lock()
		at.ways = append(at.ways, r.GetOffer().GetSdp(), r.GetAnswer().GetSdp(), r.GetTrickle().GetCandidateInit())
		at.mu.Unlock()
		return next(r)
	}
	options.SignalRequestInterceptor = func(r *livekit.SignalRequest, next lk.SignalRequestHandler) error {
		if add := r.GetAddTrack(); add != nil && !clear {
			add.Encryption = livekit.Encryption_GCM
		}
		return next(r)
	}
	conn, err := lk.NewWebSocketConn(s.url, token, options)
	if err != nil {
		s.t.Fatal(err)
	}
	if at.RTCClient, err = lk.NewRTCClient(conn, false, options); err != nil {
		s.t.Fatal(err)
	}
	go func() { at.Run(); close(at.ended) }()
	s.t.Cleanup(at.Stop)
	return at
}

// patience is how long a test waits for what must come, also on a machine that has much else to do.
const patience = 40 * time.Second

// hears waits until a member gets someone's sound, or not.
func (s *studio) hears(at *seat, want bool) {
	s.t.Helper()
	start, wait := time.Now(), patience
	if !want {
		wait = 2 * time.Second
	}
	for ; time.Since(start) < wait; time.Sleep(50 * time.Millisecond) {
		if at.BytesReceived() > 0 {
			if !want {
				s.t.Errorf("media arrived that should not")
			}
			return
		}
	}
	if want {
		s.t.Errorf("no media arrived")
	}
}

func TestTheMediaServerForwardsSealedTracksAndNoData(t *testing.T) {
	s := newStudio(t, MediaConfig{})
	okafor, amina := s.enter("okafor", false), s.enter("amina", false)
	s.until("joined amina")
	var data sync.Map
	okafor.OnDataReceived = func(d []byte, _ string) { data.Store("heard", string(d)) }
	if _, err := amina.AddStaticTrack("audio/opus", "sound", "amina"); err != nil {
		t.Fatal(err)
	}
	s.hears(okafor, true)
	for range 5 {
		if err := amina.PublishData([]byte("hello"), livekit.DataPacket_RELIABLE); err != nil {
			break // refused already
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Second)
	if got, ok := data.Load("heard"); ok {
		t.Errorf("the media server forwarded %q", got)
	}
	amina.Stop()
	s.until("left amina")
}

func TestWhoSendsInTheClearIsPutOut(t *testing.T) {
	s := newStudio(t, MediaConfig{})
	okafor := s.enter("okafor", false)
	mallory := s.enter("mallory", true)
	mallory.AddStaticTrack("audio/opus", "sound", "mallory") // which fails, or ends with the connection
	s.until("clear mallory")
	s.hears(okafor, false)
	select {
	case <-mallory.ended:
	case <-time.After(patience):
		t.Error("who sent in the clear is still connected")
	}
}

func TestWhoWasTakenOutDoesNotComeBackWithAnOldToken(t *testing.T) {
	s := newStudio(t, MediaConfig{})
	guest := s.enter("guest", false)
	s.until("joined guest")
	s.media.Remove(t.Context(), s.visit, "guest")
	<-guest.ended
	s.out.Store("guest", true)
	again := s.come("guest", false)
	s.until("back guest")
	<-again.ended
}

func TestWhoFloodsARoomWithTracksIsPutOut(t *testing.T) {
	s := newStudio(t, MediaConfig{})
	mallory := s.enter("mallory", false)
	for i := range tracksEach + 2 {
		if err := mallory.SendAddTrack(fmt.Sprint("track", i), "audio/opus", "x", livekit.TrackType_AUDIO); err != nil {
			break
		}
	}
	s.until("clear mallory")
}

func TestAVisitHasRoomForItsMembersAndNoMore(t *testing.T) {
	s := newStudio(t, MediaConfig{})
	for i := range maxInRoom {
		s.enter(fmt.Sprint("member", i), false)
	}
	token, err := s.media.Token(s.visit, "oneMore")
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := lk.NewWebSocketConn(s.url, token, nil); err == nil {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, text, err := conn.ReadMessage(); err == nil && strings.Contains(string(text), "oneMore") {
			t.Errorf("one more came in")
		}
		conn.Close()
	}
}

// Without a server of its own LiveKit names one of Google's, which would learn who meets when.
func TestBrowsersAreSentToNobodyButWard(t *testing.T) {
	for name, c := range map[string]MediaConfig{"without a relay": {}, "with a relay": {RelayPort: freePort(t)}} {
		s := newStudio(t, c)
		at := s.enter("okafor", false)
		at.mu.Lock()
		servers := at.join.IceServers
		at.mu.Unlock()
		for _, relay := range s.media.relay.pass(time.Now(), s.visit, "member1") {
			servers = append(servers, &livekit.ICEServer{Urls: relay.URLs})
		}
		if len(servers) == 0 {
			t.Errorf("%s: LiveKit names no server, so its clients would take their own", name)
		}
		for _, server := range servers {
			for _, url := range server.Urls {
				if !strings.HasPrefix(url, "stun:127.0.0.1:") && !strings.HasPrefix(url, "turn:127.0.0.1:") {
					t.Errorf("%s: browsers are sent to %s", name, url)
				}
			}
		}
	}
}

// A firewall has to know the ports, so there are no others.
func TestMediaComesInAtThePortsThatAreSet(t *testing.T) {
	for _, withTCP := range []bool{false, true} {
		udp, tcp := freePort(t), freePort(t)
		c := MediaConfig{UDPPort: udp}
		if withTCP {
			c.TCPPort = tcp
		}
		s := newStudio(t, c)
		at := s.enter("okafor", false)
		at.mu.Lock()
		said := strings.Join(at.ways, "\n")
		at.mu.Unlock()
		ways := map[string]bool{}
		for _, way := range regexp.MustCompile(`candidate:\S+ \d (udp|tcp) \d+ (\S+ \d+)`).FindAllStringSubmatch(said, -1) {
			ways[way[1]+" "+way[2]] = true
		}
		want := map[string]bool{fmt.Sprint("udp 127.0.0.1 ", udp): true}
		if c.TCPPort > 0 {
			want[fmt.Sprint("tcp 127.0.0.1 ", tcp)] = true
		}
		if diff := cmp.Diff(want, ways); diff != "" {
			t.Errorf("media server at (-want +got):\n%s", diff)
		}
		if conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", tcp)); (err == nil) != (c.TCPPort > 0) {
			t.Errorf("TCP port %d: %v", c.TCPPort, err)
		} else if err == nil {
			conn.Close()
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := freeUDPPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestMediaGoesThroughTheRelay(t *testing.T) {
	s := newStudio(t, MediaConfig{RelayPort: freePort(t)})
	okafor := s.enter("okafor", false, s.media.relay.pass(time.Now(), s.visit, "member2")...)
	amina := s.enter("amina", false, s.media.relay.pass(time.Now(), s.visit, "member3")...)
	if _, err := amina.AddStaticTrack("audio/opus", "sound", "amina"); err != nil {
		t.Fatal(err)
	}
	s.hears(okafor, true)
	if !okafor.IsLocalCandidateRelaySelected() {
		t.Error("it did not go through the relay")
	}
}

// relayed opens a socket on the relay with these credentials.
func (s *studio) relayed(user, password string) (net.PacketConn, *turn.Client, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	s.t.Cleanup(func() { conn.Close() })
	address := strings.TrimSuffix(strings.TrimPrefix(s.media.relay.udp, "turn:"), "?transport=udp")
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: address, STUNServerAddr: address, Username: user, Password: password, Realm: relayRealm, Conn: conn, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		return nil, nil, err
	}
	s.t.Cleanup(client.Close)
	if err := client.Listen(); err != nil {
		return nil, nil, err
	}
	relayed, err := client.Allocate()
	return relayed, client, err
}

func TestTheRelayLeadsToTheMediaServerAndNowhereElse(t *testing.T) {
	s := newStudio(t, MediaConfig{RelayPort: freePort(t)})
	pass := s.media.relay.pass(time.Now(), s.visit, "member4")[0]
	relayed, client, err := s.relayed(pass.Username, pass.Credential)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"192.0.2.1", "10.0.0.1", "169.254.169.254", "127.0.0.2"} {
		if err := client.CreatePermission(&net.UDPAddr{IP: net.ParseIP(other), Port: 80}); err == nil {
			t.Errorf("the relay leads to %s", other)
		}
	}
	// Another port of the media server's own address is as far away.
	other, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := relayed.WriteTo([]byte("are you there"), other.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	other.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if n, from, err := other.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came through the relay from %s", n, from)
	}
	for why, c := range map[string][2]string{
		"a wrong password":       {pass.Username, "wrong"},
		"credentials that ended": {"1000000000:x", s.media.relay.password("1000000000:x")},
		"a name without an end":  {"x", s.media.relay.password("x")},
	} {
		if _, _, err := s.relayed(c[0], c[1]); err == nil {
			t.Errorf("the relay opens for %s", why)
		}
	}
	for range relaysEach - 1 {
		if _, _, err := s.relayed(pass.Username, pass.Credential); err != nil {
			t.Fatal(err)
		}
	}
	again := s.media.relay.pass(time.Now().Add(time.Minute), s.visit, "member4")[0] // asked for anew
	for _, p := range []ward.VisitRelay{pass, again} {
		if _, _, err := s.relayed(p.Username, p.Credential); err == nil {
			t.Errorf("one member holds more than %d sockets", relaysEach)
		}
	}
	another := s.media.relay.pass(time.Now(), s.visit, "member5")[0]
	if _, _, err := s.relayed(another.Username, another.Credential); err != nil {
		t.Errorf("one member keeps out another: %v", err)
	}
}

// liveKit is a whole LiveKit of its own, as an operator would run beside Ward.
func liveKit(t *testing.T, key, secret string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	conf, err := config.NewConfig(fmt.Sprintf(`{port: %d, bind_addresses: [127.0.0.1], rtc: {udp_port: %d, tcp_port: 0, node_ip: 127.0.0.1, enable_loopback_candidate: true, interfaces: {includes: [lo]}, stun_servers: ["127.0.0.1:%d"]}}`,
		port, freePort(t), port), true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	conf.Keys = map[string]string{key: secret}
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		t.Fatal(err)
	}
	initLiveKit.Do(func() { err = prometheus.Init(string(node.NodeID()), node.NodeType()) })
	if err != nil {
		t.Fatal(err)
	}
	server, err := service.InitializeServer(conf, node)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Start() }()
	t.Cleanup(func() { server.Stop(true); <-ended })
	for end := time.Now().Add(patience); !server.IsRunning(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("LiveKit does not start")
		}
	}
	return fmt.Sprintf("ws://127.0.0.1:%d", port)
}

func TestAnOutsideLiveKitRunsTheVisit(t *testing.T) {
	const key = "clinic"
	secret := strings.Repeat("s", 40)
	s := newStudio(t, MediaConfig{URL: liveKit(t, key, secret), Key: key, Secret: ward.Secret(secret)})
	okafor, amina := s.enter("okafor", false), s.enter("amina", false)
	s.until("joined amina")
	if _, err := amina.AddStaticTrack("audio/opus", "sound", "amina"); err != nil {
		t.Fatal(err)
	}
	s.hears(okafor, true)
	s.media.Remove(t.Context(), s.visit, "amina")
	s.until("left amina")
	mallory := s.enter("mallory", true)
	mallory.AddStaticTrack("audio/opus", "sound", "mallory")
	s.until("clear mallory")
	s.media.End(t.Context(), s.visit)
	s.until("left okafor")
}

func TestAnOutsideLiveKitNeedsItsKey(t *testing.T) {
	for why, c := range map[string]MediaConfig{
		"no secret":       {URL: "wss://media.test", Key: "clinic"},
		"a short secret":  {URL: "wss://media.test", Key: "clinic", Secret: "short"},
		"not a WebSocket": {URL: "https://media.test", Key: "clinic", Secret: ward.Secret(strings.Repeat("s", 40))},
	} {
		if m, err := startMedia(c, &roomEvents{}); err == nil {
			m.Close()
			t.Errorf("started with %s", why)
		}
	}
}

// TestATakenPortIsSaid has another program on the port for media. Where Ward chose the port itself, it knows by this error to
// try another.
func TestATakenPortIsSaid(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := MediaConfig{UDPPort: taken.LocalAddr().(*net.UDPAddr).Port, Log: slog.New(slog.DiscardHandler)}
	if _, err := startMedia(c, &roomEvents{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("with the port taken: %v", err)
	}
}
