package charts

import (
	"context"

	"ward"
	"ward/store"
)

// eraseWritten empties what a person wrote about themselves into the locks that all share, and the snapshots there, which
// may repeat it. Statements stay, so that the chain still checks.
func eraseWritten(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	_, err := tx.Exec(ctx, `UPDATE entries SET sealed = NULL WHERE org = $1 AND upload = '' AND ((author = $2 AND kind = 'person') OR kind = 'snapshot')
		AND lock IN (SELECT lock FROM locks WHERE org = $1 AND kind IN ('directory', 'staff'))`, string(org), string(person))
	return err
}

// erase removes a chart: its ciphertext, keys, grants and objects. The record keeps that it happened and when, by ids
// that then lead nowhere. Objects go after the rows, since a row without its object is worse than the reverse; the
// sweep of a later start removes what a power cut left.
func (c *Charts) erase(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) error {
	locks, err := locksOf(ctx, tx, org, chart)
	if err != nil {
		return err
	}
	for _, l := range locks {
		for _, statement := range []string{
			`DELETE FROM upload_parts WHERE org = $1 AND upload IN (SELECT upload FROM uploads WHERE org = $1 AND lock = $2)`,
			`DELETE FROM uploads WHERE org = $1 AND lock = $2`,
			`DELETE FROM entries WHERE org = $1 AND lock = $2`,
			`DELETE FROM grants WHERE org = $1 AND lock = $2`,
			`DELETE FROM epochs WHERE org = $1 AND lock = $2`,
			`DELETE FROM locks WHERE org = $1 AND lock = $2`,
		} {
			if _, err := tx.Exec(ctx, statement, string(org), string(l.id)); err != nil {
				return err
			}
		}
		key := lockKey(org, l.id)
		after := context.WithoutCancel(ctx)
		tx.AfterCommit(func() { c.DB.Objects().Delete(after, key) })
		c.tell(tx, org, ward.Notice{Kind: "lock", Lock: l.id, Chart: chart})
	}
	if _, err := tx.Exec(ctx, `DELETE FROM break_glass WHERE org = $1 AND chart = $2`, string(org), string(chart)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM charts WHERE org = $1 AND chart = $2`, string(org), string(chart))
	return err
}
