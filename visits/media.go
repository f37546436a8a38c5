package visits

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/livekit/livekit-server/pkg/agent"
	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/sfu"
	"github.com/livekit/livekit-server/pkg/telemetry"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"
	"github.com/livekit/mediatransportutil/pkg/rtcconfig"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	"github.com/livekit/protocol/observability/roomobs"
	"github.com/livekit/protocol/rpc"
	"github.com/livekit/protocol/utils"
	"github.com/livekit/psrpc"
	"golang.org/x/time/rate"

	"ward"
)

// MediaConfig is where media goes in and out. The zero value serves people on this machine only.
type MediaConfig struct {
	Address string // the IP address that browsers reach the media ports at; empty: this machine's loopback
	UDPPort int    // media; 0: any free port
	TCPPort int    // media, where UDP is blocked; 0: none

	RelayPort int    // UDP, of the relay; 0: none
	RelayTLS  string // host:port that browsers reach the relay at over TLS, if Visits.RelayOver is given it; empty: none

	URL    string // of an outside LiveKit, as in wss://livekit.example; empty: the one in this process
	Key    string // of its API
	Secret ward.Secret

	Log *slog.Logger
}

// tokenLife is how long a token opens a room's door. It is asked for when it is needed; a connection that stands is
// given new ones by the media server itself.
const tokenLife = 2 * time.Minute

// Media is the media server: LiveKit, in this process, hand-wired from its parts, so that only its signalling is
// reachable, on Ward's own listener; or one outside. It forwards what it cannot decode.
type Media struct {
	log     *slog.Logger
	url     string // that browsers go to
	key     string // of tokens: random, and as old as this process
	secret  string
	handler http.Handler
	rooms   rooms
	relay   *relay
	outside *outside // or nil
	events  *roomEvents
	stop    func() error
}

// rooms is what Ward does with the media server's rooms.
type rooms interface {
	RemoveParticipant(context.Context, *livekit.RoomParticipantIdentity) (*livekit.RemoveParticipantResponse, error)
	DeleteRoom(context.Context, *livekit.DeleteRoomRequest) (*livekit.DeleteRoomResponse, error)
}

// roomEvents hears what happens in rooms, in the place of LiveKit's telemetry, which thereby has none.
type roomEvents struct {
	telemetry.NullTelemetryService
	media  *Media
	isIn   func(visit ward.VisitID, member string) bool // whether they are let in still: a token outlives that
	back   func(visit ward.VisitID, member string)      // they were not, and were put out
	joined func(visit ward.VisitID, member string)      // their media is connected
	left   func(visit ward.VisitID, member string)
	clear  func(visit ward.VisitID, member string) // they would send in the clear, and were put out

	mu     sync.Mutex
	tracks map[livekit.ParticipantID]int
}

// startMedia starts the media server, which tells what happens in rooms.
func startMedia(c MediaConfig, tell *roomEvents) (*Media, error) {
	m := &Media{log: c.Log, url: "/", key: "ward", secret: rand.Text() + rand.Text(), events: tell}
	m.events.media, m.events.tracks = m, map[livekit.ParticipantID]int{}
	if c.URL != "" {
		m.key, m.secret = c.Key, string(c.Secret)
		return m, startOutside(c, m)
	}
	err := m.start(c)
	for tries := 1; c.UDPPort == 0 && errors.Is(err, syscall.EADDRINUSE) && tries < freePortTries; tries++ {
		err = m.start(c) // another program took the port that was free
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// freePortTries is how many free ports are tried: between finding one and opening it another program may take it.
const freePortTries = 5

// start starts it and, if there is to be one, its relay.
func (m *Media) start(c MediaConfig) error {
	conf, err := mediaConfig(c, m.key, m.secret)
	if err != nil {
		return err
	}
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	initLiveKit.Do(func() {
		logger.SetLogger(logger.GetDiscardLogger(), "livekit") // its lines hold addresses and identities
		err = prometheus.Init(string(node.NodeID()), node.NodeType())
	})
	if err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	if err := m.wire(conf, node); err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	if c.RelayPort > 0 || c.RelayTLS != "" {
		if m.relay, err = startRelay(c, int(conf.RTC.UDPPort.Start)); err != nil {
			return errors.Join(err, m.stop())
		}
	}
	return nil
}

// initLiveKit is what LiveKit has once for a process: without its metrics it ends on a nil pointer, twice on a name that is
// taken.
var initLiveKit sync.Once

// mediaConfig says it in LiveKit's words.
func mediaConfig(c MediaConfig, key, secret string) (*config.Config, error) {
	conf, err := config.NewConfig("", true, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("media server: %w", err)
	}
	conf.Keys = map[string]string{key: secret}
	if c.Address == "" {
		c.Address = "127.0.0.1"
	}
	ip := net.ParseIP(c.Address)
	if ip == nil {
		return nil, fmt.Errorf("media server: %q is not an IP address (hint: set media-address to the one that browsers reach this machine at)", c.Address)
	}
	conf.RTC.NodeIP, conf.RTC.NodeIPAutoGenerated = rtcconfig.NodeIP{V6: c.Address}, false // what is not our word is not told to browsers
	if ip.To4() != nil {
		conf.RTC.NodeIP = rtcconfig.NodeIP{V4: c.Address}
	}
	conf.RTC.UseExternalIP = false
	// We know our address, and browsers come to us: no gathering of candidates, and the shortest way to the first frame.
	conf.RTC.UseICELite = true
	loopback := ip.IsLoopback()
	conf.RTC.EnableLoopbackCandidate = loopback
	if loopback {
		conf.RTC.Interfaces.Includes = []string{"lo"}
	}
	if c.UDPPort == 0 {
		if c.UDPPort, err = freeUDPPort(); err != nil {
			return nil, err
		}
	}
	conf.RTC.UDPPort.Start, conf.RTC.UDPPort.End = c.UDPPort, 0
	conf.RTC.ICEPortRangeStart, conf.RTC.ICEPortRangeEnd = 0, 0 // its default, which would outweigh the port
	conf.RTC.TCPPort = uint32(c.TCPPort)
	// Without a server of its own LiveKit hands out a public one, which would learn who meets when. This names none.
	conf.RTC.STUNServers = []string{net.JoinHostPort(c.Address, strconv.Itoa(c.UDPPort))}
	conf.RTC.PLIThrottle = sfu.PLIThrottleConfig{LowQuality: keyFramesApart, MidQuality: keyFramesApart, HighQuality: keyFramesApart}
	// Browsers decide when a picture waits for the sound (web/src/visit/sound.ts); this only makes pictures smaller.
	conf.RTC.CongestionControl.AllowPause = false
	conf.Video.DynacastPauseDelay = unwatched
	conf.RTC.CongestionControl.RemoteBWE.ProbeController.ProbeRegulator.MaxInterval = largerAgain
	conf.Room.AutoCreate, conf.Room.MaxParticipants = true, maxInRoom
	conf.Room.EmptyTimeout, conf.Room.DepartureTimeout = 60, 60
	conf.Limit.NumTracks = maxTracks
	conf.Limit.MaxMetadataSize, conf.Limit.MaxAttributesSize = 1, 1
	conf.Limit.MaxRoomNameLength, conf.Limit.MaxParticipantIdentityLength, conf.Limit.MaxParticipantNameLength = idLength, idLength, 1
	conf.TURN.Enabled = false
	return conf, nil
}

const (
	// keyFramesApart is how soon a key frame may be asked for again. Who joins and misses the first one waits for the next;
	// in a room of a few, one more costs little.
	keyFramesApart = 200 * time.Millisecond
	// largerAgain is how soon it is tried again whether a larger picture fits: after minutes, as LiveKit has it, the visit
	// is over.
	largerAgain = 10 * time.Second
	// unwatched is how soon a browser is told to send no pictures that nobody watches: where they wait for the sound, it is
	// mostly the way from there that is narrow.
	unwatched = 500 * time.Millisecond
	// maxTracks is how many tracks one machine forwards: LiveKit's own measure of "enough", not a promise.
	maxTracks = 8000
	// idLength is the length of rooms' and participants' names: ids.
	idLength = 26
	// maxInRoom is how many connections a visit's room takes: its members, and someone who comes again while their old
	// connection is still going.
	maxInRoom = ward.MaxMembers + 2
	// tracksEach is how many tracks one member may send: camera, microphone, screen and its sound, and as many while one
	// is replaced.
	tracksEach = 8
)

func freeUDPPort() (int, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("media server: find a free port: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}

// wire joins LiveKit's parts, as its own constructor does, but for what a clinic must not offer: recording, ingress,
// telephone, agents, its administration over HTTP, and pages for anyone's origin.
func (m *Media) wire(conf *config.Config, node routing.LocalNode) error {
	bus := psrpc.NewLocalMessageBus()
	params := rpc.NewClientParams(conf.PSRPC, bus, logger.GetLogger(), rpc.PSRPCMetricsObserver{})
	signals, err := routing.NewSignalClient(node.NodeID(), bus, conf.SignalRelay)
	if err != nil {
		return err
	}
	managers, err := routing.NewRoomManagerClient(params, conf.Room)
	if err != nil {
		return err
	}
	alive, err := rpc.NewKeepalivePubSub(params)
	if err != nil {
		return err
	}
	router := routing.CreateRouter(nil, node, signals, managers, alive, conf.NodeStats)
	memory := service.NewLocalStore()
	allocator, err := service.NewRoomAllocator(conf, router, memory)
	if err != nil {
		return err
	}
	agents, err := agent.NewAgentClient(bus, conf.Agents)
	if err != nil {
		return err
	}
	keys := auth.NewFileBasedKeyProviderFromMap(conf.Keys)
	manager, err := service.NewLocalRoomManager(conf, memory, node, router, allocator, m.events, agents, memory, nil,
		utils.NewDefaultTimedVersionGenerator(), service.NewTURNAuthHandler(keys), bus, nil)
	if err != nil {
		return err
	}
	m.rooms = manager
	signalling, err := service.NewDefaultSignalServer(node, bus, conf.SignalRelay, router, manager)
	if err != nil {
		return err
	}
	for _, start := range []func() error{router.RegisterNode, router.Start, signalling.Start} {
		if err := start(); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	service.NewRTCService(conf, allocator, router, m.events).SetupRoutes(mux)
	door := service.NewAPIKeyAuthMiddleware(keys)
	m.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { door.ServeHTTP(w, r, mux.ServeHTTP) })

	ending := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		for tick := time.Tick(time.Second); ; {
			select {
			case <-tick:
				manager.CloseIdleRooms()
			case <-ending:
				return
			}
		}
	})
	m.stop = func() error {
		close(ending)
		working.Wait()
		router.Drain()
		router.Stop()
		manager.Stop()
		signalling.Stop()
		return router.UnregisterNode()
	}
	return nil
}

// Close ends all calls.
func (m *Media) Close() error {
	var err error
	if m.relay != nil {
		err = m.relay.close()
	}
	return errors.Join(err, m.stop())
}

// Token opens a visit's room for a member, to send audio and video and nothing else: what is written in a visit goes
// with MLS, never as the media server's data.
func (m *Media) Token(visit ward.VisitID, member string) (string, error) {
	grant := &auth.VideoGrant{RoomJoin: true, Room: string(visit)}
	grant.SetCanPublish(true)
	grant.SetCanSubscribe(true)
	grant.SetCanPublishData(false)
	grant.SetCanUpdateOwnMetadata(false)
	if m.outside != nil {
		m.outside.expect(visit, member)
	}
	return auth.NewAccessToken(m.key, m.secret).SetIdentity(member).SetVideoGrant(grant).SetValidFor(tokenLife).ToJWT()
}

// Remove takes a member out of a visit's room, if they are in it.
func (m *Media) Remove(ctx context.Context, visit ward.VisitID, member string) {
	if _, err := m.rooms.RemoveParticipant(ctx, &livekit.RoomParticipantIdentity{Room: string(visit), Identity: member}); err != nil {
		m.log.DebugContext(ctx, "nobody to remove from a room", slog.String("error", err.Error()))
	}
}

// End closes a visit's room.
func (m *Media) End(ctx context.Context, visit ward.VisitID) {
	if _, err := m.rooms.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: string(visit)}); err != nil {
		m.log.DebugContext(ctx, "no room to close", slog.String("error", err.Error()))
	}
}

// RoomProjectReporter reports to nobody: LiveKit asks for it at each connection, and its own null service has none.
func (e *roomEvents) RoomProjectReporter(context.Context) roomobs.ProjectReporter {
	return roomobs.NewNoopProjectReporter()
}

// TrackPublishRequested refuses who would send in the clear, or floods the room: they are out at once, before anyone is
// offered the track.
func (e *roomEvents) TrackPublishRequested(_ context.Context, _ livekit.RoomID, room livekit.RoomName, connection livekit.ParticipantID,
	member livekit.ParticipantIdentity, track *livekit.TrackInfo, _ bool,
) {
	e.mu.Lock()
	e.tracks[connection]++
	tooMany := e.tracks[connection] > tracksEach
	e.mu.Unlock()
	if track.Encryption == livekit.Encryption_NONE || tooMany {
		go e.refuse(ward.VisitID(room), string(member)) // the room holds its lock now
	}
}

// refuse puts out a member who does what none may.
func (e *roomEvents) refuse(visit ward.VisitID, member string) {
	e.media.Remove(context.Background(), visit, member)
	e.clear(visit, member)
}

// TrackUnpublished hears that a member sends one track less.
func (e *roomEvents) TrackUnpublished(_ context.Context, _ livekit.RoomID, _ livekit.RoomName, connection livekit.ParticipantID, _ livekit.ParticipantIdentity, _ *livekit.TrackInfo, _ bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tracks[connection]--; e.tracks[connection] <= 0 {
		delete(e.tracks, connection)
	}
}

// ParticipantActive hears that someone's media is connected.
func (e *roomEvents) ParticipantActive(_ context.Context, room *livekit.Room, member *livekit.ParticipantInfo, _ *livekit.AnalyticsClientMeta, _ bool, _ *telemetry.ReferenceGuard) {
	go e.came(ward.VisitID(room.Name), member.Identity)
}

// came puts out who was taken out of the visit while they came to the room.
func (e *roomEvents) came(visit ward.VisitID, member string) {
	if !e.isIn(visit, member) {
		e.media.Remove(context.Background(), visit, member)
		e.back(visit, member)
		return
	}
	e.joined(visit, member)
}

// holder is whose token a request to signalling carries, and to which visit's room; false if it carries none that counts.
func (m *Media) holder(r *http.Request) (ward.VisitID, string, bool) {
	token := r.FormValue("access_token")
	if header := r.Header.Get("Authorization"); header != "" { // which outweighs it in LiveKit too
		token = strings.TrimPrefix(header, "Bearer ")
	}
	v, err := auth.ParseAPIToken(token)
	if err != nil || v.APIKey() != m.key {
		return "", "", false
	}
	_, grants, err := v.Verify(m.secret)
	if err != nil || grants.Video == nil {
		return "", "", false
	}
	return ward.VisitID(grants.Video.Room), grants.Identity, true
}

// ParticipantLeft hears that someone's media is gone.
func (e *roomEvents) ParticipantLeft(_ context.Context, room *livekit.Room, member *livekit.ParticipantInfo, _ bool, _ *telemetry.ReferenceGuard) {
	e.mu.Lock()
	delete(e.tracks, livekit.ParticipantID(member.Sid))
	e.mu.Unlock()
	go e.left(ward.VisitID(room.Name), member.Identity)
}

// ServeHTTP is the media server's signalling: a WebSocket under /rtc.
func (m *Media) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.handler.ServeHTTP(&slowed{ResponseWriter: w}, r)
}

const (
	// signalRate is what one member may send to signalling in a second, in bytes, and signalBurst at once: joining sends
	// a few descriptions of 10 KB, and then little.
	signalRate  = 64 << 10
	signalBurst = 512 << 10
)

// slowed keeps a member from flooding signalling, which has no limit of its own on the size of a message: the
// connection that the WebSocket takes over reads no faster than the rate.
type slowed struct{ http.ResponseWriter }

func (s *slowed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	slow := &slowConn{conn, rate.NewLimiter(signalRate, signalBurst)}
	// What the server has read ahead is small and stays first.
	ahead := io.LimitReader(buffered.Reader, int64(buffered.Reader.Buffered()))
	return slow, bufio.NewReadWriter(bufio.NewReader(io.MultiReader(ahead, slow)), buffered.Writer), conn.SetDeadline(time.Time{})
}

type slowConn struct {
	net.Conn
	limit *rate.Limiter
}

func (c *slowConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into[:min(len(into), signalBurst)])
	if n > 0 {
		if wait := c.limit.ReserveN(time.Now(), n).Delay(); wait > 0 {
			time.Sleep(wait)
		}
	}
	return n, err
}
