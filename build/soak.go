package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// soakAlone is how many times members of a ledger are killed if nobody says: an hour's work.
const soakAlone = "1000"

// soak kills members of a ledger many times, or for a long time: four processes that write, die, lose the ends of their
// files and come back. It is the test of every commit, only longer.
func soak(ctx context.Context, how string) error {
	if how == "" {
		how = soakAlone
	}
	amount := []string{"-soak", how}
	if _, err := strconv.Atoi(how); err == nil {
		amount = []string{"-kills", how}
	} else if _, err := time.ParseDuration(how); err != nil {
		return fmt.Errorf("soak takes how many kills, as in 1000, or how long, as in 10m: %w", err)
	}
	run := exec.CommandContext(ctx, "go", append([]string{"test", "./ledger/chain", "-run", "FourMembers", "-v", "-timeout", "0"}, amount...)...)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	return run.Run()
}
