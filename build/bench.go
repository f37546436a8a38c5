package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// A benchmark measures one thing that a person or an operator would notice, and prints it by bencher.print. What can
// be compared is a ratio of two medians of one run: it carries over to other machines, absolute times do not.
type benchmark struct {
	name string
	run  func(context.Context, *bencher) error
}

// benchmarks are all there are, each in a file bench_*.go of its own.
var benchmarks = []benchmark{
	{"policy", benchPolicy},
	{"seal", benchSeal},
	{"entries", benchEntries},
	{"browser", benchBrowser},
	{"visits", benchVisits},
	{"ledger", benchLedger},
	{"door", benchDoor},
}

func bench(ctx context.Context, name string) error {
	fmt.Println(machine(ctx))
	fmt.Printf("\n%-52s %14s  %-12s %s\n", "name", "value", "goal", "")
	b := &bencher{}
	var failed error
	ran := 0
	for _, one := range benchmarks {
		if !strings.Contains(one.name, name) {
			continue
		}
		ran++
		if err := one.run(ctx, b); err != nil {
			failed = errors.Join(failed, fmt.Errorf("benchmark %s: %w", one.name, err))
		}
	}
	if ran == 0 {
		return fmt.Errorf("no benchmark's name contains %q", name)
	}
	fmt.Printf("\n%d met, %d short\n", b.met, b.short)
	return failed
}

// bencher prints lines and counts goals.
type bencher struct{ met, short int }

// A goal is what a value should be, or none.
type goal struct {
	text string
	met  func(float64) bool
}

func atMost(limit float64) goal {
	return goal{fmt.Sprintf("≤ %g", limit), func(v float64) bool { return v <= limit }}
}

func atLeast(limit float64) goal {
	return goal{fmt.Sprintf("≥ %g", limit), func(v float64) bool { return v >= limit }}
}

var noGoal = goal{text: "-"}

// print writes one line: name  value  goal  met|short.
func (b *bencher) print(name string, value float64, unit string, g goal) {
	verdict := ""
	switch {
	case g.met == nil:
	case g.met(value):
		verdict = "met"
		b.met++
	default:
		verdict = "short"
		b.short++
	}
	fmt.Printf("%-52s %14s  %-12s %s\n", name, strings.TrimSpace(fmt.Sprintf("%.4g %s", value, unit)), g.text, verdict)
}

// median sorts the values.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile sorts the values and gives the one below which the part q of them lies.
func quantile(values []float64, q float64) float64 {
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

// machine describes where the numbers come from.
func machine(ctx context.Context) string {
	memory := strings.Join(strings.Fields(fact("/proc/meminfo", "MemTotal", ":")), " ")
	node := "no Node"
	if out, err := exec.CommandContext(ctx, "node", "--version").Output(); err == nil {
		node = "Node " + strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%s, %d cores, memory %s, %s, %s, %s",
		fact("/proc/cpuinfo", "model name", ":"), runtime.NumCPU(), memory,
		strings.Trim(fact("/etc/os-release", "PRETTY_NAME", "="), `"`), runtime.Version(), node)
}

// fact is the value of the first line of a file that starts with the key.
func fact(file, key, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return "unknown " + key
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), separator)
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + key
}
