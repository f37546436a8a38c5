package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/store"
)

// TestAnOlderBackupIsFoundOutByTheChain puts an older copy of the database in the place of a clinic's, beside the chain
// that has agreed on more, as an administrator would who wants something not to have happened.
func TestAnOlderBackupIsFoundOutByTheChain(t *testing.T) {
	dir := t.TempDir()
	older := filepath.Join(dir, "older.backup")
	config := func() *Config {
		return &Config{Dir: filepath.Join(dir, "data"), Origin: "http://localhost:8080", Name: "Hillside", LogLevel: "error"}
	}
	here, org := openClinic(t, config())
	happens(t, here, org, "before")
	agrees(t, here, org)
	if _, err := backup(t.Context(), config(), older); err != nil {
		t.Fatal(err)
	}
	happens(t, here, org, "one access that should vanish")
	size := agrees(t, here, org)
	if err := here.close(); err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"ward.db", "ward.db-wal", "ward.db-shm"} {
		if err := os.Remove(filepath.Join(dir, "data", name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), config().store())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readArchive(t.Context(), db, opener(older), nil); err != nil {
		t.Fatal(err)
	}
	db.Close()

	here, _ = openClinic(t, config())
	defer here.close()
	kinds := ""
	waitFor(t, "the alarm", func() bool {
		kinds = ""
		rows(t, here, `SELECT kind FROM ledger_alarms WHERE ended = 0 AND org = $1`, org, func(r *store.Rows) error {
			var kind string
			err := r.Scan(&kind)
			kinds += kind + " "
			return err
		})
		return strings.Contains(kinds, "shorter") || strings.Contains(kinds, "forked")
	})
	happens(t, here, org, "work that goes on", "and on", "and on")
	state, err := here.keeper.Check(t.Context(), org)
	if err != nil || state.Whole || state.Agreed == nil || state.Agreed.Size != size {
		t.Errorf("the check found %+v, %v; %d leaves were agreed", state, err, size)
	}

	// If that backup is all there is, an operator begins the log again.
	old, err := here.keeper.Lost(t.Context(), org)
	if err != nil || old.Size != size || old.Lost < 1 || old.Lost > size {
		t.Fatalf("lost is %+v, %v", old, err)
	}
	if _, err := here.keeper.BeginAgain(t.Context(), org, old.Lost); err != nil {
		t.Fatal(err)
	}
	agrees(t, here, org)
	if state, err = here.keeper.Check(t.Context(), org); err != nil || !state.Whole {
		t.Errorf("the new log is %+v, %v", state, err)
	}
}

// openClinic starts a clinic as `ward serve` does, but for its listener.
func openClinic(t *testing.T, config *Config) (*running, ward.OrgID) {
	t.Helper()
	here, err := clinic(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.found(t.Context(), "Hillside"); err != nil {
		t.Fatal(err)
	}
	var org string
	rows(t, here, `SELECT org FROM orgs WHERE org <> $1`, "", func(r *store.Rows) error { return r.Scan(&org) })
	return here, ward.OrgID(org)
}

func happens(t *testing.T, here *running, org ward.OrgID, actions ...string) {
	t.Helper()
	for _, action := range actions {
		err := here.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return here.keeper.Ledger.Append(ctx, tx, org, ward.Event{Action: action, Decision: "allow"})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// agrees waits until all of a log is agreed, and tells its size.
func agrees(t *testing.T, here *running, org ward.OrgID) (size int64) {
	t.Helper()
	waitFor(t, "everything to be agreed", func() bool {
		var agreed int64
		rows(t, here, `SELECT l.size, COALESCE(MAX(f.size), 0) FROM ledger_logs l LEFT JOIN ledger_finals f ON f.org = l.org WHERE l.org = $1 GROUP BY l.size`, org,
			func(r *store.Rows) error { return r.Scan(&size, &agreed) })
		return size > 0 && size == agreed
	})
	return size
}

func rows(t *testing.T, here *running, query string, org ward.OrgID, each func(*store.Rows) error) {
	t.Helper()
	err := here.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Rows(ctx, query, string(org))
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			if err := each(found); err != nil {
				return err
			}
		}
		return found.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("waited for %s", what)
}
