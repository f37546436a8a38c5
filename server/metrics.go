package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
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

func newMetrics() *metrics {
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

// handler shows the metrics to this machine, and elsewhere to who has the token.
func (m *metrics) handler(token ward.Secret) http.Handler {
	shown := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		known := token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
		if !known && !fromHere(r) {
			http.NotFound(w, r)
			return
		}
		shown.ServeHTTP(w, r)
	})
}

// fromHere tells whether the request comes from this machine and not through a proxy on it.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
