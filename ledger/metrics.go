package ledger

import (
	"github.com/prometheus/client_golang/prometheus"

	"ward"
)

// metrics are of all logs here together: labels never name an organisation.
type metrics struct {
	waiting   prometheus.Gauge
	final     prometheus.Histogram
	height    prometheus.Gauge
	halted    prometheus.Gauge
	connected prometheus.Gauge
}

func newMetrics() *metrics {
	return &metrics{
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ward_ledger_waiting_leaves", Help: "Leaves that the chain has not agreed yet, of the log that was looked at last."}),
		final: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ward_ledger_final_seconds", Help: "Time for a checkpoint to be agreed.", Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
		height:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "ward_chain_height", Help: "Height of the chain."}),
		halted:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "ward_chain_halted", Help: "1 while something waits and nothing is agreed."}),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ward_chain_connected_members", Help: "Members of the chain that this one reaches, itself included."}),
	}
}

// Collectors are the ledger's metrics, for the server to show.
func (k *Keeper) Collectors() []prometheus.Collector {
	m := k.metrics
	return []prometheus.Collector{m.waiting, m.final, m.height, m.halted, m.connected}
}

func (m *metrics) look(s ward.ChainStatus) {
	m.height.Set(float64(s.Height))
	m.halted.Set(0)
	if s.Halted != "" {
		m.halted.Set(1)
	}
	connected := 0
	for _, member := range s.Members {
		if member.Connected || member.Self {
			connected++
		}
	}
	m.connected.Set(float64(connected))
}
