package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ward"
	"ward/policy"
)

// metrics counts and times. Labels are routes, statuses and actions: never an id.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	streams   prometheus.Gauge
}

func newMetrics(bodies, answers *budget) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ward_request_seconds", Help: "Time to answer a request.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"route", "status"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ward_decisions_total", Help: "Policy decisions.",
		}, []string{"action", "decision", "outcome"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ward_live_streams", Help: "Open event streams."}),
	}
	held := func(name, help string, b *budget) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(b.inAll()) })
	}
	m.registry.MustRegister(held("ward_body_bytes", "Bytes of requests in memory.", bodies), held("ward_answer_bytes", "Bytes of large answers in memory.", answers))
	m.registry.MustRegister(m.requests, m.decisions, m.streams, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) served(r *http.Request, status int, took time.Duration) {
	m.requests.WithLabelValues(r.Pattern, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) decided(route Route, d policy.Decision, err error) {
	decision, outcome := "deny", "done"
	if d.Allow {
		decision = "allow"
	}
	if err != nil {
		outcome = string(ward.KindOf(err))
	}
	m.decisions.WithLabelValues(route.Action, decision, outcome).Inc()
}

// Metrics shows the metrics, to who has the token if there is one. It is for a listener of its own: on the clinic's own
// address nobody can tell this machine's collector from the world behind a proxy.
func (s *Server) Metrics(token ward.Secret) http.Handler {
	shown := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 || r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		shown.ServeHTTP(w, r)
	})
}

// ServeMetrics shows them on a listener until ctx ends.
func (s *Server) ServeMetrics(ctx context.Context, listener net.Listener, token ward.Secret) error {
	serving := &http.Server{
		Handler: s.Metrics(token), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: bodyTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	defer context.AfterFunc(ctx, func() { serving.Close() })()
	if err := serving.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
