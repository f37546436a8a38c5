package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ward/ledger/receipt"
	"ward/seal"
)

const verifyAbout = `Checks an export, or the zip from the app, against the ledger's proofs in it: that who looked, each entry and everyone's
keys are what the organisations agreed on. It needs no server and no network. What they are is as the export says; with
the recovery code (--code-file) it is what the person pinned in their keyring when they joined.

With --log it reads a whole organisation's log instead, as tiles in a folder or at an address such as
https://clinic.example/ledger/ORG, and checks that it is the one that was agreed on. Any export of that clinic brings
the agreement.`

func verifyCommand() command {
	c := command{name: "verify", args: "FOLDER|ZIP", line: "check an export, or a whole log, against the ledger's proofs", about: verifyAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		flags := pflag.NewFlagSet("verify", pflag.ContinueOnError)
		file := flags.String("code-file", "", "a `file` with the recovery code")
		log := flags.String("log", "", "a log, in a `folder` or at an address")
		if err := parse(t, c, flags, args); err != nil {
			return err
		}
		if flags.NArg() != 1 {
			return usageError{errors.New("verify takes one FOLDER or ZIP")}
		}
		files, done, err := exportFiles(flags.Arg(0))
		if err != nil {
			return err
		}
		defer done()
		var pinned *receipt.Trust
		if *file != "" {
			typed, err := readRecoveryCode(t, *file)
			if err != nil {
				return err
			}
			code, err := seal.ParseCode(typed)
			if err != nil {
				return hinted(fmt.Errorf("the recovery code: %w", err), "Compare each group of four with the printed code.")
			}
			x, err := seal.OpenExport(files, code)
			if err != nil {
				return fmt.Errorf("verify: %w", err)
			}
			if pinned = x.Keyring.Ledger; pinned == nil {
				return hinted(errors.New("verify: the keyring has pinned no ledger"), "Without --code-file, what the export says of itself is checked.")
			}
		}
		sets, found, err := receipt.CheckFolder(files, pinned)
		if errors.Is(err, os.ErrNotExist) {
			return hinted(errors.New("verify: there are no proofs in this export"), "The clinic had no ledger, or the export is of an older Ward.")
		}
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if *log != "" {
			return verifyLog(ctx, t, *log, sets, found)
		}
		called, err := receipt.FolderCalled(files, sets)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			found = append(found, receipt.Finding{Kind: "names", What: "what the organisations are called", Err: err})
		}
		return verified(t, sets, called, found, pinned != nil)
	}
	return c
}

// verified says what was found, what is wrong first.
func verified(t terminal, sets receipt.Sets, called receipt.Called, found []receipt.Finding, pinned bool) error {
	names, told := []string{}, ""
	for _, v := range sets.Last().Validators {
		key, _ := v.Key.MarshalText() // of bytes, it cannot fail
		name, agreed := called.Validators[string(key)]
		if !agreed {
			name, told = v.Name, " (names are as the clinic told them)"
		}
		names = append(names, name)
	}
	fmt.Fprintf(t.out, "Ledger %s, of %s%s%s.\n", plain(sets.Last().Chain), plain(strings.Join(names, ", ")), told, map[bool]string{true: ", as the keyring pinned", false: ", as the export says"}[pinned])
	own := sets.Last().Origin
	if log, ok := called.Logs[own]; ok {
		fmt.Fprintf(t.out, "This log is registered as that of %s.\n", plain(log.Name))
	}
	for origin, log := range called.Logs {
		if origin != own {
			fmt.Fprintf(t.out, "The clinic had another log before, of %d agreed things. It lost part of it, and began again with what was left.\n", log.Size)
		}
	}
	bad := 0
	for _, f := range found {
		if f.Err != nil {
			bad++
			fmt.Fprintf(t.out, "DOES NOT CHECK: %s %s: %s\n", plain(f.Kind), plain(f.What), plain(f.Err))
		}
	}
	for _, kind := range []struct{ kind, name string }{{receipt.LeafEvent, "looks and acts"}, {receipt.LeafEntry, "entries"}, {"people", "who is who"}} {
		agreed, waiting := 0, 0
		for _, f := range found {
			switch {
			case f.Kind != kind.kind || f.Err != nil:
			case f.Waiting:
				waiting++
			default:
				agreed++
			}
		}
		fmt.Fprintf(t.out, "%-15s %6d agreed", kind.name, agreed)
		if waiting > 0 {
			fmt.Fprintf(t.out, ", %d recorded and not agreed when this was exported", waiting)
		}
		fmt.Fprintln(t.out)
	}
	if newest := slices.MaxFunc(found, func(a, b receipt.Finding) int { return cmp.Compare(a.Agreed.Height, b.Agreed.Height) }); newest.Agreed.Of > 0 {
		by := fmt.Sprintf("agreed by %d of %d organisations", len(newest.Agreed.Votes), newest.Agreed.Of)
		if newest.Agreed.Of == 1 {
			by = "kept by one organisation alone"
		}
		fmt.Fprintf(t.out, "The newest of it was %s at %s.\n", by, newest.Agreed.Time.Format(time.RFC3339))
	}
	if bad > 0 {
		return hinted(fmt.Errorf("verify: %d of %d things do not check", bad, len(found)), "They were changed after they were recorded, or never were. Ask the clinic's data protection officer, and keep this export.")
	}
	fmt.Fprintln(t.out, "Everything here is what was recorded.")
	return nil
}

// verifyLog reads a log and compares it with every head that the export knows to be agreed.
func verifyLog(ctx context.Context, t terminal, where string, sets receipt.Sets, found []receipt.Finding) error {
	fetch := func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(where, filepath.FromSlash(path))) }
	if strings.Contains(where, "://") {
		fetch = func(path string) ([]byte, error) { return fetchLog(ctx, strings.TrimSuffix(where, "/")+"/"+path) }
	}
	agreed := map[int64]receipt.Seen{}
	for _, f := range found {
		if f.Err == nil && f.Agreed.Size > 0 {
			agreed[f.Agreed.Size] = receipt.Seen{Size: f.Agreed.Size, Root: f.Agreed.Root}
		}
	}
	if len(agreed) == 0 {
		return hinted(errors.New("verify: nothing in this export is agreed, so there is nothing to compare the log with"), "Export again later.")
	}
	heads := make([]receipt.Seen, 0, len(agreed))
	for _, a := range agreed {
		heads = append(heads, a)
	}
	slices.SortFunc(heads, func(a, b receipt.Seen) int { return cmp.Compare(a.Size, b.Size) })
	head, err := receipt.Audit(fetch, heads...)
	if err != nil {
		return hinted(fmt.Errorf("verify: the log at %s: %w", where, err), "An organisation that changes its log cannot make it fit. Keep a copy, and tell the others.")
	}
	fmt.Fprintf(t.out, "The log at %s has %d leaves. Its first %d are those that %d of %s's validators agreed on, by %d heads.\n",
		where, head.Size, heads[len(heads)-1].Size, len(sets.Last().Validators), sets.Last().Chain, len(heads))
	return nil
}

// maxLogPart is more than a tile or a checkpoint has.
const maxLogPart = 64 << 10

func fetchLog(ctx context.Context, address string) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxLogPart+1))
	if err == nil && len(data) > maxLogPart {
		err = fmt.Errorf("%s is too long for a part of a log", address)
	}
	return data, err
}
