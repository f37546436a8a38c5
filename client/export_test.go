package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// exported is the export of a patient with a note, an import, a restricted note, and a file in two epochs.
func exported(t *testing.T) (dir string, code seal.Code, file []byte) {
	t.Helper()
	c, ctx := founded(t), t.Context()
	dir = filepath.Join(t.TempDir(), "export")
	patient, code, invited := c.join(c.founder, amina, ward.Patient)
	_, err := c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "Asthma", "Same inhaler. سلامات"))
	c.must(err)
	_, err = patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "Private", "For my eyes."))
	c.must(err)
	text, err := os.Open(anyPatient(t))
	c.must(err)
	defer text.Close()
	_, err = patient.Import(ctx, invited.Chart, envelope.General, text)
	c.must(err)
	carer, _, _ := c.join(c.founder, About{Given: "Omar", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, carer.Person(), "", envelope.ForProxy, time.Time{}, envelope.General))
	c.must(patient.Unshare(ctx, invited.Chart, carer.Person(), ""))
	file = bytes.Repeat([]byte("A letter from another clinic.\n\n\n"), 40_000)
	_, err = patient.AddFile(ctx, invited.Chart, envelope.General, File{Name: "../letter: from another clinic.txt", Type: "text/plain", Content: bytes.NewReader(file)})
	c.must(err)
	c.must(ExportWithCode(ctx, Config{Origin: c.origin}, code.Text(), dir))
	c.must(patient.SignIn(ctx)) // the passkey of before still opens the keyring
	if passkeys, _, err := patient.Passkeys(ctx); err != nil || len(passkeys) != 1 {
		t.Fatalf("after the export there are %d passkeys, %v", len(passkeys), err)
	}
	return dir, code, file
}

func TestAnExportOpensWithTheStockAgeCommandAsOpenMDSays(t *testing.T) {
	dir, code, file := exported(t)
	age := buildAge(t)
	page, err := os.ReadFile(filepath.Join(dir, seal.ExportOpen))
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(page)
	if script == nil {
		t.Fatal("OPEN.md has no commands")
	}
	// The one difference from what a person does: the passphrase comes from age's own plugin for scripts.
	const typed = "age -d keyring.recovery.age"
	commands := strings.Replace(string(script[1]), typed, "age -d -j batchpass keyring.recovery.age", 1)
	if commands == string(script[1]) {
		t.Fatalf("OPEN.md does not say %q", typed)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-e", "-c", commands)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+age+string(os.PathListSeparator)+os.Getenv("PATH"), "AGE_PASSPHRASE="+code.Text())
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkOpened(t, dir, code, file)
}

// buildAge builds the stock command and gives its folder.
func buildAge(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), "filippo.io/age/cmd/age", "filippo.io/age/cmd/age-plugin-batchpass")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build age: %v\n%s", err, out)
	}
	return dir
}

// checkOpened compares what age opened with what Ward opens.
func checkOpened(t *testing.T, dir string, code seal.Code, file []byte) {
	t.Helper()
	x, err := seal.OpenExport(os.DirFS(dir), code)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := x.Entries()
	if err != nil || len(x.Locks) != 2 || len(entries) < 6 {
		t.Fatalf("%d entries in %d locks, %v", len(entries), len(x.Locks), err)
	}
	sawFile := false
	for _, e := range entries {
		var body bytes.Buffer
		if err := x.Body(e, &body); err != nil {
			t.Fatalf("%s: %v", e.Path, err)
		}
		name := filepath.Join(dir, "opened", filepath.Base(e.Path))
		got, err := os.ReadFile(name + ".body")
		if err != nil || !bytes.Equal(got, body.Bytes()) {
			t.Fatalf("%s: age opened %d bytes, Ward %d (%v)", e.Path, len(got), body.Len(), err)
		}
		if e.Header.Type == typeFHIR && !json.Valid(got) {
			t.Fatalf("%s: it is not JSON", e.Path)
		}
		if e.Header.Kind == "file" {
			sawFile = bytes.Equal(got, file) && !strings.ContainsAny(e.FileName(), `/:`)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	if extracted, err := x.Extract(out); err != nil || slices.ContainsFunc(extracted, func(e seal.ExportEntry) bool { return e.Err != nil }) {
		t.Fatalf("extract: %v, %v", err, extracted)
	}
	if names, err := os.ReadDir(out); err != nil || len(names) != len(entries) {
		t.Fatalf("extracted %d of %d, %v", len(names), len(entries), err)
	}
	if _, err := x.Extract(out); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("extract over what is there: %v", err)
	}
	if !sawFile {
		t.Fatal("the file did not come back, or its name leads out of the folder")
	}
}

func TestAnExportTellsWhatIsWrongWithIt(t *testing.T) {
	dir, code, _ := exported(t)
	open := func() ([]seal.ExportEntry, error) {
		x, err := seal.OpenExport(os.DirFS(dir), code)
		if err != nil {
			return nil, err
		}
		return x.Entries()
	}
	if entries, err := open(); err != nil || slices.ContainsFunc(entries, func(e seal.ExportEntry) bool { return e.Err != nil }) {
		t.Fatalf("a good export: %v, %v", err, entries)
	}
	if _, err := seal.OpenExport(os.DirFS(dir), seal.NewCode()); err == nil {
		t.Fatal("another recovery code opens it")
	}
	sealed, err := filepath.Glob(filepath.Join(dir, "entries", "*.age"))
	if err != nil || len(sealed) == 0 {
		t.Fatal(err)
	}
	change := func(file string, with func([]byte) []byte, check func([]seal.ExportEntry, error) bool) {
		t.Helper()
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if changed := with(bytes.Clone(before)); changed == nil {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, changed, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if entries, err := open(); !check(entries, err) {
			t.Errorf("%s: changed, and nobody noticed: %v", filepath.Base(file), err)
		}
		if err := os.WriteFile(file, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oneWrong := func(entries []seal.ExportEntry, err error) bool {
		n := 0
		for _, e := range entries {
			if e.Err != nil {
				n++
			}
		}
		return err == nil && n == 1
	}
	whole := func(_ []seal.ExportEntry, err error) bool { return err != nil }
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	gone := func([]byte) []byte { return nil }
	change(sealed[0], flip, oneWrong)
	change(sealed[0], gone, oneWrong)
	change(strings.TrimSuffix(sealed[0], ".age")+".txt", gone, whole)
	for _, folder := range []string{"recipients", "membership/*", "epochs", "grants"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".txt" && folder == "grants" {
				continue // a copy for the record, which opening does not need
			}
			change(file, flip, whole)
		}
	}
	change(filepath.Join(dir, seal.ExportClinic), flip, whole)
	change(filepath.Join(dir, seal.ExportKeyring), flip, whole)
	change(filepath.Join(dir, seal.ExportFile), flip, whole)
}

func TestAnExportHoldsNothingReadable(t *testing.T) {
	dir, _, _ := exported(t)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range []string{"Amina", "Yusuf", "inhaler", "Asthma", "letter from"} {
			if bytes.Contains(data, []byte(word)) || strings.Contains(path, word) {
				t.Errorf("%s holds %q (%x)", path, word, sha256.Sum256(data))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
