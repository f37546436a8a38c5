package charts_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/ledger"
	"ward/seal/envelope"
	"ward/store"
)

// behind changes the database as an administrator would.
func (w *town) behind(statement string, args ...any) {
	w.t.Helper()
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Exec(ctx, statement, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s changed nothing", statement)
		}
		return err
	}))
}

// checked lists what a check of the record finds, each as "kind about count".
func (w *town) checked() string {
	w.t.Helper()
	state, err := ledger.Check(w.t.Context(), w.db, w.org, "", nil, w.c)
	w.must(err)
	var found []string
	for _, p := range state.Problems {
		found = append(found, fmt.Sprint(p.Kind, " ", p.About, " ", p.Count))
	}
	return strings.Join(found, ", ")
}

// taken makes a chart whose patient took a friend off it, whom they also gave other terms before, and keeps a proxy.
func (w *town) taken() (pat, friend, proxy *someone, m made) {
	pat, friend, proxy = w.person(ward.Patient), w.person(ward.Proxy), w.person(ward.Proxy)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, friend, envelope.ForProxy, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.must(w.create(pat, n))
	w.must(w.grants(pat, m, w.to(pat, friend, "second-opinion", "")(m)))
	var id string
	w.must(w.db.View(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT id FROM grants WHERE person = $1 AND ended = 0`, string(friend.Person)).Scan(&id)
	}))
	_, err := w.call(w.c.DeleteGrant, pat, nil, "lock", string(m.id), "grant", id)
	w.must(err)
	return pat, friend, proxy, m
}

func TestAGrantThatWasTakenBackCannotBeMadeToStandAgainUnseen(t *testing.T) {
	for name, c := range map[string]struct{ statement, want string }{
		"nothing":            {`UPDATE grants SET ended = ended WHERE org = $1 AND person = $2`, ""},
		"it stands again":    {`UPDATE grants SET ended = 0 WHERE org = $1 AND person = $2`, "missing end 2"},
		"it ended later":     {`UPDATE grants SET ended = ended + 1000 WHERE org = $1 AND person = $2`, "altered end 2"},
		"another ended it":   {`UPDATE grants SET ended_by = person WHERE org = $1 AND person = $2`, "altered end 2"},
		"no epoch is due":    {`UPDATE grants SET turns = 0 WHERE org = $1 AND person = $2 AND turns = 1`, "altered end 1"},
		"it never was":       {`DELETE FROM grants WHERE org = $1 AND person = $2`, "missing end 2, missing grant 2"},
		"all others ended":   {`UPDATE grants SET ended = 1, ended_by = $2 WHERE org = $1 AND ended = 0`, "unlogged end 2"},
		"its end is no leaf": {`UPDATE ledger_leaves SET salt = NULL, ref = '' WHERE org = $1 AND kind = 'end' AND $2 <> ''`, "emptied  2, unlogged end 2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			_, friend, _, _ := w.taken()
			w.behind(c.statement, string(w.org), string(friend.Person))
			if got := w.checked(); got != c.want {
				t.Errorf("the check found %q, want %q", got, c.want)
			}
		})
	}
}

func TestEndsOfGrantsAreForgottenWithTheirChart(t *testing.T) {
	w := newTown(t)
	pat, _, proxy, m := w.taken()
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		return w.c.EndPerson(ctx, tx, w.org, proxy.Person, pat.Person)
	}))
	if got := w.checked(); got != "" {
		t.Errorf("after a person left, the check found %q", got)
	}
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error { return w.c.EraseOf(ctx, tx, w.org, pat.Person) }))
	if got := w.checked(); got != "" {
		t.Errorf("after the chart was erased, the check found %q", got)
	}
	var left int64
	w.must(w.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM ledger_leaves WHERE org = $1 AND kind <> 'event' AND (ref <> '' OR salt IS NOT NULL)`, string(w.org)).Scan(&left)
	}))
	if left != 0 {
		t.Errorf("%d leaves still say what they spoke of, of lock %s", left, m.id)
	}
}

// TestAnOlderDatabaseGetsLeavesForTheEndsOfItsGrants begins with what a Ward left that had a log but did not commit to ends.
func TestAnOlderDatabaseGetsLeavesForTheEndsOfItsGrants(t *testing.T) {
	w := newTown(t)
	_, _, proxy, _ := w.taken()
	behind := func() {
		w.behind(`UPDATE grants SET ended = created + 1000, ended_by = $3, turns = 1, sealed = $1 WHERE org = $2 AND ended = 0 AND person = $3`, []byte{}, string(w.org), string(proxy.Person))
	}
	start := func() {
		t.Helper()
		_, err := ledger.NewKeeper(t.Context(), ledger.Config{DB: w.db, Ledger: ledger.New(func() time.Time { return w.now }), Sources: []ledger.Source{w.c}})
		w.must(err)
	}
	behind()
	w.behind(`UPDATE ledger_logs SET filled = 1 WHERE org = $1`, string(w.org))
	if got := w.checked(); got != "unlogged end 1" {
		t.Fatalf("before the start the check found %q", got)
	}
	start()
	if got := w.checked(); got != "" {
		t.Fatalf("after the start the check found %q", got)
	}
	// It happens once: an end without a leaf is from then on one that someone put there.
	w.behind(`UPDATE grants SET ended = created + 1000 WHERE org = $1 AND ended = 0`, string(w.org))
	start()
	if got := w.checked(); got != "unlogged end 1" {
		t.Errorf("after the next start the check found %q", got)
	}
}
