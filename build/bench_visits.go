package main

import (
	"context"
	"os"
	"path/filepath"
)

// benchVisits measures visits in Chromium, against LiveKit standing alone.
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
	return benchInBrowser(ctx, b, "e2e/bench-visits.mjs", []string{"WARD_ALONE=" + alone})
}
