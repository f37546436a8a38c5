// Package server is the door. Every request comes through it, in this order:
//
//	listener → limits and headers → session (who, on which browser) → guard (may they; the answer is recorded) → handler
//
// routes.go is the whole surface, guard.go is the order within, errors.go the only place where an error becomes a
// status. The server passes on what is sealed and never reaches package seal, which opens it (imports_test.go).
package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ward"
	"ward/bus"
	"ward/charts"
	"ward/identity"
	"ward/ledger"
	"ward/policy"
	"ward/store"
	"ward/visits"
)

// Config is what a server is made of.
type Config struct {
	DB           *store.DB
	Identity     *identity.Identity
	Charts       *charts.Charts
	Visits       *visits.Visits
	Policy       *policy.Engine
	Ledger       *ledger.Ledger
	Keeper       *ledger.Keeper
	Bus          *bus.Bus
	App          fs.FS // the built browser app; may be empty
	Log          *slog.Logger
	Origin       string         // as people type it: https://clinic.example
	MediaURL     string         // of an outside media server, to which the app may connect
	MetricsToken ward.Secret    // lets a collector elsewhere read /metrics
	Proxies      []netip.Prefix // that may stand before Ward, and are believed whom they forward
}

// Server answers requests.
type Server struct {
	db       *store.DB
	identity *identity.Identity
	charts   *charts.Charts
	visits   *visits.Visits
	policy   *policy.Engine
	ledger   *ledger.Ledger
	keeper   *ledger.Keeper
	bus      *bus.Bus
	halls    halls
	log      *slog.Logger
	metrics  *metrics
	limits   *limits
	turns    *turns
	bodies   *budget
	answers  *budget
	proxies  proxies
	stranger strangeProxy
	local    bool // only this machine can reach the clinic
	handler  http.Handler
	stopping chan struct{} // closed when live streams should end
}

// New makes a server. It refuses a route whose action is missing or unknown to policy.
func New(config Config) (*Server, error) {
	return newServer(config, (*Server).routes)
}

func newServer(config Config, routes func(*Server) []Route) (*Server, error) {
	s := &Server{
		db: config.DB, identity: config.Identity, charts: config.Charts, visits: config.Visits, policy: config.Policy, ledger: config.Ledger, keeper: config.Keeper,
		bus: config.Bus, halls: halls{of: map[ward.OrgID]*hall{}}, log: config.Log, stopping: make(chan struct{}),
		limits: newLimits(maxRemembered), turns: &turns{of: map[ward.PersonID]*turn{}}, bodies: newBudget(bodyBounds), answers: newBudget(answerBounds),
		proxies: config.Proxies, local: isLocal(config.Origin), stranger: strangeProxy{local: isLocal(config.Origin)},
	}
	s.metrics = newMetrics(s.bodies, s.answers)
	mux := http.NewServeMux()
	actions := policy.Actions()
	for _, route := range routes(s) {
		if err := checkRoute(route, actions); err != nil {
			return nil, err
		}
		mux.Handle(route.Pattern, s.guard(route))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.answerError(w, r, ward.Errorf(ward.Missing, "there is no such route").WithHint("See docs/api.md."), nil)
	})
	mux.HandleFunc("GET /api/health", s.health)
	mux.HandleFunc("GET /api/ready", s.ready)
	mux.Handle("/metrics", http.NotFoundHandler()) // they have a listener of their own
	app, err := newApp(config.App)
	if err != nil {
		return nil, fmt.Errorf("read the app: %w", err)
	}
	mux.Handle("/", app)

	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(config.Origin); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answerError(w, r, ward.Errorf(ward.Refused, "this page may not ask that of the clinic").WithHint("Open the clinic's own page."), nil)
	}))
	s.handler = s.watched(headers(config.Origin, config.MediaURL, s.located(s.limited(protection.Handler(mux)))))
	return s, nil
}

// checkRoute keeps a route without a decision from ever being served.
func checkRoute(route Route, actions []string) error {
	switch {
	case route.Action == "":
		return fmt.Errorf("route %s names no action", route.Pattern)
	case !slices.Contains(actions, route.Action):
		return fmt.Errorf("route %s: policy knows no action %q", route.Pattern, route.Action)
	case (route.Do == nil) == (route.Stream == nil):
		return fmt.Errorf("route %s must answer in one way", route.Pattern)
	}
	return nil
}

// ServeHTTP answers one request, so that a Server can be tried without a listener.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Registry holds the server's metrics, for others to add theirs.
func (s *Server) Registry() *prometheus.Registry { return s.metrics.registry }

// Serve answers on the listener until ctx ends, then lets the requests that run finish.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	serving := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnread, MaxReceiveBufferPerStream: maxUnreadEach},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- serving.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	close(s.stopping)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := serving.Shutdown(closing)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// health says that the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]string{"health": "ok"})
}

// ready says that requests can be served: the database answers.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		s.answerError(w, r, &ward.Error{Kind: ward.Unavailable, Message: "the database does not answer", Hint: "Try again in a moment.", Err: err}, nil)
		return
	}
	answer := map[string]string{"ready": "ok"}
	if s.stranger.seen.Load() {
		answer["proxy"] = "unknown" // for ward doctor
	}
	answerJSON(w, http.StatusOK, answer)
}
