package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ward"
	"ward/client"
	"ward/seal/envelope"
)

// What a program says when it ends badly may hold what it had in hand. So ward prove has both ends happen: a panic in
// a handler that holds a request, and a server that is killed with a dump of all it was doing while people write.

// crashWithin is how long the server that is to be killed may take for any step of it.
const crashWithin = time.Minute

// explosive is a body that panics with what it carries, as a fault in a handler might.
type explosive string

func (e explosive) Read([]byte) (int, error) { panic(string(e)) }

// panicInHandler has the door read a request that panics. It is answered, and what is logged is searched later.
func panicInHandler(ctx context.Context, here *running) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/api/recovery/open", explosive(strings.Join(planted, " ")))
	if err != nil {
		return err
	}
	request.RemoteAddr = "127.0.0.1:1"
	answer := &answered{header: http.Header{}}
	here.server.ServeHTTP(answer, request)
	if answer.status != http.StatusInternalServerError {
		return fmt.Errorf("a panic was answered with %d", answer.status)
	}
	return nil
}

// answered is an answer that nobody reads but for its status.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(b []byte) (int, error) { return len(b), nil }

// crash serves the same clinic from a process of its own, has a person write to it all the time, looks through its
// memory, and ends it with SIGQUIT, which makes it print what every part of it was doing. The output and the memory are
// left in folder to be searched. It gives how many bytes of memory there were: none where the system does not show it.
func crash(ctx context.Context, config *Config, folder string, writer *client.Client, chart ward.ChartID) (memory int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, crashWithin)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	dump, err := os.Create(filepath.Join(folder, "crash"))
	if err != nil {
		return 0, err
	}
	defer dump.Close()
	server := exec.CommandContext(ctx, self, "serve", "--dir", config.Dir, "--database", config.Database, "--objects", config.Objects,
		"--origin", config.Origin, "--listen", strings.TrimPrefix(config.Origin, "http://"), "--log-level", "debug")
	server.Args[0], server.Env = "ward", append(os.Environ(), "GOTRACEBACK=all")
	said, err := server.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := server.Start(); err != nil {
		return 0, fmt.Errorf("serve from another process: %w", err)
	}
	ready, copied := make(chan struct{}), make(chan error, 1)
	go func() { copied <- copyUntilEnd(dump, said, ready) }()
	select {
	case <-ready:
		memory, err = writeAndKill(ctx, server, folder, writer, chart)
	case failed := <-copied:
		copied <- failed
		err = errors.New("the server that was to be killed did not start")
	}
	if err != nil {
		server.Process.Kill()
	}
	err = errors.Join(err, <-copied)
	server.Wait() // it ended badly, as it should
	if err != nil {
		return memory, err
	}
	text, err := os.ReadFile(dump.Name())
	if err == nil && (!bytes.Contains(text, []byte("SIGQUIT")) || !bytes.Contains(text, []byte("ward/server.(*Server)"))) {
		err = errors.New("the killed server did not tell what it was doing, so nothing of that could be searched")
	}
	return memory, err
}

// copyUntilEnd keeps what a server says, and tells once it answers.
func copyUntilEnd(to io.Writer, said io.Reader, ready chan<- struct{}) error {
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadString('\n')
		if _, failed := io.WriteString(to, line); failed != nil {
			return failed
		}
		if ready != nil && strings.Contains(line, "ward answers") {
			close(ready)
			ready = nil
		}
		if err != nil {
			return nil // it has ended
		}
	}
}

// writeAndKill writes until the server is gone, which it is soon after the first few entries.
func writeAndKill(ctx context.Context, server *exec.Cmd, folder string, writer *client.Client, chart ward.ChartID) (memory int64, err error) {
	const before = 3 // entries
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wrote, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			if _, err := writer.Write(ctx, chart, envelope.General, writer.Message(chart, planted[4], "")); err != nil {
				ended <- err
				return
			}
			if n+1 == before {
				close(wrote)
			}
		}
	}()
	select {
	case <-wrote:
	case err := <-ended:
		return 0, fmt.Errorf("write to the server that was to be killed: %w", err)
	}
	if memory, err = saveMemory(server.Process.Pid, filepath.Join(folder, "memory")); err != nil {
		return 0, err
	}
	if err := server.Process.Signal(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	cancel()
	<-ended
	return memory, nil
}

// saveMemory writes down what a running process can change of its memory, where Linux shows it to who started it.
func saveMemory(process int, to string) (int64, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", process))
	if err != nil {
		return 0, nil
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", process))
	if err != nil {
		return 0, nil
	}
	defer memory.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	total := int64(0)
	for line := range strings.Lines(string(maps)) {
		var start, end int64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &rights); err != nil || !strings.HasPrefix(rights, "rw") {
			continue
		}
		n, err := io.Copy(f, io.NewSectionReader(memory, start, end-start))
		total += n
		if err != nil && !errors.Is(err, syscall.EIO) { // what was given back meanwhile
			return total, fmt.Errorf("read the server's memory: %w", err)
		}
	}
	return total, f.Close()
}
