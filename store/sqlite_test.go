package store

import (
	"os"
	"path/filepath"
	"testing"
)

// TestParametersWithoutNames has statements of which some may lose the names of their parameters.
func TestParametersWithoutNames(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT 1`: `SELECT 1`,
		`INSERT INTO a VALUES ($1, $2), ($3, $4)`:                     `INSERT INTO a VALUES (?, ?), (?, ?)`,
		`UPDATE a SET b = b + $1 WHERE c = $2 RETURNING b`:            `UPDATE a SET b = b + ? WHERE c = ? RETURNING b`,
		`SELECT a FROM b WHERE c = $1 AND (d = $2 OR e = $2)`:         `SELECT a FROM b WHERE c = $1 AND (d = $2 OR e = $2)`,
		`SELECT a FROM b WHERE c = $2 AND d = $1`:                     `SELECT a FROM b WHERE c = $2 AND d = $1`,
		`SELECT a FROM b WHERE (c, d) > ($1, $2) ORDER BY c LIMIT $3`: `SELECT a FROM b WHERE (c, d) > (?, ?) ORDER BY c LIMIT ?`,
	} {
		if got := unnamed(query); got != want {
			t.Errorf("%s became %s", query, got)
		}
	}
}

// Nobody else on the machine can read the database, though the folder be open and whatever it was before.
func TestTheDatabaseIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a new one, and one that was open
		db, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "ward.db*"))
		if err != nil || len(files) < 2 {
			t.Fatalf("the database is %v, %v", files, err)
		}
		for _, file := range files {
			about, err := os.Stat(file)
			if err != nil || about.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, about.Mode(), err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "ward.db"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
