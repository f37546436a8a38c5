// Package storetest opens the store that a test runs on: SQLite, or the PostgreSQL that WARD_TEST_POSTGRES names.
package storetest

import (
	"context"
	"net/url"
	"os"
	"testing"

	"ward"
	"ward/store"
)

// Database is where a test keeps its rows: empty for SQLite, else a new schema of the database that WARD_TEST_POSTGRES
// names, so that tests that count rows are not told of those that others write at the same time.
func Database(t *testing.T) string {
	t.Helper()
	address := os.Getenv("WARD_TEST_POSTGRES")
	if address == "" {
		return ""
	}
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + ward.NewID[string]()
	shared := Open(t, address)
	defer shared.Close()
	err = shared.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, "CREATE SCHEMA "+schema)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := to.Query()
	settings.Set("search_path", schema)
	to.RawQuery = settings.Encode()
	return to.String()
}

// Open opens a database until the test ends, with a folder of its own for what is large.
func Open(t *testing.T, database string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
