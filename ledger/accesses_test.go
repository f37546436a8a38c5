package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// look writes an access to a chart.
func (d *desk) look(action, chart string) {
	d.t.Helper()
	d.do(func(ctx context.Context, tx *store.Tx) error {
		return d.l.Append(ctx, tx, d.org, ward.Event{Action: action, Decision: "allow", Chart: ward.ChartID(chart)})
	})
}

// scan reads the whole log as the server gives it, and what it shows of a line, and tells what does not fit.
func (d *desk) scan(k interface {
	GetEntries(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error
	GetRecordAccesses(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error
	GetChartAccesses(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error
	GetLedger(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error
}, chart string,
) (*receipt.Scan, []string) {
	d.t.Helper()
	shows := k.GetRecordAccesses
	if chart != "" {
		shows = func(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
			r.SetPathValue("chart", chart)
			return k.GetChartAccesses(ctx, who, w, r)
		}
	}
	var shown []receipt.Opened
	var key receipt.Key
	for after := int64(0); ; {
		page := ask[ward.Accesses](d, shows, fmt.Sprintf("/?after=%d", after))
		if err := key.UnmarshalText([]byte(page.Key)); err != nil {
			d.t.Fatal(err)
		}
		for _, a := range page.Accesses {
			o := receipt.Opened{Text: a.Text}
			if err := o.Salt.UnmarshalText([]byte(a.Salt)); err != nil {
				d.t.Fatal(err)
			}
			shown = append(shown, o)
			fmt.Sscanf(a.Text[strings.Index(a.Text, `"seq":`):], `"seq":%d`, &after)
		}
		if !page.More {
			break
		}
	}
	var salt receipt.Key
	if err := salt.UnmarshalText([]byte(ask[ward.Ledger](d, k.GetLedger, "/").Salt)); err != nil {
		d.t.Fatal(err)
	}
	s := receipt.NewScan(salt, chart, key)
	for {
		page := ask[ward.LedgerEntries](d, k.GetEntries, fmt.Sprintf("/?from=%d", s.Head().Size))
		raw, err := ward.B64.DecodeString(page.Entries)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(raw) == 0 {
			break
		}
		for e := range slices.Chunk(raw, 48) {
			s.Add(receipt.Entry(e))
		}
	}
	var gaps []string
	for _, g := range s.CheckShown(shown) {
		gaps = append(gaps, fmt.Sprintf("%s %d", g.Why, g.Number))
	}
	return s, gaps
}

func TestAccessesAreNumberedWithoutAGapWhoeverWritesAtOnce(t *testing.T) {
	d := newDesk(t)
	k, _ := d.keep(newRing(), time.Now)
	var writers sync.WaitGroup
	const charts, each = 40, 5 // more charts than one statement reads
	for c := range charts {
		writers.Go(func() {
			for range each {
				if err := d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					return d.l.Append(ctx, tx, d.org, ward.Event{Action: "readEntries", Decision: "allow", Chart: ward.ChartID(fmt.Sprintf("chart-%d", c))}, ward.Event{Action: "readSelf", Decision: "allow"})
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	d.write(1, 2, 3)
	for c := range charts {
		s, gaps := d.scan(k, fmt.Sprintf("chart-%d", c))
		if len(s.Found) != each || gaps != nil {
			t.Errorf("chart %d: %d accesses are found, and %q", c, len(s.Found), gaps)
		}
	}
	s, gaps := d.scan(k, "")
	if len(s.Found) != 2*charts*each || gaps != nil {
		t.Errorf("the record: %d events are found, and %q", len(s.Found), gaps)
	}
	d.wants(d.check())
}

func TestAnAccessThatIsHiddenAfterItWasWrittenIsFound(t *testing.T) {
	for name, x := range map[string]struct {
		does          string
		chart, record []string
	}{
		"nothing":                                        {`UPDATE record_events SET chart = chart WHERE org = $1 AND seq = 4`, nil, nil},
		"it is said to be of no chart":                   {`UPDATE record_events SET chart = '' WHERE org = $1 AND seq = 4`, []string{"missing 3"}, nil},
		"it is taken out":                                {`DELETE FROM record_events WHERE org = $1 AND seq = 4`, []string{"missing 3"}, []string{"missing 4"}},
		"the last is taken out":                          {`DELETE FROM record_events WHERE org = $1 AND seq = 6`, []string{"missing 5"}, []string{"missing 6"}},
		"all are taken out":                              {`DELETE FROM record_events WHERE org = $1`, []string{"missing 1", "missing 2", "missing 3", "missing 4", "missing 5"}, []string{"missing 1", "missing 2", "missing 3", "missing 4", "missing 5", "missing 6"}},
		"another takes its place":                        {`UPDATE record_events SET body = (SELECT body FROM record_events WHERE org = $1 AND seq = 5) WHERE org = $1 AND seq = 4`, []string{"missing 3", "altered 4", "order 5", "altered 5"}, []string{"missing 4", "altered 5", "order 6", "altered 6"}},
		"another key is told, by which there is nothing": {`UPDATE ledger_charts SET marks = (SELECT marks FROM ledger_logs WHERE org = $1) WHERE org = $1`, []string{"altered 1", "altered 2", "altered 3", "altered 4", "altered 5"}, nil},
		"its salt is taken":                              {`UPDATE ledger_leaves SET salt = NULL WHERE org = $1 AND seq = 4`, []string{"altered 3", "altered 4"}, []string{"altered 4", "altered 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			k, _ := d.keep(newRing(), time.Now)
			d.look("one", "amina")
			d.event("two")
			for _, action := range []string{"three", "four", "five", "six"} {
				d.look(action, "amina")
			}
			d.behind(x.does, string(d.org))
			if _, gaps := d.scan(k, "amina"); !slices.Equal(gaps, x.chart) {
				t.Errorf("the patient is told %q, not %q", gaps, x.chart)
			}
			if _, gaps := d.scan(k, ""); !slices.Equal(gaps, x.record) {
				t.Errorf("the officer is told %q, not %q", gaps, x.record)
			}
		})
	}
}

func TestANumberThatIsGivenTwiceIsFound(t *testing.T) {
	d := newDesk(t)
	k, _ := d.keep(newRing(), time.Now)
	for _, action := range []string{"one", "two", "three"} {
		d.look(action, "amina")
	}
	// An operator turns the chart's counter back, so that the next access takes the place of one that was agreed.
	d.behind(`UPDATE ledger_charts SET number = 1 WHERE org = $1`, string(d.org))
	d.behind(`DELETE FROM record_events WHERE org = $1 AND seq > 1`, string(d.org))
	d.behind(`UPDATE ledger_logs SET events = 1 WHERE org = $1`, string(d.org))
	d.look("instead", "amina")
	if _, gaps := d.scan(k, "amina"); !slices.Equal(gaps, []string{"twice 2", "altered 2", "missing 3"}) {
		t.Errorf("the patient is told %q", gaps)
	}
	if _, gaps := d.scan(k, ""); !slices.Equal(gaps, []string{"twice 2", "altered 2", "missing 3"}) {
		t.Errorf("the officer is told %q", gaps)
	}
}

func TestWhoHasNoKeyLearnsNothingFromMarks(t *testing.T) {
	d := newDesk(t)
	k, _ := d.keep(newRing(), time.Now)
	d.look("one", "amina")
	d.look("two", "zahra")
	amina, _ := d.scan(k, "amina")
	zahra, _ := d.scan(k, "zahra")
	if len(amina.Found) != 1 || len(zahra.Found) != 1 || amina.Found[0].Index == zahra.Found[0].Index {
		t.Errorf("found %v and %v", amina.Found, zahra.Found)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.SetPathValue("chart", "nobody")
	if err := k.GetChartAccesses(t.Context(), ward.Caller{Org: d.org}, w, r); ward.KindOf(err) != ward.Missing {
		t.Errorf("of a chart of which nothing is recorded: %v %s", err, w.Body)
	}
}
