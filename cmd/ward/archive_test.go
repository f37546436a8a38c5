package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ward"
	"ward/ledger"
	"ward/store"
	"ward/store/storetest"
)

func TestABackupRestoresRowForRowAndByteForByte(t *testing.T) {
	ctx := t.Context()
	from := openStore(t, t.TempDir())
	fill(t, from)
	var archive bytes.Buffer
	wrote, err := writeArchive(ctx, from, &archive)
	if err != nil {
		t.Fatal(err)
	}

	to := openStore(t, t.TempDir())
	put := func(key string, r io.Reader, size int64) error { return to.Objects().Put(ctx, key, r, size) }
	read, err := readArchive(ctx, to, bytesOpener(archive.Bytes()), put)
	if err != nil {
		t.Fatal(err)
	}
	if wrote != read || read.Rows == 0 || read.Objects != 1 {
		t.Errorf("wrote %+v, read %+v", wrote, read)
	}
	var again bytes.Buffer
	if _, err := writeArchive(ctx, to, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(afterManifest(archive.String()), afterManifest(again.String())); diff != "" {
		t.Errorf("a backup of the restored clinic differs:\n%.2000s", diff)
	}
	if state, err := ledger.Check(ctx, to, "clinic", "", nil); err != nil || !state.Whole || state.Events != 2 {
		t.Errorf("the record is %+v, %v", state, err)
	}

	if _, err := readArchive(ctx, to, bytesOpener(archive.Bytes()), put); err == nil || !strings.Contains(err.Error(), "there is a clinic already") {
		t.Errorf("restored over a clinic: %v", err)
	}
}

// A clinic moves from SQLite to PostgreSQL and back, and is the same.
func TestABackupOfOneEngineRestoresOnTheOther(t *testing.T) {
	database := storetest.Database(t)
	if database == "" {
		t.Skip("WARD_TEST_POSTGRES names no database")
	}
	ctx := t.Context()
	first := openStore(t, t.TempDir())
	fill(t, first)

	own := storetest.Open(t, database)

	var archive string
	stores := []*store.DB{first, own, openStore(t, t.TempDir())}
	for i, from := range stores {
		var out bytes.Buffer
		if _, err := writeArchive(ctx, from, &out); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if diff := cmp.Diff(archive, afterManifest(out.String())); diff != "" {
				t.Fatalf("from %s:\n%.2000s", from.Engine(), diff)
			}
		}
		archive = afterManifest(out.String())
		if i+1 < len(stores) {
			to := stores[i+1]
			put := func(key string, r io.Reader, size int64) error { return to.Objects().Put(ctx, key, r, size) }
			if _, err := readArchive(ctx, to, bytesOpener(out.Bytes()), put); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestABackupThatWasCutOrChangedIsRefusedWhole(t *testing.T) {
	ctx := t.Context()
	from := openStore(t, t.TempDir())
	fill(t, from)
	var archive bytes.Buffer
	if _, err := writeArchive(ctx, from, &archive); err != nil {
		t.Fatal(err)
	}
	whole := archive.Bytes()
	changed := bytes.Replace(whole, []byte("sealed bytes"), []byte("sealed bites"), 1)
	if bytes.Equal(whole, changed) {
		t.Fatal("nothing was changed")
	}
	for name, text := range map[string][]byte{
		"cut": whole[:len(whole)/2], "changed": changed, "empty": nil, "something else": []byte("dear clinic,"),
	} {
		dir := t.TempDir()
		to := openStore(t, dir)
		put := func(key string, r io.Reader, size int64) error { return to.Objects().Put(ctx, key, r, size) }
		if _, err := readArchive(ctx, to, bytesOpener(text), put); err == nil {
			t.Errorf("%s: restored", name)
		}
		objects, err := os.ReadDir(filepath.Join(dir, "objects"))
		if err != nil || len(objects) > 0 {
			t.Errorf("%s: left %v, %v", name, objects, err)
		}
	}
}

func openStore(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func fill(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, $3)`, "a \"quoted\"\nname", []byte{0, 255, 10}, int64(1)<<62); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, $3)`, "", []byte{}, -1); err != nil {
			return err
		}
		return ledger.New(time.Now).Append(ctx, tx, "clinic", ward.Event{Action: "invite"}, ward.Event{Action: "grant"})
	})
	if err != nil {
		t.Fatal(err)
	}
	text := "sealed bytes"
	if err := db.Objects().Put(ctx, "clinic/lock/1", strings.NewReader(text), int64(len(text))); err != nil {
		t.Fatal(err)
	}
}

func bytesOpener(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// afterManifest is an archive up to its end, without the manifest, which holds the time.
func afterManifest(archive string) string {
	from, to := strings.Index(archive, "tables/"), strings.LastIndex(archive, "end.json")
	return archive[from:to]
}
