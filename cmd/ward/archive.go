package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/store"
)

// An archive is a whole clinic in a tar file, the same whichever engine it comes from or goes to:
//
//	manifest.json              format, version of Ward, version of the tables, time
//	tables/NAME/000001.jsonl   rows, an array a line; bytes are {"b64": "…"}
//	objects/KEY                large sealed entries
//	end.json                   how many rows and objects there were, and the SHA-256 of all before
//
// Rows come from one snapshot, and objects after it. An object that an erasure removed in between is rightly not there.
// Everything about people in it is sealed, as it was in the database. The server's secret key is not in it.

const (
	archiveFormat = "ward/backup/1"
	chunkSize     = 4 << 20 // of rows in memory: a tar file needs sizes in advance
)

type manifest struct {
	Format string `json:"format"`
	Ward   string `json:"ward"`
	Schema int64  `json:"schema"`
	Time   string `json:"time"`
}

// archiveEnd tells that an archive is whole.
type archiveEnd struct {
	Rows    int64  `json:"rows"`
	Objects int64  `json:"objects"`
	SHA256  string `json:"sha256"`
}

type table struct {
	name    string
	columns []string
}

// archiver writes files into a tar and hashes their names and contents.
type archiver struct {
	tar *tar.Writer
	sum hash.Hash
	end archiveEnd
}

func writeArchive(ctx context.Context, db *store.DB, w io.Writer) (archiveEnd, error) {
	a := &archiver{tar: tar.NewWriter(w), sum: sha256.New()}
	err := db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		schema, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		about := manifest{archiveFormat, version(), schema, ward.FormatTime(time.Now())}
		if err := a.json("manifest.json", about); err != nil {
			return err
		}
		tables, err := readTables(ctx, tx, db.Engine())
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := a.rows(ctx, tx, t); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return archiveEnd{}, err
	}
	objects := db.Objects()
	err = objects.List(ctx, func(key string, size int64) error { return a.object(ctx, objects, key, size) })
	if err != nil {
		return archiveEnd{}, err
	}
	a.end.SHA256 = hex.EncodeToString(a.sum.Sum(nil))
	if err := a.json("end.json", a.end); err != nil {
		return archiveEnd{}, err
	}
	return a.end, a.tar.Close()
}

func (a *archiver) json(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.file(name, int64(len(text)), bytes.NewReader(text))
}

func (a *archiver) file(name string, size int64, r io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600}); err != nil {
		return err
	}
	fmt.Fprintf(a.sum, "%s %d\n", name, size)
	_, err := io.CopyN(io.MultiWriter(a.tar, a.sum), r, size)
	return err
}

func (a *archiver) object(ctx context.Context, objects store.Objects, key string, size int64) error {
	r, err := objects.Open(ctx, key, 0, -1)
	if ward.KindOf(err) == ward.Missing {
		return nil // erased since it was listed
	}
	if err != nil {
		return err
	}
	defer r.Close()
	a.end.Objects++
	return a.file("objects/"+key, size, r)
}

// rows writes a table in chunks.
func (a *archiver) rows(ctx context.Context, tx *store.Tx, t table) error {
	found, err := tx.Rows(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name)
	if err != nil {
		return err
	}
	defer found.Close()
	values := make([]any, len(t.columns))
	into := make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	var chunk bytes.Buffer
	chunks := 0
	flush := func() error {
		if chunk.Len() == 0 {
			return nil
		}
		chunks++
		defer chunk.Reset()
		return a.file(fmt.Sprintf("tables/%s/%06d.jsonl", t.name, chunks), int64(chunk.Len()), &chunk)
	}
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = map[string]string{"b64": base64.StdEncoding.EncodeToString(b)} // also of no bytes at all
			}
		}
		line, err := json.Marshal(values)
		if err != nil {
			return err
		}
		chunk.Write(append(line, '\n'))
		a.end.Rows++
		if chunk.Len() >= chunkSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return errors.Join(found.Err(), flush())
}

// readArchive puts an archive into an empty clinic: rows in one transaction, each object into putObject. It reads the
// archive twice, so that one that was cut short or changed is refused before anything of it is kept.
func readArchive(ctx context.Context, db *store.DB, open func() (io.ReadCloser, error), putObject func(key string, r io.Reader, size int64) error) (archiveEnd, error) {
	var end archiveEnd
	if err := checkWhole(open); err != nil {
		return end, err
	}
	err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := open() // again, if the transaction is tried again
		if err != nil {
			return err
		}
		defer r.Close()
		tables, err := readTables(ctx, tx, db.Engine())
		if err != nil {
			return err
		}
		in := &restorer{tx: tx, tables: tables, putObject: putObject}
		if err := in.empty(ctx); err != nil {
			return err
		}
		if err := in.all(ctx, tar.NewReader(r)); err != nil {
			return err
		}
		end = in.end
		return nil
	})
	return end, err
}

// checkWhole reads an archive to its end and compares the hash.
func checkWhole(open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	files := tar.NewReader(r)
	for first := true; ; first = false {
		about, err := files.Next()
		if first && (err != nil || about.Name != "manifest.json") {
			return hinted(errors.New("this is not a backup of Ward"), "Give a file that `ward backup` wrote.")
		}
		if err != nil {
			return hinted(errors.New("the backup is cut short"), "Use another backup. Nothing was restored.")
		}
		if about.Name == "end.json" {
			end, err := ward.Decode[archiveEnd](files)
			if err != nil || end.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return hinted(errors.New("the backup was changed or damaged"), "Use another backup. Nothing was restored.")
			}
			return nil
		}
		fmt.Fprintf(sum, "%s %d\n", about.Name, about.Size)
		if _, err := io.Copy(sum, files); err != nil {
			return hinted(fmt.Errorf("the backup is cut short: %w", err), "Use another backup. Nothing was restored.")
		}
	}
}

type restorer struct {
	tx        *store.Tx
	tables    []table
	end       archiveEnd
	putObject func(key string, r io.Reader, size int64) error
}

// empty refuses to mix two clinics.
func (in *restorer) empty(ctx context.Context) error {
	for _, t := range in.tables {
		var rows int64
		if err := in.tx.Row(ctx, "SELECT COUNT(*) FROM "+t.name).Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return hinted(errors.New("there is a clinic already"), "Restore into an empty folder and database.")
		}
	}
	return nil
}

func (in *restorer) all(ctx context.Context, files *tar.Reader) error {
	for {
		about, err := files.Next()
		if err != nil {
			return err
		}
		kind, rest, _ := strings.Cut(about.Name, "/")
		switch kind {
		case "manifest.json":
			err = in.manifest(ctx, files)
		case "tables":
			name, _, _ := strings.Cut(rest, "/")
			err = in.rows(ctx, name, files)
		case "objects":
			in.end.Objects++
			err = in.putObject(rest, files, about.Size)
		case "end.json":
			return in.finish(files)
		default:
			err = fmt.Errorf("a backup holds no %q", about.Name)
		}
		if err != nil {
			return err
		}
	}
}

func (in *restorer) manifest(ctx context.Context, r io.Reader) error {
	about, err := ward.Decode[manifest](r)
	if err != nil || about.Format != archiveFormat {
		return hinted(errors.New("this is not a backup of Ward"), "Give a file that `ward backup` wrote.")
	}
	schema, err := schemaVersion(ctx, in.tx)
	if err != nil {
		return err
	}
	if schema != about.Schema {
		return hinted(fmt.Errorf("the backup is of Ward %s (tables %d) and this is Ward %s (tables %d)", about.Ward, about.Schema, version(), schema),
			"Restore it with the Ward that made it, then start the newer one.")
	}
	return nil
}

func (in *restorer) rows(ctx context.Context, name string, r io.Reader) error {
	i := slices.IndexFunc(in.tables, func(t table) bool { return t.name == name })
	if i < 0 {
		return fmt.Errorf("there is no table %q", name)
	}
	t := in.tables[i]
	places := make([]string, len(t.columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	insert := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	lines := json.NewDecoder(r)
	lines.UseNumber()
	for {
		var raw []any
		if err := lines.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		values, err := columnValues(raw)
		if err == nil && len(values) != len(t.columns) {
			err = fmt.Errorf("a row has %d values for %d columns", len(values), len(t.columns))
		}
		if err == nil {
			_, err = in.tx.Exec(ctx, insert, values...)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		in.end.Rows++
	}
}

// columnValues undoes what JSON did to a row.
func columnValues(raw []any) ([]any, error) {
	for i, v := range raw {
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				f, ferr := v.Float64()
				if ferr != nil {
					return nil, err
				}
				raw[i] = f
				continue
			}
			raw[i] = n
		case map[string]any:
			text, ok := v["b64"].(string)
			if !ok {
				return nil, errors.New("a value is neither text, number nor bytes")
			}
			b, err := ward.StdB64.DecodeString(text)
			if err != nil {
				return nil, err
			}
			raw[i] = b
		}
	}
	return raw, nil
}

// finish compares what came in with what went out.
func (in *restorer) finish(r io.Reader) error {
	want, err := ward.Decode[archiveEnd](r)
	if err != nil {
		return err
	}
	in.end.SHA256 = want.SHA256
	if want != in.end {
		return fmt.Errorf("%d rows and %d files were backed up, %d and %d came back", want.Rows, want.Objects, in.end.Rows, in.end.Objects)
	}
	return nil
}

// schemaVersion is the number of the last migration.
func schemaVersion(ctx context.Context, tx *store.Tx) (int64, error) {
	var v int64
	err := tx.Row(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&v)
	return v, err
}

// readTables lists the tables in the order in which they were made, so that a row's references come before it.
func readTables(ctx context.Context, tx *store.Tx, engine string) ([]table, error) {
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' ORDER BY m.rowid, c.cid`
	if engine == "postgres" {
		query = `SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
			WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname NOT LIKE 'goose_%'
			AND c.attnum > 0 AND NOT c.attisdropped ORDER BY t.oid, c.attnum`
	}
	found, err := tx.Rows(ctx, query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var tables []table
	for found.Next() {
		var name, column string
		if err := found.Scan(&name, &column); err != nil {
			return nil, err
		}
		if n := len(tables); n == 0 || tables[n-1].name != name {
			tables = append(tables, table{name: name})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, column)
	}
	return tables, found.Err()
}
