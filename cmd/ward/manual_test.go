package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ward":       func() { os.Exit(runMain()) },
		"ward-serve": func() { os.Exit(serveOnce()) },
		"await":      func() { os.Exit(await()) },
	})
}

// TestManual runs the scripts of testdata, which read as a manual of the command.
func TestManual(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("HOME", env.WorkDir)
		env.Setenv("CLINIC", freeAddress(t))
		env.Setenv("LEDGER", freeAddress(t))
		return nil
	}})
}

// freeAddress is one of this machine that nobody listens on, for a clinic that is served beside other commands. Its port is
// below those that outgoing connections of other programs take, perhaps while a clinic is down that was killed.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("localhost:%d", 12000+rand.IntN(18000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// awaitAttempts times a tenth of a second is how long a clinic may take to answer.
const awaitAttempts = 300

// await waits until the clinic at the address given is ready.
func await() int {
	for range awaitAttempts {
		if answer, err := http.Get("http://" + os.Args[1] + "/api/ready"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return 0
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "nobody answers at", os.Args[1])
	return 1
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
