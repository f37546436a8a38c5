package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/store"
	"ward/store/storetest"
)

// shelf keeps statements of kind entry for tests, in a table of secrets, whose columns are at hand.
type shelf struct{}

func (shelf) Kinds() []string { return []string{receipt.LeafEntry} }

func (shelf) Statements(ctx context.Context, tx *store.Tx, _ ward.OrgID, _, after string, limit int) ([]ledger.Statement, error) {
	rows, err := tx.Rows(ctx, `SELECT name, sealed FROM server_secrets WHERE name > $1 AND name LIKE 'entry-%' ORDER BY name LIMIT $2`, after, int64(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []ledger.Statement
	for rows.Next() {
		s := ledger.Statement{Leaf: ledger.Leaf{Kind: receipt.LeafEntry}, Sound: true}
		if err := rows.Scan(&s.Ref, &s.Content); err != nil {
			return nil, err
		}
		s.Place = s.Ref
		page = append(page, s)
	}
	return page, rows.Err()
}

// desk is an organisation with its log on a database.
type desk struct {
	t   *testing.T
	db  *store.DB
	l   *ledger.Ledger
	org ward.OrgID
}

func newDesk(t *testing.T) *desk {
	return &desk{t, storetest.Open(t, storetest.Database(t)), ledger.New(time.Now), ward.NewID[ward.OrgID]()}
}

func (d *desk) do(fn func(context.Context, *store.Tx) error) {
	d.t.Helper()
	if err := d.db.Do(d.t.Context(), fn); err != nil {
		d.t.Fatal(err)
	}
}

// behind changes the database as an administrator would.
func (d *desk) behind(statement string, args ...any) {
	d.t.Helper()
	d.do(func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Exec(ctx, statement, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s changed nothing", statement)
		}
		return err
	})
}

func (d *desk) event(actions ...string) {
	d.t.Helper()
	for _, action := range actions {
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return d.l.Append(ctx, tx, d.org, ward.Event{Action: action, Decision: "deny"})
		})
	}
}

// write keeps statements called entry-N, and commits to them.
func (d *desk) write(numbers ...int) {
	d.t.Helper()
	d.do(func(ctx context.Context, tx *store.Tx) error {
		for _, n := range numbers {
			name, text := fmt.Sprintf("entry-%d", n), []byte(fmt.Sprintf("statement %d", n))
			if _, err := tx.Exec(ctx, `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, 0)`, name, text); err != nil {
				return err
			}
			if err := d.l.Commit(ctx, tx, d.org, ledger.Leaf{Kind: receipt.LeafEntry, Ref: name, Content: text}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *desk) check(agreed ...ward.LogHead) ward.RecordState {
	d.t.Helper()
	state, err := ledger.Check(d.t.Context(), d.db, d.org, "", agreed, shelf{})
	if err != nil {
		d.t.Fatal(err)
	}
	return state
}

// wants compares a check's problems, as "kind about count first", with those given.
func (d *desk) wants(state ward.RecordState, want ...string) {
	d.t.Helper()
	got := []string{}
	for _, p := range state.Problems {
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(p.Kind, " ", p.About, " ", p.Count, " ", p.First)), " "))
		if len(p.Text) < 20 {
			d.t.Errorf("%s is told as %q", p.Kind, p.Text)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") || state.Whole != (len(want) == 0) {
		d.t.Errorf("the check found %v, whole %v, want %v", got, state.Whole, want)
	}
}

func TestConcurrentWritersMakeOneWholeRecord(t *testing.T) {
	d := newDesk(t)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			err := d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return d.l.Append(ctx, tx, d.org, ward.Event{Action: "readChart", Decision: "allow"}, ward.Event{Action: "sign-in", Decision: "done"})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	state := d.check()
	d.wants(state)
	if state.Events != 100 || state.Leaves != 100 {
		t.Errorf("there are %d events and %d leaves", state.Events, state.Leaves)
	}
}

// TestTheTreeIsRFC6962 compares the log with tlog's own tree, over sizes where tiles become full.
func TestTheTreeIsRFC6962(t *testing.T) {
	d := newDesk(t)
	var hashes []tlog.Hash // as tlog stores them
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
	size := int64(0)
	for _, batch := range []int{1, 2, 250, 3, 1, 255, 256, 257, 700} {
		numbers := make([]int, batch)
		for i := range numbers {
			numbers[i] = int(size) + i
		}
		d.write(numbers...)
		d.do(func(ctx context.Context, tx *store.Tx) error {
			rows, err := tx.Rows(ctx, `SELECT commitment FROM ledger_leaves WHERE org = $1 AND idx >= $2 ORDER BY idx`, string(d.org), size)
			if err != nil {
				return err
			}
			defer rows.Close()
			for ; rows.Next(); size++ {
				var c []byte
				if err := rows.Scan(&c); err != nil {
					return err
				}
				more, err := tlog.StoredHashes(size, c, reader)
				if err != nil {
					return err
				}
				hashes = append(hashes, more...)
			}
			return rows.Err()
		})
		want, err := tlog.TreeHash(size, reader)
		if err != nil {
			t.Fatal(err)
		}
		state := d.check()
		d.wants(state)
		if state.Leaves != size || state.Root != ward.B64.EncodeToString(want[:]) {
			t.Fatalf("after %d leaves the root is %s of %d", size, state.Root, state.Leaves)
		}
	}
}

// body changes what an event says, in either engine.
func body(where string) string {
	if os.Getenv("WARD_TEST_POSTGRES") != "" {
		return `UPDATE record_events SET body = convert_to(replace(convert_from(body, 'UTF8'), 'deny', 'allow'), 'UTF8') WHERE ` + where
	}
	return `UPDATE record_events SET body = CAST(replace(CAST(body AS TEXT), 'deny', 'allow') AS BLOB) WHERE ` + where
}

func TestWhatAnAdministratorDoesToTheRecordShows(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		want      []string
	}{
		"an event altered":                {body(`org = $1 AND seq = 3`), []string{"altered event 1 3"}},
		"a column of an event altered":    {`UPDATE record_events SET person = 'someone' WHERE org = $1 AND seq = 3`, []string{"altered event 1 3"}},
		"an event removed":                {`DELETE FROM record_events WHERE org = $1 AND seq = 3`, []string{"missing event 1 4"}},
		"the record's end cut off":        {`DELETE FROM record_events WHERE org = $1 AND seq >= 3`, []string{"missing event 3 4"}},
		"an event put in":                 {`INSERT INTO record_events (org, seq, event, time, action, person, chart, body) SELECT org, 6, 'new', time, action, person, chart, body FROM record_events WHERE org = $1 AND seq = 3`, []string{"unlogged event 1 6"}},
		"an entry altered":                {`UPDATE server_secrets SET sealed = CAST('other' AS ` + bytesType() + `) WHERE name = 'entry-1' AND $1 <> ''`, []string{"altered entry 1 1"}},
		"an entry removed":                {`DELETE FROM server_secrets WHERE name = 'entry-1' AND $1 <> ''`, []string{"missing entry 1 1"}},
		"its salt removed":                {`UPDATE ledger_leaves SET salt = NULL WHERE org = $1 AND ref = 'entry-1'`, []string{"altered entry 1 1", "emptied 1 -1"}},
		"an event's salt removed":         {`UPDATE ledger_leaves SET salt = NULL WHERE org = $1 AND seq = 3`, []string{"altered event 1 3", "emptied event 1 4"}},
		"a leaf altered":                  {`UPDATE ledger_leaves SET commitment = salt WHERE org = $1 AND seq = 3`, []string{"altered event 1 3", "tree 1 7"}},
		"a leaf removed":                  {`DELETE FROM ledger_leaves WHERE org = $1 AND seq = 3`, []string{"tree 1 4", "unlogged event 1 3"}},
		"the log's end removed":           {`UPDATE ledger_logs SET size = 4 WHERE org = $1`, []string{"tree 1 4"}},
		"an entry of more than it wrote":  {`INSERT INTO server_secrets (name, sealed, created) SELECT 'entry-9', sealed, 0 FROM server_secrets WHERE name = 'entry-1' AND $1 <> ''`, []string{"unlogged entry 1 -1"}},
		"nothing, but one looks and goes": {`UPDATE ledger_logs SET size = size WHERE org = $1`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.event("one")
			d.write(1)
			d.event("two")
			d.write(2)
			d.event("three", "four", "five")
			d.behind(c.statement, string(d.org))
			d.wants(d.check(), c.want...)
		})
	}
}

func bytesType() string {
	if os.Getenv("WARD_TEST_POSTGRES") != "" {
		return "BYTEA"
	}
	return "BLOB"
}

func TestErasingLeavesALogThatVerifies(t *testing.T) {
	d := newDesk(t)
	d.write(1, 2, 3)
	before := d.check()
	d.do(func(ctx context.Context, tx *store.Tx) error { // written and erased in one commit, too
		text := []byte("for a moment")
		if err := d.l.Commit(ctx, tx, d.org, ledger.Leaf{Kind: receipt.LeafEntry, Ref: "entry-4", Content: text}); err != nil {
			return err
		}
		if err := d.l.Forget(ctx, tx, d.org, "entry-1", "entry-3", "entry-4"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM server_secrets WHERE name IN ('entry-1', 'entry-3')`)
		return err
	})
	state := d.check(ward.LogHead{Size: before.Leaves, Root: before.Root})
	d.wants(state)
	if state.Erased != 3 {
		t.Errorf("%d leaves speak of nothing", state.Erased)
	}
	err := d.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		var left int64
		if err := tx.Row(ctx, `SELECT count(*) FROM ledger_leaves WHERE org = $1 AND (ref IN ('entry-1', 'entry-3', 'entry-4') OR (ref = '' AND salt IS NOT NULL))`, string(d.org)).Scan(&left); err != nil {
			return err
		}
		page, err := d.l.List(ctx, tx, d.org, ledger.Query{})
		if text, _ := json.Marshal(page.Events); left != 0 || strings.Contains(string(text), "entry-") {
			t.Errorf("%d leaves still say what they spoke of, or the record does: %s", left, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALogThatIsNotWhatWasAgreedShows(t *testing.T) {
	d := newDesk(t)
	d.event("one", "two", "three")
	three := d.check()
	d.event("four")
	four := d.check()
	agreed := []ward.LogHead{{Size: 3, Root: three.Root}, {Size: 4, Root: four.Root}}
	d.wants(d.check(agreed...))
	d.wants(d.check(append(agreed, ward.LogHead{Size: 9, Root: four.Root})...), "shorter 5 4")
	d.wants(d.check(ward.LogHead{Size: 3, Root: three.Root}, ward.LogHead{Size: 4, Root: three.Root}), "forked 1 3")
}
