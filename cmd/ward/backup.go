package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ward/store"
)

const backupAbout = `Writes the whole clinic, rows and sealed files, to FILE, while the clinic runs, and proves it by restoring it beside FILE
into a database that is then removed. Everything about people in it is sealed; ids, times, roles and sizes are not, so
keep it as closed as the data folder. The server's secret key is not in it: keep that apart.`

func backupCommand() command {
	c := command{name: "backup", args: "FILE", line: "write the clinic to a file, and prove that it restores", about: backupAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, rest, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		if len(rest) != 1 {
			return usageError{errors.New("backup takes one FILE")}
		}
		if err := config.exists(); err != nil {
			return err
		}
		end, err := backup(ctx, &config, rest[0])
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		fmt.Fprintf(t.out, "%s: %d rows, %d files; restored to prove it\n", rest[0], end.Rows, end.Objects)
		return nil
	}
	return c
}

func restoreCommand() command {
	c := command{
		name: "restore", args: "FILE", line: "make a clinic from a backup",
		about: "Reads FILE into an empty data folder or database, of either engine. What was changed or cut short is refused.",
	}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, rest, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		if len(rest) != 1 {
			return usageError{errors.New("restore takes one FILE")}
		}
		if err := config.prepare(); err != nil {
			return err
		}
		db, err := store.Open(ctx, config.store())
		if err != nil {
			return err
		}
		defer db.Close()
		put := func(key string, r io.Reader, size int64) error { return db.Objects().Put(ctx, key, r, size) }
		end, err := readArchive(ctx, db, opener(rest[0]), put)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		fmt.Fprintf(t.out, "%s: %d rows, %d files\n", rest[0], end.Rows, end.Objects)
		return nil
	}
	return c
}

// backup writes beside the file and moves it into place once it is proven, so that a file of that name is a backup.
func backup(ctx context.Context, config *Config, file string) (archiveEnd, error) {
	db, err := store.Open(ctx, config.store())
	if err != nil {
		return archiveEnd{}, err
	}
	defer db.Close()
	out, err := os.CreateTemp(filepath.Dir(file), ".ward-backup-*") // closed to other users
	if err != nil {
		return archiveEnd{}, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	end, err := writeArchive(ctx, db, out)
	if err != nil {
		return archiveEnd{}, err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return archiveEnd{}, err
	}
	if err := proveArchive(ctx, out.Name()); err != nil {
		return archiveEnd{}, fmt.Errorf("the backup does not restore: %w", err)
	}
	return end, os.Rename(out.Name(), file)
}

// proveArchive restores an archive into a database that is then removed. Files are read and hashed, not kept.
func proveArchive(ctx context.Context, file string) error {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".ward-proof-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = readArchive(ctx, db, opener(file), func(_ string, r io.Reader, _ int64) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	return err
}

func opener(file string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return os.Open(file) }
}
