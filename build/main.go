// Command build makes, tries, tests and measures Ward. It needs Go and Node, and nothing else.
//
//	go run ./build              everything, then a demo clinic on http://localhost:8080
//	go run ./build ward         the app and the binary, bin/ward
//	go run ./build web          the app only, web/dist
//	go run ./build test [NAME]  all that must pass, or the steps whose names contain NAME
//	go run ./build bench [NAME] all benchmarks, or those whose names contain NAME
//	go run ./build soak [HOW]   kill members of a ledger 1,000 times, or as often (2000) or as long (10m) as HOW says
//
// Nothing that it makes is committed: the app's bundle is embedded in the binary and lives in web/dist.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"ward/ledger/chain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

const usage = `usage: go run ./build [ward | web | test [NAME] | bench [NAME] | soak [HOW]]

  (nothing)     build all, and start a demo clinic on http://localhost:8080
  ward          build the app and the binary bin/ward
  web           build the app into web/dist
  test [NAME]   run all that must pass, or the steps whose names contain NAME
  bench [NAME]  run all benchmarks, or those whose names contain NAME
  soak [HOW]    kill members of a ledger 1,000 times, or as often (2000) or as long (10m) as HOW says`

func run(ctx context.Context, args []string) error {
	if chain.IsProcess() {
		os.Exit(chain.BeProcess(func(string, *chain.Chain, *slog.Logger) func() { return func() {} }))
	}
	if member := os.Getenv(memberEnvironment); member != "" {
		return benchMember(ctx, member)
	}
	if err := enterRoot(ctx); err != nil {
		return err
	}
	command, name := "demo", ""
	if len(args) > 0 {
		command = args[0]
	}
	if len(args) > 1 {
		name = args[1]
	}
	takesName := command == "test" || command == "bench" || command == "soak"
	if len(args) > 2 || (name != "" && !takesName) {
		return errors.New(usage)
	}
	switch command {
	case "demo":
		return demo(ctx)
	case "ward":
		return stages(ctx, stage{"web dependencies", webDependencies}, stage{"web", web}, stage{"ward", binary})
	case "web":
		return stages(ctx, stage{"web dependencies", webDependencies}, stage{"web", web})
	case "test":
		return test(ctx, name)
	case "bench":
		return bench(ctx, name)
	case "soak":
		return soak(ctx, name)
	}
	return errors.New(usage)
}

// enterRoot goes to the folder of go.mod, so that build works from anywhere in the repository.
func enterRoot(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	return os.Chdir(filepath.Dir(strings.TrimSpace(string(out))))
}

// A stage is a part of a build that is named and timed on the terminal.
type stage struct {
	name string
	do   func(context.Context) error
}

func stages(ctx context.Context, list ...stage) error {
	for _, s := range list {
		fmt.Printf("%-18s", s.name)
		start := time.Now()
		if err := s.do(ctx); err != nil {
			fmt.Println("failed")
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("%6.1f s\n", time.Since(start).Seconds())
	}
	return nil
}

// wardBinary is where the binary goes; e2e looks there too.
func wardBinary() string {
	name := filepath.Join("bin", "ward")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// binary builds ward, with the bundle of the app in it. It needs no C compiler.
func binary(ctx context.Context) error {
	return command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", wardBinary(), "./cmd/ward")
}

func demo(ctx context.Context) error {
	fmt.Println("The first build compiles every engine: a few minutes on two cores, seconds afterwards.")
	err := stages(ctx, stage{"web dependencies", webDependencies}, stage{"web", web}, stage{"ward", binary})
	if err != nil {
		return err
	}
	clinic := exec.CommandContext(ctx, wardBinary(), "demo")
	clinic.Stdin, clinic.Stdout, clinic.Stderr = os.Stdin, os.Stdout, os.Stderr
	clinic.Cancel = func() error { return clinic.Process.Signal(syscall.SIGTERM) } // it ends in order
	if err := clinic.Run(); ctx.Err() == nil {
		return err
	}
	return nil
}

// command runs a program and keeps quiet unless it fails; then all it said is in the error.
func command(ctx context.Context, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), env...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second // for a program that does not heed it
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{name}, args...), " "), err, out)
	}
	return nil
}
