package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// tests are all that must pass, in the order in which a fault is cheapest to find.
func tests(db *database) []stage {
	return []stage{
		{"programs", programs},
		{"web dependencies", webDependencies},
		{"format", gofumpt},
		{"vet", tool("go", "vet", "./...")},
		{"staticcheck", tool("go", "tool", "staticcheck", "./...")},
		{"import rules", tool("go", "test", "-run", "^TestImports", ".")},
		{"types", tool("node", "web/node_modules/typescript/bin/tsc", "--noEmit", "--project", "web")},
		{"web", web},
		{"ward", binary},
		{"web unit tests", tool("node", "web/test/run.mjs")},
		{"FHIR that is written", tool("node", "e2e/fhir/validate.mjs")},
		{"unit tests, SQLite", tool("go", "test", "-skip", "^(Fuzz|TestManual)", "./...")},
		{"fuzz seeds", tool("go", "test", "-run", "^Fuzz", "./...")},
		{"manual (testscript)", tool("go", "test", "-run", "^TestManual", "./cmd/ward")},
		{"unit tests, PostgreSQL", db.units},
		{"engines (ACME, S3)", engines},
		{"stories, SQLite", tool("node", "e2e/run.mjs")},
		// Those that ask most of the database; what the others ask, the unit tests ask PostgreSQL too.
		{"the story, PostgreSQL", db.with("story", "node", "e2e/run.mjs", "story.story")},
		{"booking, PostgreSQL", db.with("booking", "node", "e2e/run.mjs", "booking")},
		{"a visit, PostgreSQL", db.with("visit", "node", "e2e/run.mjs", "visit.story")},
		{"demo, checked", checkedDemo},
		{"canaries", tool(wardBinary(), "prove")},
	}
}

// test runs every step, also after one has failed, so that one run tells all that is wrong.
func test(ctx context.Context, name string) error {
	db := &database{}
	defer db.stop()
	passed, failed := 0, 0
	for _, step := range tests(db) {
		if !strings.Contains(step.name, name) {
			continue
		}
		fmt.Printf("%-24s ", step.name)
		start := time.Now()
		err := step.do(ctx)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			failed++
			fmt.Printf("FAILED %7.1f s\n", time.Since(start).Seconds())
			fmt.Println(indent(wentWrong(err.Error())))
			continue
		}
		passed++
		fmt.Printf("ok     %7.1f s\n", time.Since(start).Seconds())
	}
	fmt.Printf("\n%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, passed+failed)
	}
	if passed == 0 {
		return fmt.Errorf("no step's name contains %q", name)
	}
	return nil
}

// checkedDemo plays the story, opens the export that it leaves with the recovery code alone, and validates the FHIR in it:
// what the Go client wrote, as "FHIR that is written" does for the app.
func checkedDemo(ctx context.Context) error {
	kept, err := os.MkdirTemp("", "ward-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(kept)
	in := func(name string) string { return filepath.Join(kept, name) }
	for _, step := range []func(context.Context) error{
		tool(wardBinary(), "demo", "--once", "--keep", kept),
		tool(wardBinary(), "open", "--code-file", in("recovery-code"), "--to", in("opened"), in("export")),
		tool("node", "e2e/fhir/validate.mjs", in("opened")),
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// engines builds real servers of what Ward can be pointed at, from a module of their own so that Ward's does not grow by
// theirs, and runs the tests that ask for them. Cold, that is another minute of compiling.
func engines(ctx context.Context) error {
	dir, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	build := tool("go", "build", "-C", "e2e/engines", "-o", dir+string(filepath.Separator), "github.com/letsencrypt/pebble/v2/cmd/pebble", "github.com/versity/versitygw/cmd/versitygw")
	if err := build(ctx); err != nil {
		return err
	}
	env := []string{"WARD_TEST_PEBBLE=" + filepath.Join(dir, "pebble"), "WARD_TEST_S3=" + filepath.Join(dir, "versitygw")}
	return command(ctx, env, "go", "test", "-run", "^(TestACertificateIsGotFromARealACMEServer|TestObjectsOnARealS3Server)$", "./cmd/ward")
}

func tool(name string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error { return command(ctx, nil, name, args...) }
}

// gofumpt fails if a file is not in the one format.
func gofumpt(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "tool", "gofumpt", "-l", ".").CombinedOutput()
	if err != nil {
		return fmt.Errorf("gofumpt: %w\n%s", err, out)
	}
	if len(out) > 0 {
		return fmt.Errorf("not formatted; run `go tool gofumpt -w .`:\n%s", out)
	}
	return nil
}

// programs makes sure of what the tests need from outside: a browser, PostgreSQL, and SQLite's own shell.
func programs(ctx context.Context) error {
	var missing []string
	if _, err := exec.LookPath("chromium"); err != nil {
		missing = append(missing, "chromium")
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		missing = append(missing, "sqlite3") // with which the ledger's story tampers
	}
	if _, err := postgresTool("initdb"); err != nil {
		missing = append(missing, "postgresql")
	}
	if len(missing) == 0 {
		return nil
	}
	install := "apt-get install -y --no-install-recommends " + strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("the tests need %s; as root on Debian: %s", strings.Join(missing, ", "), install)
	}
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := command(ctx, quiet, "apt-get", "update"); err != nil {
		return err
	}
	return command(ctx, quiet, "apt-get", strings.Fields(install)[1:]...)
}

// wentWrong leaves out of a step's output what went well: the lines that begin with ok, as go test and the stories print them,
// packages without tests, and what is indented below either.
func wentWrong(output string) string {
	var kept []string
	well := false
	for line := range strings.Lines(output) {
		if indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"); !indented {
			well = strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ")
		}
		if !well {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}
