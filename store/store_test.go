package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"ward/store"
	"ward/store/storetest"
)

// engines runs a test on SQLite, and on PostgreSQL where WARD_TEST_POSTGRES names an empty database.
func engines(t *testing.T, test func(t *testing.T, db *store.DB)) {
	addresses := map[string]string{"sqlite": ""}
	if database := storetest.Database(t); database != "" {
		addresses["postgres"] = database
	}
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			test(t, storetest.Open(t, address))
		})
	}
}

func put(name string) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, $3)`, name, []byte("x"), int64(1))
		return err
	}
}

func TestOperationsThatShareACommitFailAlone(t *testing.T) {
	engines(t, func(t *testing.T, db *store.DB) {
		prefix := t.Name()
		ctx := t.Context()
		sorry := errors.New("no")
		var wait sync.WaitGroup
		for i := range 200 {
			wait.Go(func() {
				name := fmt.Sprintf("%s/%d", prefix, i)
				after := false
				err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
					if err := put(name)(ctx, tx); err != nil {
						return err
					}
					tx.AfterCommit(func() { after = true })
					switch {
					case i%3 == 1:
						return sorry
					case i%7 == 2:
						panic("oh")
					}
					return nil
				})
				if failed := i%3 == 1 || i%7 == 2; (err != nil) != failed || after == failed {
					t.Errorf("operation %d: error %v, after commit %v", i, err, after)
				}
			})
		}
		wait.Wait()
		err := db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
			for i := range 200 {
				var n int
				if err := tx.Row(ctx, `SELECT count(*) FROM server_secrets WHERE name = $1`, fmt.Sprintf("%s/%d", prefix, i)).Scan(&n); err != nil {
					return err
				}
				if want := i%3 != 1 && i%7 != 2; (n == 1) != want {
					t.Errorf("row %d is there: %v", i, n == 1)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatIsQueuedIsDoneInOrderAndFailsItsOwnOperation(t *testing.T) {
	engines(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		const insert = `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, $3)`
		count := func(tx *store.Tx, name string) (n int, err error) {
			return n, tx.Row(ctx, `SELECT count(*) FROM server_secrets WHERE name = $1`, name).Scan(&n)
		}
		if err := db.Do(ctx, put(t.Name())); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for i := range 60 {
			wait.Go(func() {
				name := fmt.Sprintf("%s/%d", t.Name(), i)
				err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
					if err := tx.Queue(ctx, insert, name, []byte("x"), int64(i)); err != nil {
						return err
					}
					if i%3 == 0 { // seen by what follows in the operation
						if n, err := count(tx, name); err != nil || n != 1 {
							t.Errorf("operation %d sees %d rows of what it queued, error %v", i, n, err)
						}
					}
					if i%3 == 1 { // there already: the operation's own fault, and its last word
						return tx.Queue(ctx, insert, t.Name(), []byte("x"), int64(i))
					}
					return nil
				})
				if (err != nil) != (i%3 == 1) {
					t.Errorf("operation %d: error %v", i, err)
				}
			})
		}
		wait.Wait()
		err := db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
			for i := range 60 {
				if n, err := count(tx, fmt.Sprintf("%s/%d", t.Name(), i)); err != nil || (n == 1) == (i%3 == 1) {
					t.Errorf("operation %d left %d rows, error %v", i, n, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatIsGatheredIsDoneOnceForAllThatShareACommit(t *testing.T) {
	engines(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		name, sorry := t.Name(), errors.New("no")
		count := func(tx *store.Tx) (n int, err error) {
			return n, tx.Row(ctx, `SELECT count(*) FROM server_secrets WHERE name LIKE $1`, name+"/%").Scan(&n)
		}
		leave := func(tx *store.Tx, item string) {
			store.Gather(tx, name, item, func(ctx context.Context, tx *store.Tx, items []string) error {
				for _, item := range items {
					if item == "spoiled" {
						return sorry
					}
					if err := put(name+"/"+item)(ctx, tx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		var wait sync.WaitGroup
		for i := range 90 {
			wait.Go(func() {
				err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
					leave(tx, fmt.Sprintf("%d", i))
					undone := tx.Try(ctx, func(context.Context) error {
						leave(tx, fmt.Sprintf("tried %d", i))
						return sorry
					})
					if !errors.Is(undone, sorry) {
						t.Errorf("an attempt that failed gives %v", undone)
					}
					switch i % 3 {
					case 1:
						return sorry
					case 2:
						leave(tx, "spoiled")
					}
					return nil
				})
				if (err == nil) != (i%3 == 0) {
					t.Errorf("operation %d: error %v", i, err)
				}
			})
		}
		wait.Wait()
		err := db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
			if n, err := count(tx); err != nil || n != 30 {
				t.Errorf("%d items were written, error %v; want 30, one for each operation that succeeded", n, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestDuplicateAndMissingRowsAreTold(t *testing.T) {
	engines(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if err := db.Do(ctx, put(t.Name())); err != nil {
			t.Fatal(err)
		}
		if err := db.Do(ctx, put(t.Name())); !store.IsDuplicate(err) {
			t.Errorf("second insert: %v, want a duplicate", err)
		}
		err := db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
			var n int
			return tx.Row(ctx, `SELECT created FROM server_secrets WHERE name = 'nobody'`).Scan(&n)
		})
		if !errors.Is(err, store.ErrNoRow) {
			t.Errorf("row that is not there: %v, want ErrNoRow", err)
		}
		err = db.View(ctx, put("view"))
		if err == nil {
			t.Error("a view changed something")
		}
	})
}
