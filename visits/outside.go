package visits

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"ward"
)

// An outside LiveKit, one server or a cluster, when one machine is not enough. Ward signs the tokens of its rooms and
// runs them over its API. It does not have to be trusted with what is said: it forwards what it cannot decode, as the one
// in Ward does. It cannot be told to refuse tracks in the clear, so whoever sends one is put out as soon as Ward sees it;
// browsers let no such frame through anyway.
type outside struct {
	rooms       livekit.RoomService
	key, secret string
	log         *slog.Logger
	events      *roomEvents
	now         func() time.Time

	mu      sync.Mutex
	watched map[ward.VisitID]*watchedRoom
}

// watchedRoom is a room that Ward gave tokens for, and who is in it.
type watchedRoom struct {
	mine    map[string]bool // who was given a token here; another Ward tells of the others
	here    map[string]bool
	until   time.Time // it is looked at, unless someone is in it
	refused map[string]bool
}

const (
	// lookEvery is how often rooms of an outside LiveKit are looked at.
	lookEvery = 2 * time.Second
	// lookFor is for how long a room is looked at in which nobody is: as long as someone may take to come.
	lookFor = 5 * time.Minute
	// callTimeout is how long a call of its API may take.
	callTimeout = 5 * time.Second
)

// startOutside checks the settings and begins to look at rooms.
func startOutside(c MediaConfig, m *Media) error {
	address, err := url.Parse(c.URL)
	if err != nil || address.Host == "" || address.Scheme != "wss" && address.Scheme != "ws" {
		return errors.New("media server: media-url is not an address like wss://livekit.example")
	}
	if m.key == "" || len(m.secret) < 32 {
		return errors.New("media server: media-url needs media-key and media-secret, of at least 32 characters, as in LiveKit's settings")
	}
	api := *address
	api.Scheme = strings.Replace(address.Scheme, "ws", "http", 1)
	client := livekit.NewRoomServiceProtobufClient(api.String(), &http.Client{Timeout: callTimeout})
	o := &outside{rooms: client, key: m.key, secret: m.secret, log: c.Log, events: m.events, now: time.Now, watched: map[ward.VisitID]*watchedRoom{}}
	m.url, m.rooms, m.outside = c.URL, o, o
	m.handler = http.NotFoundHandler()
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() {
		for tick := time.Tick(lookEvery); ; {
			select {
			case <-tick:
				o.look(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	m.stop = func() error { cancel(); looking.Wait(); return nil }
	return nil
}

// allowed adds the right to run a room to a call.
func (o *outside) allowed(ctx context.Context, room string) (context.Context, error) {
	grant := &auth.VideoGrant{RoomAdmin: true, RoomCreate: true, Room: room}
	token, err := auth.NewAccessToken(o.key, o.secret).SetVideoGrant(grant).SetValidFor(time.Minute).ToJWT()
	if err != nil {
		return ctx, err
	}
	return twirp.WithHTTPRequestHeaders(ctx, http.Header{"Authorization": {"Bearer " + token}})
}

// RemoveParticipant puts someone out of a room.
func (o *outside) RemoveParticipant(ctx context.Context, who *livekit.RoomParticipantIdentity) (*livekit.RemoveParticipantResponse, error) {
	ctx, err := o.allowed(ctx, who.Room)
	if err != nil {
		return nil, err
	}
	return o.rooms.RemoveParticipant(ctx, who)
}

// DeleteRoom closes a room.
func (o *outside) DeleteRoom(ctx context.Context, which *livekit.DeleteRoomRequest) (*livekit.DeleteRoomResponse, error) {
	ctx, err := o.allowed(ctx, which.Room)
	if err != nil {
		return nil, err
	}
	return o.rooms.DeleteRoom(ctx, which)
}

// expect looks at a room from now on: a member was given a token for it.
func (o *outside) expect(visit ward.VisitID, member string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.watched[visit]
	if r == nil {
		r = &watchedRoom{mine: map[string]bool{}, here: map[string]bool{}, refused: map[string]bool{}}
		o.watched[visit] = r
	}
	r.mine[member], r.until = true, o.now().Add(lookFor)
}

// look asks who is in each room, tells who came and went, and puts out who sends in the clear.
func (o *outside) look(ctx context.Context) {
	o.mu.Lock()
	visits := make([]ward.VisitID, 0, len(o.watched))
	for visit := range o.watched {
		visits = append(visits, visit)
	}
	o.mu.Unlock()
	for _, visit := range visits {
		asking, err := o.allowed(ctx, string(visit))
		if err != nil {
			continue
		}
		found, err := o.rooms.ListParticipants(asking, &livekit.ListParticipantsRequest{Room: string(visit)})
		if err != nil {
			o.log.WarnContext(ctx, "the outside media server does not tell who is in a room", slog.String("error", err.Error()))
			continue
		}
		o.saw(visit, found.Participants)
	}
}

func (o *outside) saw(visit ward.VisitID, found []*livekit.ParticipantInfo) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.watched[visit]
	now := map[string]bool{}
	for _, p := range found {
		now[p.Identity] = true
		if p.State == livekit.ParticipantInfo_ACTIVE && !r.here[p.Identity] && r.mine[p.Identity] {
			r.here[p.Identity] = true
			go o.events.came(visit, p.Identity)
		}
		for _, track := range p.Tracks {
			if track.Encryption == livekit.Encryption_NONE && !r.refused[p.Sid] {
				r.refused[p.Sid] = true
				go o.events.refuse(visit, p.Identity)
			}
		}
	}
	for member := range r.here {
		if !now[member] {
			delete(r.here, member)
			go o.events.left(visit, member)
		}
	}
	if len(now) > 0 {
		r.until = o.now().Add(lookFor)
	} else if o.now().After(r.until) {
		delete(o.watched, visit)
	}
}
