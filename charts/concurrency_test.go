package charts_test

import (
	"sync"
	"testing"
	"time"

	"ward"
	"ward/charts"
	"ward/ledger"
	"ward/seal/envelope"
	"ward/store"
)

// replica is another server on the same database and folder.
func (w *town) replica() *town {
	w.t.Helper()
	other := *w
	var err error
	other.db, err = store.Open(w.t.Context(), store.Config{Dir: w.dir, Database: w.database})
	w.must(err)
	w.t.Cleanup(func() { other.db.Close() })
	clock := func() time.Time { return w.now }
	other.c = charts.New(charts.Config{DB: other.db, Ledger: ledger.New(clock), People: w, Visits: w, Notices: w, Now: clock})
	return &other
}

// atOnce runs all of them at the same time and gives what each returned.
func atOnce(all ...func() error) []error {
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	for i, one := range all {
		wait.Go(func() { errs[i] = one() })
	}
	wait.Wait()
	return errs
}

func TestAPartOfAChartIsMadeOnceByWhoeverIsFirst(t *testing.T) {
	w := newTown(t)
	servers := []*town{w, w.replica(), w.replica()}
	pat := w.person(ward.Patient)
	const rounds, devices = 8, 6
	for name, begun := range map[string]bool{"the first part": false, "another part": true} {
		t.Run(name, func(t *testing.T) {
			for range rounds {
				chart, want := ward.NewID[ward.ChartID](), 1
				if begun {
					chart, _ = w.chart(pat)
					want = 2
				}
				var all []func() error
				for i := range devices {
					key, epoch, err := pat.NewLock(envelope.LockChart, chart, envelope.Restricted, w.now)
					w.must(err)
					n := ward.NewLock{Epoch: string(epoch.Text), Grants: []ward.NewGrant{w.to(pat, pat, envelope.ForSelf, "")(made{key, epoch, key.Lock})}}
					all = append(all, func() error { return servers[i%len(servers)].create(pat, n) })
				}
				made := 0
				for _, err := range atOnce(all...) {
					switch {
					case err == nil:
						made++
					case ward.KindOf(err) != ward.Conflict:
						t.Errorf("made at the same time as another: %v, want a conflict", err)
					}
				}
				if made != 1 {
					t.Errorf("%d of %d devices made the same part, want 1", made, devices)
				}
				answer, err := w.call(w.c.FindChart, pat, nil, "chart", string(chart))
				w.must(err)
				if n := len(summariesIn(answer)); n != want {
					t.Errorf("the chart has %d parts, want %d", n, want)
				}
			}
		})
	}
}
