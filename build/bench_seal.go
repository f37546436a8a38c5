package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// benchLine is one result of go test -bench.
var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// benchSeal runs the benchmarks of package seal: one entry signed, padded and sealed, and opened and checked.
func benchSeal(ctx context.Context, b *bencher) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-count", "3", "./seal").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -bench ./seal: %w\n%s", err, out)
	}
	found := map[string][]float64{}
	var order []string
	for _, m := range benchLine.FindAllStringSubmatch(string(bytes.TrimSpace(out)), -1) {
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		if found[m[1]] == nil {
			order = append(order, m[1])
		}
		found[m[1]] = append(found[m[1]], ns/1e6)
	}
	for _, name := range order {
		b.print("Go: "+name, median(found[name]), "ms", noGoal)
	}
	if len(order) == 0 {
		return fmt.Errorf("package seal has no benchmarks:\n%s", out)
	}
	return nil
}
