package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// benchBrowser measures the app in Chromium.
func benchBrowser(ctx context.Context, b *bencher) error {
	return benchInBrowser(ctx, b, "e2e/bench.mjs", nil)
}

// benchInBrowser runs a script of e2e that prints a line of JSON for each measurement.
func benchInBrowser(ctx context.Context, b *bencher, script string, env []string) error {
	for _, step := range []stage{{"web dependencies", webDependencies}, {"web", web}, {"ward", binary}} {
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join("e2e", "node_modules")); errors.Is(err, os.ErrNotExist) {
		if err := command(ctx, nil, "npm", "--prefix", "e2e", "ci"); err != nil {
			return err
		}
	}
	run := exec.CommandContext(ctx, "node", script)
	run.Env = append(os.Environ(), env...)
	var problem bytes.Buffer
	run.Stderr = &problem
	out, err := run.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", script, err, problem.Bytes())
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var m struct {
			Name, Unit string
			Value      float64
			Goal       float64
		}
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // npm may say something
		}
		g := noGoal
		if m.Goal > 0 {
			g = atMost(m.Goal)
		}
		b.print(m.Name, m.Value, m.Unit, g)
	}
	return lines.Err()
}
