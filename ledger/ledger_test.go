package ledger_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/ledger"
	"ward/store"
	"ward/store/storetest"
)

func TestConcurrentWritersMakeOneWholeRecord(t *testing.T) {
	db, l, org, ctx := storetest.Open(t, storetest.Database(t)), ledger.New(time.Now), ward.NewID[ward.OrgID](), t.Context()
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
				return l.Append(ctx, tx, org, ward.Event{Action: "readChart", Decision: "allow"}, ward.Event{Action: "sign-in", Decision: "done"})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	check(t, db, l, org, ward.RecordState{Events: 100, Whole: true})
}

func TestAChangedEventShows(t *testing.T) {
	tampering := map[string]string{
		"altered":        `UPDATE record_events SET body = replace(CAST(body AS TEXT), 'deny', 'allow') WHERE org = $1 AND seq = 3`,
		"column altered": `UPDATE record_events SET person = 'someone' WHERE org = $1 AND seq = 3`,
		"removed":        `DELETE FROM record_events WHERE org = $1 AND seq = 3`,
		"end cut off":    `DELETE FROM record_events WHERE org = $1 AND seq >= 3`,
	}
	if os.Getenv("WARD_TEST_POSTGRES") != "" {
		tampering["altered"] = `UPDATE record_events SET body = convert_to(replace(convert_from(body, 'UTF8'), 'deny', 'allow'), 'UTF8') WHERE org = $1 AND seq = 3`
	}
	for name, statement := range tampering {
		t.Run(name, func(t *testing.T) {
			db, l, org, ctx := storetest.Open(t, storetest.Database(t)), ledger.New(time.Now), ward.NewID[ward.OrgID](), t.Context()
			err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
				for range 5 {
					if err := l.Append(ctx, tx, org, ward.Event{Action: "readChart", Decision: "deny"}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, statement, string(org))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			check(t, db, l, org, ward.RecordState{Events: 5, Broken: 3})
		})
	}
}

func check(t *testing.T, db *store.DB, l *ledger.Ledger, org ward.OrgID, want ward.RecordState) {
	t.Helper()
	err := db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		got, err := l.Verify(ctx, tx, org)
		want.Hash = got.Hash
		if got != want {
			t.Errorf("record is %+v, want %+v", got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
