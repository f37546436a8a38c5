package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ward"
	"ward/client"
	"ward/seal/envelope"
)

// A clinic in a process of its own, that can be killed and served again.
type served struct {
	t           *testing.T
	dir, origin string
	process     *exec.Cmd
}

// start serves the clinic of the folder, and gives the founding link if it is new.
func (s *served) start() (link string) {
	s.t.Helper()
	s.process = exec.Command("ward", "serve", "--dir", s.dir, "--listen", strings.TrimPrefix(s.origin, "http://"), "--log-level", "error")
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "ward.db")); err != nil {
		for lines := bufio.NewScanner(out); link == "" && lines.Scan(); {
			if strings.Contains(lines.Text(), "/join#") {
				link = strings.TrimSpace(lines.Text())
			}
		}
	}
	answers(s.t, strings.TrimPrefix(s.origin, "http://"))
	return link
}

func (s *served) kill() {
	s.process.Process.Kill()
	s.process.Wait()
}

// patients found the clinic and let so many join it.
func (s *served) patients(n int) []*client.Client {
	s.t.Helper()
	ctx := s.t.Context()
	founder := client.New(client.Config{Origin: s.origin})
	if _, err := founder.Accept(ctx, s.start(), client.About{Given: "Ada", Family: "Okafor", PasskeyName: "x"}); err != nil {
		s.t.Fatal(err)
	}
	all := make([]*client.Client, n)
	for i := range all {
		about := client.About{Given: "Patient", Family: fmt.Sprint(i), PasskeyName: "x", Consent: "yes"}
		invited, err := founder.Invite(ctx, about, false, ward.Patient)
		if err != nil {
			s.t.Fatal(err)
		}
		all[i] = client.New(client.Config{Origin: s.origin})
		if _, err := all[i].Accept(ctx, invited.Link, about); err != nil {
			s.t.Fatal(err)
		}
	}
	return all
}

const (
	serverKills   = 6
	killedWriters = 3
	// killAfter times the round is how many entries are acknowledged before the server is killed.
	killAfter = 5
)

// TestWhatTheServerAcknowledgedSurvivesAKill kills the real server with SIGKILL while people write to it. Afterwards
// every chart opens whole; what was acknowledged is in it, once; and nothing is that nobody wrote.
func TestWhatTheServerAcknowledgedSurvivesAKill(t *testing.T) {
	s := &served{t: t, dir: filepath.Join(t.TempDir(), "data"), origin: "http://" + freeAddress(t)}
	people := s.patients(killedWriters)
	defer func() { s.kill() }()
	acknowledged := make([]map[string]bool, len(people))
	for i := range acknowledged {
		acknowledged[i] = map[string]bool{}
	}
	for round := range serverKills {
		var writing sync.WaitGroup
		count := atomic.Int64{}
		enough := make(chan struct{})
		for i, person := range people {
			writing.Go(func() {
				chart := chartOf(t, person)
				for n := 0; ; n++ {
					text := fmt.Sprintf("%d-%d-%d", i, round, n)
					if !writeOnce(person, chart, text) {
						return
					}
					acknowledged[i][text] = true
					if count.Add(1) == int64(killAfter*(round+1)) {
						close(enough)
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(engineWithin):
			t.Fatal("nothing is acknowledged")
		}
		s.kill()
		writing.Wait()
		s.start()
		for i, person := range people {
			checkWritten(t, person, fmt.Sprint(i), acknowledged[i])
		}
	}
}

func chartOf(t *testing.T, person *client.Client) ward.ChartID {
	me, err := person.Me(t.Context())
	if err != nil {
		t.Error(err)
		return ""
	}
	return me.Charts[0]
}

// writeOnce tells whether an entry was acknowledged before the server was gone.
func writeOnce(person *client.Client, chart ward.ChartID, text string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := person.Write(ctx, chart, envelope.General, person.Message(chart, text, ""))
	return err == nil
}

func checkWritten(t *testing.T, person *client.Client, who string, acknowledged map[string]bool) {
	t.Helper()
	chart, err := person.OpenChart(t.Context(), chartOf(t, person))
	if err != nil {
		t.Fatal(err)
	}
	for _, trouble := range chart.Troubles {
		t.Error(trouble)
	}
	times := map[string]int{}
	for _, e := range chart.Entries {
		if e.Header.Kind != "message" {
			continue
		}
		resources, err := e.Resources()
		if err != nil {
			t.Fatal(err)
		}
		var message struct {
			Payload []struct{ ContentString string }
		}
		if err := json.Unmarshal(resources[0], &message); err != nil || len(message.Payload) != 1 {
			t.Fatalf("%s: %v", resources[0], err)
		}
		times[message.Payload[0].ContentString]++
	}
	for text := range acknowledged {
		if times[text] != 1 {
			t.Errorf("message %s was acknowledged and is there %d times", text, times[text])
		}
	}
	for text, n := range times {
		if n != 1 || !strings.HasPrefix(text, who+"-") {
			t.Errorf("message %s is there %d times", text, n)
		}
	}
}

const (
	largeFile = 200 << 20
	// largeMemory is what a server or a client may need beside a file of that size: what they need for a small one, and
	// some parts of it on their way.
	largeMemory = 80 << 20
)

// noise is a file that never was anywhere: its bytes follow from their place.
type noise struct{ at, size int64 }

func (n *noise) Read(b []byte) (int, error) {
	if n.at == n.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), n.size-n.at)]
	for i := range b {
		at := n.at + int64(i)
		b[i] = byte(at ^ at>>8*31 ^ at>>16*17)
	}
	n.at += int64(len(b))
	return len(b), nil
}

func (n *noise) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += n.at
	case io.SeekEnd:
		offset += n.size
	}
	n.at = offset
	return offset, nil
}

// counting hashes what is written to it.
type counting struct {
	hash.Hash
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.Hash.Write(b)
}

// A large file goes from a client through the server to another one and is never whole in the memory of any.
func TestALargeFileIsNeverWholeInMemory(t *testing.T) {
	if peak(t, os.Getpid()) == 0 {
		t.Skip("this system does not tell how much memory a program has used")
	}
	s := &served{t: t, dir: filepath.Join(t.TempDir(), "data"), origin: "http://" + freeAddress(t)}
	person := s.patients(1)[0]
	defer func() { s.kill() }()
	chart := chartOf(t, person)
	if _, err := person.AddFile(t.Context(), chart, envelope.General, client.File{Name: "small", Type: "text/plain", Content: strings.NewReader("small")}); err != nil {
		t.Fatal(err)
	}
	serverBefore, clientBefore := peak(t, s.process.Process.Pid), peak(t, os.Getpid())
	id, err := person.AddFile(t.Context(), chart, envelope.General, client.File{Name: "large", Type: "image/dicom", Content: &noise{size: largeFile}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := person.OpenChart(t.Context(), chart)
	if err != nil || len(opened.Troubles) > 0 {
		t.Fatal(err, opened.Troubles)
	}
	want, got := &counting{Hash: sha256.New()}, &counting{Hash: sha256.New()}
	if _, err := io.Copy(want, &noise{size: largeFile}); err != nil {
		t.Fatal(err)
	}
	for _, e := range opened.Entries {
		if e.Header.Entry == id {
			if err := person.ReadFile(t.Context(), e, got); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got.n != largeFile || string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Errorf("%d of %d bytes came back, or others", got.n, int64(largeFile))
	}
	serverMore, clientMore := peak(t, s.process.Process.Pid)-serverBefore, peak(t, os.Getpid())-clientBefore
	t.Logf("for %d MiB the server needed %d MiB more, the client %d", int64(largeFile)>>20, serverMore>>20, clientMore>>20)
	if serverMore > largeMemory || clientMore > largeMemory {
		t.Errorf("for %d MiB the server needed %d MiB more, the client %d", int64(largeFile)>>20, serverMore>>20, clientMore>>20)
	}
}

// peak is the most memory that a process has ever had, or 0 where the system does not tell.
func peak(t *testing.T, process int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
