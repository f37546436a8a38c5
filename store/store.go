// Package store is where Ward keeps things: a database, SQLite by default or PostgreSQL, and large sealed objects in
// a folder or an S3 bucket. It is the only door to SQL drivers.
//
// Work happens in operations. Do runs one atomically and returns nil only when it is on disk; operations that wait
// at the same time share one durable commit (docs/decisions/0005). View reads a consistent snapshot. Both give a Tx,
// whose SQL is one text for both engines: $1, $2, … in order of first use; TEXT, BIGINT (moments as Unix
// milliseconds, flags as 0 and 1) and BYTEA.
//
// What is kept here protects nothing by itself: whoever has the database has all of it. It holds no plaintext of a
// chart because none is ever given to it.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"ward"
)

// Config says where things are kept. The zero value with a Dir is a good one.
type Config struct {
	Database string // "" for SQLite in Dir, or postgres://…
	Dir      string // for ward.db and objects/
	Objects  string // "" for the folder Dir/objects, or s3://bucket/prefix?endpoint=host&region=…
	S3Key    ward.Secret
	S3Secret ward.Secret
}

// ErrNoRow is what Scan returns when a query found nothing.
var ErrNoRow = errors.New("no such row")

const (
	// maxShared is how many operations share a commit: enough to hide a disk's flush behind work, few enough that one
	// slow batch does not hold everyone for long.
	maxShared = 128
	// postgresWriters is how many connections commit at once. More only wait for each other: every operation of an
	// organisation extends the same record.
	postgresWriters = 2
	// busyTimeout is how long SQLite waits for another process, such as a backup, in milliseconds.
	busyTimeout = 10_000
	// readers is how many snapshots may be read at once.
	readers = 8
)

// DB is an open store.
type DB struct {
	engine  engine
	objects Objects
	queue   chan *operation
	stop    chan struct{}
	writers sync.WaitGroup
	closed  sync.Once
}

// An engine is what differs between SQLite and PostgreSQL.
type engine interface {
	name() string
	begin(ctx context.Context, write bool) (transaction, error)
	migrate(ctx context.Context) error
	ping(ctx context.Context) error
	close() error
}

// A transaction is a running one of either engine.
type transaction interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	query(ctx context.Context, query string, args []any) (rows, error)
	queue(ctx context.Context, query string, args []any) error // at the latest with the next statement
	flush(ctx context.Context) error                           // what is queued
	commit(ctx context.Context) error
	rollback() error
}

type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Open opens the store and brings its tables up to date.
func Open(ctx context.Context, config Config) (*DB, error) {
	if config.Dir == "" {
		return nil, errors.New("open store: no folder is configured (hint: set dir)")
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	objects, err := openObjects(config)
	if err != nil {
		return nil, err
	}
	var e engine
	writers := 1
	switch {
	case config.Database == "":
		e, err = openSQLite(ctx, filepath.Join(config.Dir, "ward.db"))
	case strings.HasPrefix(config.Database, "postgres://"), strings.HasPrefix(config.Database, "postgresql://"):
		e, err = openPostgres(ctx, config.Database)
		writers = postgresWriters
	default:
		err = errors.New("open store: the database must be empty (SQLite) or start with postgres://")
	}
	if err != nil {
		return nil, err
	}
	if err := e.migrate(ctx); err != nil {
		e.close()
		return nil, fmt.Errorf("bring the database up to date: %w", err)
	}
	db := &DB{engine: e, objects: objects, queue: make(chan *operation), stop: make(chan struct{})}
	for range writers {
		db.writers.Go(db.write)
	}
	return db, nil
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name() }

// Objects is where large sealed things are.
func (db *DB) Objects() Objects { return db.objects }

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.engine.ping(ctx) }

// Close waits for the operations that run and closes the database.
func (db *DB) Close() error {
	var err error
	db.closed.Do(func() {
		close(db.stop)
		db.writers.Wait()
		err = db.engine.close()
	})
	return err
}

// View runs fn on a snapshot that it cannot change.
func (db *DB) View(ctx context.Context, fn func(context.Context, *Tx) error) error {
	running, err := db.engine.begin(ctx, false)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer running.rollback()
	return fn(ctx, &Tx{running: running})
}

// Do runs fn in a transaction and returns once it is durable. If fn fails nothing of it remains. fn may run more
// than once, so it must not change anything but tx; what must follow success goes to Tx.AfterCommit.
func (db *DB) Do(ctx context.Context, fn func(context.Context, *Tx) error) error {
	op := &operation{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case db.queue <- op:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.stop:
		return &ward.Error{Kind: ward.Unavailable, Message: "the server is stopping", Hint: "Try again in a moment."}
	}
	// From here the answer is the writer's: leaving early could report as undone what was done.
	return <-op.done
}

type operation struct {
	ctx  context.Context
	fn   func(context.Context, *Tx) error
	done chan error
	err  error
	then []func()
	last []gathered
}

// write commits operations, as many together as are waiting.
func (db *DB) write() {
	for {
		var batch []*operation
		select {
		case op := <-db.queue:
			batch = append(batch, op)
		case <-db.stop:
			return
		}
	gather:
		for len(batch) < maxShared {
			select {
			case op := <-db.queue:
				batch = append(batch, op)
			default:
				break gather
			}
		}
		db.commit(batch)
	}
}

// maxAttempts is how often an operation is run when another process makes the database refuse it.
const maxAttempts = 5

// commit runs a batch in one transaction. If the transaction itself fails each operation is run alone, so that one
// cannot spoil another's.
func (db *DB) commit(batch []*operation) {
	err := db.attempt(batch)
	for tries := 1; err != nil && tries < maxAttempts && isTransient(err); tries++ {
		time.Sleep(time.Duration(tries) * 10 * time.Millisecond)
		err = db.attempt(batch)
	}
	if err != nil && len(batch) > 1 {
		for _, op := range batch {
			db.commit([]*operation{op})
		}
		return
	}
	for _, op := range batch {
		if err != nil {
			op.err = fmt.Errorf("commit: %w", err)
		}
		if isFull(op.err) {
			op.err = &ward.Error{Kind: ward.Unavailable, Message: "the clinic's disk is full, so this was not kept", Hint: "Whoever runs the clinic must make room. Then try again.", Err: op.err}
		}
		if op.err == nil {
			for _, then := range op.then {
				then()
			}
		}
		op.done <- op.err
	}
}

// attempt runs a batch, each operation behind a savepoint, and commits. Its error is the transaction's; those of
// operations are theirs.
func (db *DB) attempt(batch []*operation) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	running, err := db.engine.begin(ctx, true)
	if err != nil {
		return err
	}
	defer running.rollback()
	for _, op := range batch {
		if err := runOne(ctx, running, op, len(batch) > 1); err != nil {
			return err
		}
		if op.err != nil && len(batch) == 1 {
			return nil // rolled back whole
		}
	}
	if err := finish(ctx, running, batch); err != nil {
		return err
	}
	return running.commit(ctx)
}

// gathered is something that operations leave for the end of their transaction.
type gathered struct {
	key    string
	item   any
	finish func(ctx context.Context, tx *Tx, items []any) error
}

// finish does what the operations of a batch gathered: one call for each key, in the order of keys, so that two
// batches that wait for each other's rows do so in the same order.
func finish(ctx context.Context, running transaction, batch []*operation) error {
	items, finishers := map[string][]any{}, map[string]gathered{}
	for _, op := range batch {
		for _, g := range op.last {
			items[g.key] = append(items[g.key], g.item)
			finishers[g.key] = g
		}
	}
	for _, key := range slices.Sorted(maps.Keys(items)) {
		if err := finishers[key].finish(ctx, &Tx{running: running}, items[key]); err != nil {
			return err
		}
	}
	return running.flush(ctx)
}

// commitTimeout bounds a batch, so that a database that hangs is noticed.
const commitTimeout = time.Minute

func runOne(ctx context.Context, running transaction, op *operation, guarded bool) (err error) {
	op.err, op.then, op.last = nil, nil, nil
	if op.ctx.Err() != nil {
		op.err = op.ctx.Err() // its caller has gone
		return nil
	}
	if guarded {
		if err := running.queue(ctx, "SAVEPOINT operation", nil); err != nil {
			return err
		}
	}
	tx := &Tx{running: running}
	op.err = runSafely(ctx, tx, op.fn)
	if op.err == nil {
		op.err = running.flush(ctx) // so that what was queued fails the operation that queued it
	}
	if op.err != nil && isTransient(op.err) {
		return op.err
	}
	if !guarded {
		op.then, op.last = tx.then, tx.last
		return nil
	}
	if op.err != nil {
		if err := undo(ctx, running, "operation"); err != nil {
			return err
		}
	} else {
		op.then, op.last = tx.then, tx.last
	}
	return running.queue(ctx, "RELEASE SAVEPOINT operation", nil)
}

// runSafely turns a panic into an error, so that one operation cannot take the writer down with the others. It says
// nothing of the panic's value, which could hold what the operation worked on.
func runSafely(ctx context.Context, tx *Tx, fn func(context.Context, *Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &ward.Error{Kind: ward.Internal, Message: "something went wrong on our side", Err: fmt.Errorf("panic of type %T in an operation\n%s", p, debug.Stack())}
		}
	}()
	return fn(ctx, tx)
}

// Tx is a running transaction.
type Tx struct {
	running transaction
	then    []func()
	last    []gathered
}

// Exec runs a statement and tells how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return tx.running.exec(ctx, query, args)
}

// Queue runs a statement whose result nobody waits for. PostgreSQL gets it together with the next one, which saves
// a round trip; if it fails, that one does, or else the operation.
func (tx *Tx) Queue(ctx context.Context, query string, args ...any) error {
	return tx.running.queue(ctx, query, args)
}

// Rows runs a query. Close the result.
func (tx *Tx) Rows(ctx context.Context, query string, args ...any) (*Rows, error) {
	found, err := tx.running.query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &Rows{found}, nil
}

// Row runs a query for one row. Its Scan gives ErrNoRow if there is none.
func (tx *Tx) Row(ctx context.Context, query string, args ...any) *Row {
	found, err := tx.running.query(ctx, query, args)
	return &Row{found, err}
}

// Try runs fn so that, if it fails, what it did is undone and the rest of the operation goes on.
func (tx *Tx) Try(ctx context.Context, fn func(context.Context) error) error {
	if err := tx.running.queue(ctx, "SAVEPOINT attempt", nil); err != nil {
		return err
	}
	then, last := len(tx.then), len(tx.last)
	failed := fn(ctx)
	if failed == nil {
		failed = tx.running.flush(ctx)
	}
	if failed != nil && isTransient(failed) {
		return failed // the whole operation will run again
	}
	if failed != nil {
		tx.then, tx.last = tx.then[:then], tx.last[:last]
		if err := undo(ctx, tx.running, "attempt"); err != nil {
			return errors.Join(failed, err)
		}
	}
	if err := tx.running.queue(ctx, "RELEASE SAVEPOINT attempt", nil); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// undo goes back to a savepoint. What is still queued is sent first, since the savepoint itself may be part of it; if
// that fails, what failed is undone too.
func undo(ctx context.Context, running transaction, savepoint string) error {
	_ = running.flush(ctx)
	_, err := running.exec(ctx, "ROLLBACK TO SAVEPOINT "+savepoint, nil)
	return err
}

// AfterCommit calls then once the operation is durable, in the order given, before Do returns.
func (tx *Tx) AfterCommit(then func()) { tx.then = append(tx.then, then) }

// Gather leaves an item for the end of the transaction. There finish runs once for each key, with the items of all
// operations that share the commit, in order: what they would all wait for each other to change is changed once. If it
// fails, so do they.
func Gather[T any](tx *Tx, key string, item T, finish func(ctx context.Context, tx *Tx, items []T) error) {
	tx.last = append(tx.last, gathered{key, item, func(ctx context.Context, tx *Tx, items []any) error {
		all := make([]T, len(items))
		for i, item := range items {
			all[i] = item.(T)
		}
		return finish(ctx, tx, all)
	}})
}

// Rows is the result of a query.
type Rows struct{ rows }

// Row is the result of a query for one row.
type Row struct {
	found rows
	err   error
}

// Scan copies the row's columns.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.found.Close()
	if !r.found.Next() {
		if err := r.found.Err(); err != nil {
			return err
		}
		return ErrNoRow
	}
	if err := r.found.Scan(dest...); err != nil {
		return err
	}
	return r.found.Close()
}
