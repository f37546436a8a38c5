package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// soakAlone is for how long members of a ledger are killed if nobody says.
const soakAlone = time.Hour

// soak kills members of a ledger for a long time: four processes that write, die, lose the ends of their files and come
// back. It is the test of every commit, only longer.
func soak(ctx context.Context, how string) error {
	length := soakAlone
	if how != "" {
		var err error
		if length, err = time.ParseDuration(how); err != nil {
			return fmt.Errorf("soak takes how long, as in 10m: %w", err)
		}
	}
	run := exec.CommandContext(ctx, "go", "test", "./ledger/chain", "-run", "FourMembers", "-v", "-timeout", (2*length + time.Hour).String(), "-soak", length.String())
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	return run.Run()
}
