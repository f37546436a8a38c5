package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// lite is SQLite: one connection that writes, several that read.
type lite struct {
	db, reader *sql.DB
	writer     *sql.Conn
	prepared   map[string]*sql.Stmt // of writer; its queries are constants of the program, so few that none is forgotten

	commits   int           // since the write-ahead log was last to be moved
	full      chan struct{} // holds something while it is to be
	moving    sync.WaitGroup
	stopMoves context.CancelFunc
}

const (
	// moveAfter is how many commits the write-ahead log gathers before it is moved to the database. That happens beside the
	// writer, which would otherwise do it after some commit, and everyone who waits for the next would wait for it too.
	moveAfter = 16
	// moveAtLeast is how many pages, 32 MB, the log may have before the writer moves it after all, so that it cannot grow
	// without end: SQLite begins it anew only when all of it is moved.
	moveAtLeast = 8192
)

func openSQLite(ctx context.Context, path string) (*lite, error) {
	if err := keepToOneself(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	open := func(extra string) (*sql.DB, error) {
		dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + fmt.Sprintf("?_pragma=busy_timeout(%d)"+
			"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(%d)", busyTimeout, moveAtLeast)
		db, err := sql.Open("sqlite", dsn+extra)
		if err == nil {
			err = db.PingContext(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		return db, nil
	}
	db, err := open("")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2) // one to write, one to migrate before and then to move what is written
	writer, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	reader, err := open("&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writer.Close(), db.Close())
	}
	reader.SetMaxOpenConns(readers)
	l := &lite{db: db, reader: reader, writer: writer, prepared: map[string]*sql.Stmt{}, full: make(chan struct{}, 1)}
	moves, stop := context.WithCancel(context.Background())
	l.stopMoves = stop
	l.moving.Go(func() { l.move(moves) })
	return l, nil
}

// keepToOneself makes the file of a database before SQLite does, which would let others on the machine read it, and closes one that
// is open to them. What SQLite puts beside it has the same mode.
func keepToOneself(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	about, err := f.Stat()
	if err == nil && about.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600)
	}
	return errors.Join(err, f.Close())
}

// move copies what commits left in the write-ahead log to the database, whenever it is full. It waits for nobody and
// nobody for it (PRAGMA wal_checkpoint, PASSIVE); what readers still need is moved another time. If it fails the log grows
// until the writer does it, and hears of it.
func (l *lite) move(ctx context.Context) {
	for {
		select {
		case <-l.full:
		case <-ctx.Done():
			return
		}
		_, _ = l.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	}
}

func (l *lite) name() string { return "sqlite" }

func (l *lite) migrate(ctx context.Context) error { return migrate(ctx, goose.DialectSQLite3, l.db) }

func (l *lite) ping(ctx context.Context) error { return l.reader.PingContext(ctx) }

func (l *lite) close() error {
	l.stopMoves()
	l.moving.Wait()
	var errs []error
	for _, statement := range l.prepared {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, l.writer.Close(), l.reader.Close(), l.db.Close())...)
}

func (l *lite) begin(ctx context.Context, write bool) (transaction, error) {
	if !write {
		tx, err := l.reader.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		return snapshot{tx}, nil
	}
	if _, err := l.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	return &writing{lite: l}, nil
}

// writing is a transaction on the writing connection.
type writing struct {
	*lite
	ended bool
}

func (w *writing) exec(ctx context.Context, query string, args []any) (int64, error) {
	statement, err := w.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (w *writing) query(ctx context.Context, query string, args []any) (rows, error) {
	statement, err := w.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

func (w *writing) queue(ctx context.Context, query string, args []any) error {
	_, err := w.exec(ctx, query, args)
	return err
}

func (w *writing) flush(context.Context) error { return nil }

func (w *writing) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement, ok := w.prepared[query]; ok {
		return statement, nil
	}
	statement, err := w.writer.PrepareContext(ctx, unnamed(query))
	if err == nil {
		w.prepared[query] = statement
	}
	return statement, err
}

var parameter = regexp.MustCompile(`\$\d+`)

// unnamed writes parameters as ? if each is used once and in order. SQLite's driver looks every named one up among all:
// $1 to $448, of a statement that inserts many rows, cost as much as the rows.
func unnamed(query string) string {
	n, inOrder := 0, true
	plain := parameter.ReplaceAllStringFunc(query, func(name string) string {
		n++
		inOrder = inOrder && name == fmt.Sprintf("$%d", n)
		return "?"
	})
	if !inOrder {
		return query
	}
	return plain
}

func (w *writing) commit(ctx context.Context) error {
	_, err := w.writer.ExecContext(ctx, "COMMIT")
	w.ended = err == nil
	if w.commits++; w.commits >= moveAfter {
		w.commits = 0
		select {
		case w.full <- struct{}{}:
		default: // it is being moved
		}
	}
	return err
}

func (w *writing) rollback() error {
	if w.ended {
		return nil
	}
	w.ended = true
	_, err := w.writer.ExecContext(context.Background(), "ROLLBACK")
	return err
}

// snapshot is a transaction that reads.
type snapshot struct{ tx *sql.Tx }

func (s snapshot) exec(context.Context, string, []any) (int64, error) {
	return 0, errors.New("a view cannot change anything")
}

func (s snapshot) queue(context.Context, string, []any) error {
	return errors.New("a view cannot change anything")
}

func (s snapshot) flush(context.Context) error { return nil }

func (s snapshot) query(ctx context.Context, query string, args []any) (rows, error) {
	return s.tx.QueryContext(ctx, query, args...)
}

func (s snapshot) commit(context.Context) error { return s.tx.Commit() }

func (s snapshot) rollback() error { return s.tx.Rollback() }

// sqliteIs tells whether err is SQLite's with one of the primary codes.
func sqliteIs(err error, codes ...int) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code() == code || e.Code()&0xff == code {
			return true
		}
	}
	return false
}

func sqliteDuplicate(err error) bool {
	return sqliteIs(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func sqliteBusy(err error) bool { return sqliteIs(err, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) }

func sqliteFull(err error) bool { return sqliteIs(err, sqlite3.SQLITE_FULL) }
