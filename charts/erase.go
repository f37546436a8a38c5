package charts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ward"
	"ward/store"
)

// erase removes a chart: its ciphertext, keys, grants and objects. The record keeps that it happened and when, by ids
// that then lead nowhere.
func (c *Charts) erase(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, by ward.PersonID) error {
	if err := c.Visits.CancelOf(ctx, tx, org, chart, by); err != nil { // first: who shares the chart is told
		return err
	}
	locks, err := locksOf(ctx, tx, org, chart)
	if err != nil {
		return err
	}
	for _, l := range locks {
		if err := holdHead(ctx, tx, org, &l); err != nil { // against entries and grants that are on their way
			return err
		}
		refs, err := refsOf(ctx, tx, org, l.id)
		if err != nil {
			return err
		}
		if err := c.Ledger.Forget(ctx, tx, org, refs...); err != nil {
			return err
		}
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
		if err := c.forget(ctx, tx, lockKey(org, l.id)); err != nil {
			return err
		}
		c.tell(tx, org, ward.Notice{Kind: "lock", Lock: l.id, Chart: chart})
	}
	if _, err := tx.Exec(ctx, `DELETE FROM break_glass WHERE org = $1 AND chart = $2`, string(org), string(chart)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM charts WHERE org = $1 AND chart = $2`, string(org), string(chart))
	return err
}

// eraseWritten empties what a person wrote about themselves into the locks that all share, and the snapshots there, which
// may repeat it. Statements stay, so that the chain still checks.
func (c *Charts) eraseWritten(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	const written = `org = $1 AND ((author = $2 AND kind = 'person') OR kind = 'snapshot')
		AND lock IN (SELECT lock FROM locks WHERE org = $1 AND kind IN ('directory', 'staff'))`
	uploads, err := list[ward.UploadID](ctx, tx, `SELECT upload FROM entries WHERE upload <> '' AND `+written, string(org), string(person))
	if err != nil {
		return err
	}
	for _, id := range uploads {
		u, err := getUpload(ctx, tx, org, id)
		if err == nil {
			err = c.forgetUpload(ctx, tx, org, u.lock, id)
		}
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE entries SET sealed = NULL, upload = '' WHERE `+written, string(org), string(person))
	return err
}

// Objects are deleted by a queue: what deletes the rows that name them writes down the beginning of their keys in the
// same transaction, and the sweep deletes them, after it and outside of it, until that succeeded. So no power cut and
// no refusing bucket leaves anything behind, and nobody who writes waits for a bucket.

// settled is how long after its rows an object may still arrive: longer than the server gives one part of an upload.
// Objects are deleted again and again for as long.
const settled = time.Hour

// forget puts the objects whose keys begin like this on the list of those to delete.
func (c *Charts) forget(ctx context.Context, tx *store.Tx, prefix string) error {
	tx.AfterCommit(func() {
		select {
		case c.forgotten <- struct{}{}:
		default: // told already
		}
	})
	_, err := tx.Exec(ctx, `INSERT INTO object_deletions (prefix, since) VALUES ($1, $2) ON CONFLICT DO NOTHING`, prefix, c.Now().UnixMilli())
	return err
}

// forgetUpload removes an upload and has its objects deleted.
func (c *Charts) forgetUpload(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, u ward.UploadID) error {
	if err := c.forget(ctx, tx, uploadKey(org, id, u)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM upload_parts WHERE org = $1 AND upload = $2`, string(org), string(u)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM uploads WHERE org = $1 AND upload = $2`, string(org), string(u))
	return err
}

// isForgotten tells whether what is stored under a lock or an upload is about to be deleted.
func isForgotten(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, u ward.UploadID) (bool, error) {
	return exists(ctx, tx, `SELECT 1 FROM object_deletions WHERE prefix IN ($1, $2)`, lockKey(org, id), uploadKey(org, id, u))
}

// Forgotten tells when there is something new to sweep.
func (c *Charts) Forgotten() <-chan struct{} { return c.forgotten }

// Sweep gives up uploads that were begun and left, and deletes the objects that nothing names any more. It is called
// at the start, when Forgotten says so, and now and then: what fails is tried again by the next.
func (c *Charts) Sweep(ctx context.Context) error {
	return errors.Join(c.DB.Do(ctx, c.giveUp), c.deleteObjects(ctx))
}

// giveUp removes uploads that were begun and left.
func (c *Charts) giveUp(ctx context.Context, tx *store.Tx) error {
	all, err := deleteLeft(ctx, tx, c.Now().Add(-uploadLife))
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := c.forgetUpload(ctx, tx, l.org, l.lock, l.id); err != nil {
			return err
		}
	}
	return nil
}

type left struct {
	org  ward.OrgID
	lock ward.LockID
	id   ward.UploadID
}

// deleteLeft finds uploads that were left and deletes their rows in one statement, so that none is deleted that
// becomes an entry's in the same moment.
func deleteLeft(ctx context.Context, tx *store.Tx, before time.Time) ([]left, error) {
	found, err := tx.Rows(ctx, `DELETE FROM uploads WHERE entry = '' AND touched < $1 RETURNING org, lock, upload`, before.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []left
	for found.Next() {
		var l left
		if err := found.Scan((*string)(&l.org), (*string)(&l.lock), (*string)(&l.id)); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, found.Err()
}

// deleteObjects works off the list, each item by itself, so that one that fails keeps no other.
func (c *Charts) deleteObjects(ctx context.Context) error {
	all, err := c.deletions(ctx)
	for _, d := range all {
		failed := c.DB.Objects().Delete(ctx, d.prefix)
		if failed == nil && !d.since.After(c.Now().Add(-settled)) {
			failed = c.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM object_deletions WHERE prefix = $1`, d.prefix)
				return err
			})
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("delete objects, which stay on the list: %w", failed))
		}
	}
	return err
}

type deletion struct {
	prefix string
	since  time.Time
}

func (c *Charts) deletions(ctx context.Context) ([]deletion, error) {
	var all []deletion
	err := c.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Rows(ctx, `SELECT prefix, since FROM object_deletions WHERE since <= $1 ORDER BY since, prefix`, c.Now().UnixMilli())
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var d deletion
			var since int64
			if err := found.Scan(&d.prefix, &since); err != nil {
				return err
			}
			d.since = time.UnixMilli(since)
			all = append(all, d)
		}
		return found.Err()
	})
	return all, err
}
