package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
		{"demo, checked", checkedDemo},
		{"canaries", tool(wardBinary(), "prove")},
		{"story: " + alone, story(alone)},
	}
}

// alone is the story that measures what a bad network does to sound: nothing may run beside it.
const alone = "weak"

func story(name string) func(context.Context) error {
	return tool("node", "e2e/run.mjs", name+".story")
}

// stories are the others, played in real browsers, each in a clinic of its own; on PostgreSQL too those that ask most of
// the database. What the rest asks, the unit tests ask PostgreSQL as well.
func stories(db *database) ([]stage, error) {
	files, err := filepath.Glob(filepath.Join("e2e", "*.story.mjs"))
	if err != nil {
		return nil, err
	}
	var list []stage
	for _, name := range []string{"story", "visit", "booking"} {
		list = append(list, stage{"story: " + name + ", PostgreSQL", db.with(name, "node", "e2e/run.mjs", name+".story")})
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".story.mjs"); name != alone {
			list = append(list, stage{"story: " + name, story(name)})
		}
	}
	return list, nil
}

// storiesAtOnce is how many stories are played at a time. People who wait for one another leave a machine idle for most of
// a story, yet four browsers in a visit fill two cores.
const storiesAtOnce = 2

// test runs every step, also after one has failed, so that one run tells all that is wrong.
func test(ctx context.Context, name string) error {
	db := &database{}
	defer db.stop()
	played, err := stories(db)
	if err != nil {
		return err
	}
	other := func(s stage) bool { return !strings.Contains(s.name, name) }
	var ran results
	ran.each(ctx, 1, slices.DeleteFunc(tests(db), other))
	if played = slices.DeleteFunc(played, other); len(played) > 0 {
		if err := webDependencies(ctx); err != nil { // or two stories would install them at once
			return err
		}
		ran.each(ctx, storiesAtOnce, played)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	fmt.Printf("\n%d passed, %d failed\n", ran.passed, ran.failed)
	if ran.failed > 0 {
		return fmt.Errorf("%d of %d steps failed", ran.failed, ran.passed+ran.failed)
	}
	if ran.passed == 0 {
		return fmt.Errorf("no step's name contains %q", name)
	}
	return nil
}

// results tell how steps went, as they end.
type results struct {
	guard          sync.Mutex
	passed, failed int
}

// each runs steps, so many at once. Who watches sees what runs if it is one at a time.
func (r *results) each(ctx context.Context, atOnce int, steps []stage) {
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, atOnce)
	for _, step := range steps {
		places <- struct{}{}
		if ctx.Err() != nil {
			return
		}
		title := fmt.Sprintf("%-24s ", step.name)
		if atOnce == 1 {
			fmt.Print(title)
			title = ""
		}
		running.Go(func() {
			start := time.Now()
			err := step.do(ctx)
			r.guard.Lock()
			defer r.guard.Unlock()
			if err == nil {
				r.passed++
				fmt.Printf("%sok     %7.1f s\n", title, time.Since(start).Seconds())
			} else if ctx.Err() == nil {
				r.failed++
				fmt.Printf("%sFAILED %7.1f s\n%s\n", title, time.Since(start).Seconds(), indent(wentWrong(err.Error())))
			}
			<-places
		})
	}
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
	out, err := printed(exec.CommandContext(ctx, "go", "tool", "gofumpt", "-l", "."))
	if err != nil {
		return fmt.Errorf("gofumpt: %w", err)
	}
	if len(out) > 0 {
		return fmt.Errorf("not formatted; run `go tool gofumpt -w .`:\n%s", out)
	}
	return nil
}

// printed is what a program answers. What it says beside, such as what the go command downloads on a fresh machine, is no
// part of the answer, and is told only if it fails.
func printed(c *exec.Cmd) ([]byte, error) {
	var beside strings.Builder
	c.Stderr = &beside
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, beside.String(), out)
	}
	return out, nil
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
