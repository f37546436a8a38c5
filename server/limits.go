package server

import (
	"container/list"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ward"
)

// Every limit of the door is here. They keep one from stopping the others: one account, one network, one organisation,
// and whoever is not signed in. A network is an IPv4 address or an IPv6 /64, which is what a provider gives one customer.

// Time.
const (
	// headerTimeout is how long a client may take to send its headers.
	headerTimeout = 10 * time.Second
	// touchAge is how old the last touch of a passkey may be for what is hard to undo or gives others access: long enough to
	// finish what one sat down for, short enough that whoever finds a screen open meets the passkey.
	touchAge = 5 * time.Minute
	// bodyTimeout is how long a JSON body may take: 8 MB over a poor phone connection.
	bodyTimeout = 2 * time.Minute
	// partTimeout is how long one part of an upload or one object on its way down may take.
	partTimeout = 15 * time.Minute
	// bodyGrace is how long a body may be silent at its beginning, and minBodyRate how many bytes a second it must come at
	// from then on, on average. Less than that no phone network carries, and who sends less holds memory for nothing.
	bodyGrace   = 10 * time.Second
	minBodyRate = 4 << 10
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 2 * time.Minute
	// stopTimeout is how long requests may take to end when the server stops.
	stopTimeout = 20 * time.Second
)

// Requests.
const (
	// requestsPerSecond and requestBurst are what one network may ask of the API. A busy clinic behind one address opens
	// charts with a few requests each.
	requestsPerSecond = 200
	requestBurst      = 1000
	// doorsPerSecond and doorBurst bound attempts to come in (sign-in, invitations, recovery) from one network.
	doorsPerSecond = 2
	doorBurst      = 60
	// personPerSecond and personBurst are what one person may ask, from wherever: half of a network, so that one of a
	// clinic's people leaves room for the others.
	personPerSecond = 100
	personBurst     = 500
	// retryAfter is how many seconds whoever asked too much is asked to wait.
	retryAfter = "5"
	// maxRemembered is how many networks and people are remembered: 10 MB. Beyond it the one that was away longest is
	// forgotten, and begins anew.
	maxRemembered = 20_000
)

// Connections. An idle one takes about 25 KB.
const (
	// maxConnections is how many there may be in all: as many devices as a large clinic has at work.
	maxConnections = 8192
	// maxConnectionsEach is how many one network may have: a hospital's devices behind one address.
	maxConnectionsEach = 1024
	// maxStreams is how many requests one connection of HTTP/2 may carry at once, and maxUnread and maxUnreadEach how many
	// bytes of their bodies may have come that nobody has read, of the connection and of each: a body that is not wanted yet
	// stays with its sender.
	maxStreams    = 100
	maxUnread     = 256 << 10
	maxUnreadEach = 64 << 10
	// maxHeader is the size of all headers: a proof and a token are under 2 KB.
	maxHeader = 16 << 10
)

// Bodies.
const (
	// smallBody is the longest body of whoever is not signed in: a passkey's answer is under 4 KB, the proof of a link or
	// of a recovery code under 1 KB.
	smallBody = 16 << 10
	// joiningBody is the longest body of who joins or comes back by a recovery code, which brings two copies of a keyring and the keys
	// of a chart, in base64. It is read after a proof, with this server's nonce, by the key that the session will have.
	joiningBody = (2*ward.MaxKeyring+8*ward.MaxHeldGrant)*4/3 + 128<<10
	// maxAtOnce is how many requests of one person are worked on at once, each of which may cost a signature for every
	// statement in it. More wait for their turn, their bodies unread.
	maxAtOnce = 8
	// freeAnswer is the size up to which an answer counts as nothing.
	freeAnswer = 64 << 10
)

// bounds are how many bytes may be in memory at once, of whom.
type bounds struct {
	stranger  int64 // one network's who are not signed in
	strangers int64 // all who are not signed in
	person    int64
	network   int64
	org       int64
	all       int64
}

var (
	// bodyBounds is of bodies that arrive. A person may send one that is as large as they come, and half of another; an
	// organisation and a network have room for some such people and leave as much to others. What is made of a body takes about twice as
	// much again, for the time of its transaction.
	bodyBounds = bounds{stranger: 2 << 20, strangers: 8 << 20, person: ward.MaxBody * 3 / 2, network: 24 << 20, org: 24 << 20, all: 96 << 20}
	// answerBounds is of answers that leave. A person may be slow to read four of the largest pages.
	answerBounds = bounds{stranger: 2 << 20, strangers: 8 << 20, person: ward.MaxPage * 3 / 2 * 4, network: 64 << 20, org: 64 << 20, all: 128 << 20}
)

// limits slows down those who ask too much: networks and people, by name.
type limits struct {
	sync.Mutex
	known  map[string]*list.Element // of *allowance
	recent *list.List               // who asked last is first
	most   int
}

type allowance struct {
	name            string
	requests, doors *rate.Limiter
}

func newLimits(most int) *limits {
	return &limits{known: map[string]*list.Element{}, recent: list.New(), most: most}
}

// of finds someone's allowance, or begins one with these limits.
func (l *limits) of(name string, perSecond rate.Limit, burst int) *allowance {
	l.Lock()
	defer l.Unlock()
	if e, ok := l.known[name]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*allowance)
	}
	if l.recent.Len() >= l.most {
		delete(l.known, l.recent.Remove(l.recent.Back()).(*allowance).name)
	}
	a := &allowance{name, rate.NewLimiter(perSecond, burst), rate.NewLimiter(doorsPerSecond, doorBurst)}
	l.known[name] = l.recent.PushFront(a)
	return a
}

// limited lets through what the request's network may still ask.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") || s.isOwnMachine(r) {
			next.ServeHTTP(w, r)
			return
		}
		a := s.limits.of("network "+Network(r.RemoteAddr), requestsPerSecond, requestBurst)
		isDoor := r.Method == http.MethodPost && (strings.HasPrefix(r.URL.Path, "/api/sign-in") ||
			strings.HasPrefix(r.URL.Path, "/api/recovery") || strings.HasPrefix(r.URL.Path, "/api/invitations/") || strings.HasPrefix(r.URL.Path, "/api/guests/"))
		if !a.requests.Allow() || isDoor && !a.doors.Allow() {
			s.turnAway(w, r, ward.Errorf(ward.TooMany, "too many requests from this network").WithHint("Wait a few seconds and try again."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// askedTooMuch fails if a person has asked more than one may.
func (s *Server) askedTooMuch(who ward.Caller, r *http.Request) error {
	if who.Person == "" || s.isOwnMachine(r) || s.limits.of("person "+string(who.Person), personPerSecond, personBurst).requests.Allow() {
		return nil
	}
	return ward.Errorf(ward.TooMany, "too many requests of yours").WithHint("Wait a few seconds and try again.")
}
