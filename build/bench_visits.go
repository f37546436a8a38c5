package main

import (
	"context"
	"os"
	"path/filepath"
)

// benchVisits measures visits in Chromium, against LiveKit standing alone: how soon people see each other, and what it
// costs.
func benchVisits(ctx context.Context, b *bencher) error {
	folder, err := os.MkdirTemp("", "ward-alone-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	alone := filepath.Join(folder, "alone")
	if err := command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", alone, "./visits/alone"); err != nil {
		return err
	}
	for _, script := range []string{"e2e/bench-frames.mjs", "e2e/bench-visits.mjs"} {
		if err := benchInBrowser(ctx, b, script, []string{"WARD_ALONE=" + alone}); err != nil {
			return err
		}
	}
	return nil
}
