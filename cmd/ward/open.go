package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"ward/seal"
)

const openAbout = `Opens what ward export wrote, or the zip that the app's "Take everything with me" saved, with the recovery code: no
server and no network. It checks every signature, hash and chain, lists the entries, and with --to writes what they hold
into a new folder. What does not check is named and not written.`

func openCommand() command {
	c := command{name: "open", args: "FOLDER|ZIP", line: "check, list and read an export", about: openAbout}
	c.run = func(_ context.Context, t terminal, args []string) error {
		flags := pflag.NewFlagSet("open", pflag.ContinueOnError)
		file := flags.String("code-file", "", "a `file` with the recovery code; without it, it is asked for")
		to := flags.String("to", "", "write the contents into this new `folder`")
		if err := parse(t, c, flags, args); err != nil {
			return err
		}
		if flags.NArg() != 1 {
			return usageError{errors.New("open takes one FOLDER or ZIP")}
		}
		files, done, err := exportFiles(flags.Arg(0))
		if err != nil {
			return err
		}
		defer done()
		typed, err := readRecoveryCode(t, *file)
		if err != nil {
			return err
		}
		return openExport(t, files, typed, *to)
	}
	return c
}

// exportFiles is an export's folder, or the folder in a zip.
func exportFiles(name string) (fs.FS, func() error, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, hinted(fmt.Errorf("open %s: %w", name, err), "Name the folder that `ward export` wrote, or the zip from the app.")
	}
	if info.IsDir() {
		return os.DirFS(name), func() error { return nil }, nil
	}
	packed, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, hinted(fmt.Errorf("open %s: %w", name, err), "Is this the whole zip from the app?")
	}
	inside, err := fs.Sub(packed, "ward-export")
	if _, missing := fs.Stat(packed, "ward-export"); missing != nil {
		inside = packed
	}
	return inside, packed.Close, err
}

func openExport(t terminal, files fs.FS, typed, to string) error {
	code, err := seal.ParseCode(typed)
	if err != nil {
		return hinted(fmt.Errorf("the recovery code: %w", err), "Compare each group of four with the printed code.")
	}
	x, err := seal.OpenExport(files, code)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	var entries []seal.ExportEntry
	if to == "" {
		entries, err = x.Entries()
	} else {
		entries, err = x.Extract(to)
	}
	bad := 0
	for _, e := range entries {
		where := strings.TrimSpace(e.Kind + " " + e.Compartment)
		if e.Err != nil {
			bad++
			fmt.Fprintf(t.out, "%-18s %6d  DOES NOT CHECK: %s\n", plain(where), e.Seq, plain(e.Err))
			continue
		}
		name := e.Header.Title
		if name == "" {
			name = e.Header.Filename
		}
		fmt.Fprintf(t.out, "%-18s %6d  %s  %-13s %-24s %s\n", plain(where), e.Seq, plain(e.Header.Time), plain(e.Header.Kind), plain(e.Header.Name), plain(name))
	}
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if bad > 0 {
		return hinted(fmt.Errorf("%d of %d entries do not check", bad, len(entries)), "They were changed after they were exported. Export again, or use another copy.")
	}
	fmt.Fprintf(t.out, "\n%d entries, all signed by their authors and complete.\n", len(entries))
	return nil
}
