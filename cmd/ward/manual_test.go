package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ward":       func() { os.Exit(runMain()) },
		"ward-serve": func() { os.Exit(serveOnce()) },
	})
}

// TestManual runs the scripts of testdata, which read as a manual of the command.
func TestManual(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("HOME", env.WorkDir)
		return nil
	}})
}

// serveOnce is `ward serve` of a clinic called Lakeside in the folder data, told to stop as soon as it answers.
func serveOnce() int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	read, write := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			fmt.Fprintln(os.Stderr, lines.Text())
			if strings.Contains(lines.Text(), "ward answers") {
				stop()
			}
		}
	}()
	t := terminal{in: os.Stdin, out: os.Stdout, err: write}
	err := dispatch(ctx, t, []string{"serve", "--name", "Lakeside", "--dir", "data", "--listen", "localhost:0"})
	write.Close()
	<-done
	if err != nil {
		fmt.Fprintln(os.Stderr, "ward:", err)
		return 1
	}
	return 0
}
