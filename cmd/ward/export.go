package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"ward/client"
)

const exportAbout = `Signs in at ORIGIN with a recovery code and writes everything of that person into FOLDER, which must not exist: sealed
as it is stored, with keys that the code opens. OPEN.md in it says how to open it with the stock age command; ward open
does it comfortably. If the clinic's history is not the one that this person saw before, it says so and stops: ask the clinic
what happened. --go-on takes what there is all the same.`

func exportCommand() command {
	c := command{name: "export", args: "ORIGIN FOLDER", line: "take everything of one's own out of a clinic", about: exportAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		flags := pflag.NewFlagSet("export", pflag.ContinueOnError)
		file := flags.String("code-file", "", "a `file` with the recovery code; without it, it is asked for")
		goOn := flags.Bool("go-on", false, "take the clinic's history as it is now, though it is not the one of before")
		if err := parse(t, c, flags, args); err != nil {
			return err
		}
		if flags.NArg() != 2 {
			return usageError{errors.New("export takes an ORIGIN, as in https://clinic.example, and a FOLDER")}
		}
		code, err := readRecoveryCode(t, *file)
		if err != nil {
			return err
		}
		if err := client.ExportWithCode(ctx, client.Config{Origin: strings.TrimSuffix(flags.Arg(0), "/"), GoOn: *goOn}, code, flags.Arg(1)); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		fmt.Fprintf(t.out, "Everything is in %s. OPEN.md there says how to open it.\n", flags.Arg(1))
		return nil
	}
	return c
}

// readRecoveryCode reads a code from a file, or asks for it. Codes are not flags: a command line shows in the list of
// processes.
func readRecoveryCode(t terminal, file string) (string, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", hinted(fmt.Errorf("read the recovery code: %w", err), "Give --code-file a file that this user may read.")
		}
		return strings.TrimSpace(string(text)), nil
	}
	fmt.Fprint(t.err, "Recovery code: ")
	line, err := bufio.NewReader(t.in).ReadString('\n')
	if err != nil && line == "" {
		return "", hinted(errors.New("no recovery code was given"), "Type it, or give --code-file.")
	}
	return strings.TrimSpace(line), nil
}
