package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// pg is PostgreSQL, or an engine that speaks its protocol.
type pg struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, address string) (*pg, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open the database: its address is not one PostgreSQL understands (hint: postgres://user:password@host:5432/name)")
	}
	config.MaxConns = max(config.MaxConns, readers+postgresWriters)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database at %s: %w", hostOf(address), err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database at %s: %w", hostOf(address), err)
	}
	return &pg{pool}, nil
}

// hostOf is the part of an address that may be shown: no user, no password.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "its address"
	}
	return u.Host
}

func (p *pg) name() string { return "postgres" }

// migrate takes an advisory lock, since several replicas may start at once.
func (p *pg) migrate(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(p.pool)
	defer db.Close()
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const migrating = 0x77617264 // "ward"
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrating); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrating)
	if err := migrate(ctx, goose.DialectPostgres, db); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, uncompressed)
	return err
}

// uncompressed tells PostgreSQL not to try to compress bytes: what is sealed never gets smaller.
const uncompressed = `DO $$ DECLARE c record; BEGIN
	FOR c IN SELECT t.relname, a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND a.atttypid = 'bytea'::regtype AND a.attnum > 0 AND a.attstorage <> 'e'
	LOOP EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STORAGE EXTERNAL', c.relname, c.attname); END LOOP;
END $$`

func (p *pg) ping(ctx context.Context) error { return p.pool.Ping(ctx) }

func (p *pg) close() error { p.pool.Close(); return nil }

// begin reads from one snapshot, and writes at read committed: rows that must not change underneath are locked by
// the statements that update them.
func (p *pg) begin(ctx context.Context, write bool) (transaction, error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if write {
		options = pgx.TxOptions{}
	}
	tx, err := p.pool.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &pgTx{tx: tx, queued: &pgx.Batch{}}, nil
}

// pgTx sends what is queued together with the next statement: most of the time of a small statement is the way there
// and back.
type pgTx struct {
	tx     pgx.Tx
	queued *pgx.Batch
}

func (t *pgTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	if t.queued.Len() > 0 {
		sent, err := t.send(ctx, query, args)
		if err != nil {
			return 0, err
		}
		tag, err := sent.Exec()
		return tag.RowsAffected(), errors.Join(err, sent.Close())
	}
	tag, err := t.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (t *pgTx) query(ctx context.Context, query string, args []any) (rows, error) {
	if t.queued.Len() > 0 {
		sent, err := t.send(ctx, query, args)
		if err != nil {
			return nil, err
		}
		found, err := sent.Query()
		if err != nil {
			return nil, errors.Join(err, sent.Close())
		}
		return pgRows{found, sent}, nil
	}
	found, err := t.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgRows{found, nil}, nil
}

func (t *pgTx) queue(_ context.Context, query string, args []any) error {
	t.queued.Queue(query, args...)
	return nil
}

func (t *pgTx) flush(ctx context.Context) error {
	if t.queued.Len() == 0 {
		return nil
	}
	batch := t.queued
	t.queued = &pgx.Batch{}
	return t.tx.SendBatch(ctx, batch).Close()
}

// send sends what is queued and a statement, and gives the result of the statement, unread.
func (t *pgTx) send(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	batch, before := t.queued, t.queued.Len()
	batch.Queue(query, args...)
	t.queued = &pgx.Batch{}
	sent := t.tx.SendBatch(ctx, batch)
	for range before {
		if _, err := sent.Exec(); err != nil {
			sent.Close()
			return nil, err
		}
	}
	return sent, nil
}

func (t *pgTx) commit(ctx context.Context) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	return t.tx.Commit(ctx)
}

func (t *pgTx) rollback() error { return t.tx.Rollback(context.Background()) }

type pgRows struct {
	pgx.Rows
	sent pgx.BatchResults // that they are part of, or nil
}

func (r pgRows) Close() error {
	r.Rows.Close()
	err := r.Rows.Err()
	if r.sent != nil {
		err = errors.Join(err, r.sent.Close())
	}
	return err
}

const (
	pgUnique        = "23505"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
	pgFull          = "53100"
)

func postgresIs(err error, codes ...string) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code == code {
			return true
		}
	}
	return false
}

// IsDuplicate tells whether err is a row that is there already.
func IsDuplicate(err error) bool { return sqliteDuplicate(err) || postgresIs(err, pgUnique) }

// isTransient tells whether the same transaction may succeed if it is run again.
func isTransient(err error) bool {
	return sqliteBusy(err) || postgresIs(err, pgSerialization, pgDeadlock) || pgconn.SafeToRetry(err)
}

// isFull tells whether there is no room for what was written.
func isFull(err error) bool { return sqliteFull(err) || postgresIs(err, pgFull) }
