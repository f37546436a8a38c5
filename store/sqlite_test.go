package store

import "testing"

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
