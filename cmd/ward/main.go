// Command ward runs a clinic whose server cannot read its charts, and the tools around it. `ward help` lists what it
// can do; each subcommand is a file here, and wiring.go joins the packages into a clinic.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"ward"
	"ward/ledger/chain"
)

// A command is one subcommand. Its name and what it says of itself are the manual.
type command struct {
	name  string
	args  string // after the flags, for the usage line
	line  string // what it does, in one line
	about string // more, shown by --help
	run   func(ctx context.Context, t terminal, args []string) error
}

func commands() []command {
	return []command{
		serveCommand(), demoCommand(), clinicCommand(), doctorCommand(), backupCommand(), restoreCommand(), exportCommand(), openCommand(), verifyCommand(), proveCommand(), ledgerCommand(), versionCommand(),
	}
}

func main() { os.Exit(runMain()) }

// runMain is main for tests, which call it under the name ward.
func runMain() int {
	if chain.IsProcess() {
		return chain.BeProcess(listenToOperators)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	err := dispatch(ctx, t, os.Args[1:])
	switch {
	case err == nil || errors.Is(err, pflag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		fmt.Fprintln(t.err, "ward:", plainLines(err))
		return 2
	}
	fmt.Fprintln(t.err, "ward:", plainLines(err))
	var known *ward.Error
	if errors.As(err, &known) && known.Hint != "" {
		fmt.Fprintln(t.err, "hint:", plainLines(known.Hint))
	}
	return 1
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func dispatch(ctx context.Context, t terminal, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		help(t.out)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, t, args[1:])
		}
	}
	return usageError{fmt.Errorf("there is no command %q; `ward help` lists them", args[0])}
}

func help(w io.Writer) {
	fmt.Fprint(w, "Ward is a clinic in one program, whose server cannot read its charts.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  ward %-9s %s\n", c.name, c.line)
	}
	fmt.Fprint(w, "\n`ward COMMAND --help` says more.\n")
}

// parse reads the flags of a command and writes its manual for --help.
func parse(t terminal, c command, flags *pflag.FlagSet, args []string) error {
	flags.SortFlags = false
	flags.SetOutput(t.err)
	flags.Usage = func() {
		fmt.Fprintf(t.out, "usage: ward %s [flags] %s\n\n%s\n", c.name, c.args, c.line)
		if c.about != "" {
			fmt.Fprintf(t.out, "\n%s\n", c.about)
		}
		if flags.HasFlags() {
			fmt.Fprintf(t.out, "\n%s", flags.FlagUsagesWrapped(helpWidth))
		}
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	return nil
}

// helpWidth is the width of a manual page: a terminal of 80 columns, or a printed page.
const helpWidth = 100

// hinted is an error with the next step to take.
func hinted(err error, hint string) error {
	return &ward.Error{Kind: ward.Invalid, Message: err.Error(), Hint: hint}
}
