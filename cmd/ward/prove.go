package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/client"
	"ward/seal/envelope"
	"ward/simulator"
	"ward/testdata"
)

const proveAbout = `Starts a clinic, and has people write canaries through it: names, words and numbers that occur nowhere else, as notes,
messages, file names and contents, names of people and of their devices. A handler is made to panic with them in hand,
and a server that people write to is killed with a dump of all it was doing. Then it searches everything that the server
keeps or sends: database, large files, logs of every level, metrics, a backup, the letters, push messages and notices it
sent, the output of the crash, and on Linux the memory of the running server. One hit fails. With --database it does the same on
PostgreSQL.`

func proveCommand() command {
	c := command{name: "prove", line: "search all that a server keeps for what people wrote", about: proveAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, rest, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return usageError{fmt.Errorf("prove takes no %q", rest[0])}
		}
		return prove(ctx, t, &config)
	}
	return c
}

// planted is what people write that the server must never see.
var planted = []string{
	"Quillfeatherby", "Zanthorpekins", "1931-02-17", "+44 55 0199 7731", "gloamstitch palpitations", "brindlewort 417 milligrams",
	"Sennetpocket.pdf", "marrowlight inside the file", "Ottermoss tablet", "vellumshrike advised", "yarrowmere@example.org",
}

// mailed is what only a letter may hold, and nothing else.
const mailed = "yarrowmere@example.org"

func prove(ctx context.Context, t terminal, config *Config) (err error) {
	folder, err := os.MkdirTemp("", "ward-prove-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	post, err := openPostbox(ctx)
	if err != nil {
		return err
	}
	defer post.close()
	push, err := openPushService(ctx)
	if err != nil {
		return err
	}
	defer push.close()
	config.Dir, config.LogLevel = filepath.Join(folder, "data"), "debug"
	config.SMTPServer, config.SMTPFrom = post.address, "clinic@example.org"
	config.push = push.client()
	if err := config.prepare(); err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(config.Dir, "ward.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	listener, err := listenForDemo(config, demoOptions{once: true})
	if err != nil {
		return err
	}
	defer listener.Close()
	here, err := clinic(ctx, config, config.logger(terminal{err: logs}))
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- here.server.Serve(serving, listener) }()
	writer, chart, err := plantAndAsk(ctx, t, here, config, folder, push)
	stop()
	err = errors.Join(err, <-ended, here.close())
	if err != nil {
		return err
	}
	memory, err := crash(ctx, config, folder, writer, chart)
	if err != nil {
		return err
	}
	if memory == 0 {
		fmt.Fprintln(t.out, "this system does not show a program's memory, so that was not searched")
	}
	return searchAll(ctx, t, config, folder, post)
}

// plantAndAsk has people write, then provokes refusals and faults, whose traces are searched too, and asks for metrics.
// It gives one of them and their chart.
func plantAndAsk(ctx context.Context, t terminal, here *running, config *Config, folder string, push *pushService) (*client.Client, ward.ChartID, error) {
	link, err := here.foundingLink(ctx, "A clinic")
	if err != nil {
		return nil, "", err
	}
	c, err := simulator.Found(ctx, simulator.Config{Origin: config.Origin, Link: link, Patients: testdata.Patients()})
	if err != nil {
		return nil, "", err
	}
	notices, err := os.Create(filepath.Join(folder, "notices"))
	if err != nil {
		return nil, "", err
	}
	unsubscribe, err := here.bus.Subscribe(c.Founder.Org(), func(n ward.Notice) { fmt.Fprintf(notices, "%+v\n", n) })
	if err != nil {
		return nil, "", err
	}
	defer unsubscribe()
	about := client.About{Given: planted[0], Family: planted[1], BirthDate: planted[2], Phone: planted[3], Email: mailed, PasskeyName: planted[8], Consent: "yes"}
	if _, err := c.Desk.Invite(ctx, about, true, ward.Patient); err != nil { // by letter
		return nil, "", err
	}
	p, err := c.Join(ctx, c.Desk, about, ward.Patient)
	if err != nil {
		return nil, "", err
	}
	if err := p.AddPasskey(ctx, client.NewAuthenticator(), planted[8]); err != nil {
		return nil, "", err
	}
	chart, err := p.Chart(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, part := range []string{envelope.General, envelope.Restricted} {
		if _, err := p.Write(ctx, chart, part, p.Message(chart, planted[4], ""), p.Note(chart, planted[9], planted[5])); err != nil {
			return nil, "", err
		}
	}
	for _, repeat := range []int{1, 200_000} { // inline, and in parts
		content := strings.NewReader(strings.Repeat(planted[7]+"\n", repeat))
		if _, err := p.AddFile(ctx, chart, envelope.General, client.File{Name: planted[6], Type: "application/pdf", Title: planted[6], Content: content}); err != nil {
			return nil, "", err
		}
	}
	if _, err := c.Founder.OpenChart(ctx, chart); err != nil {
		return nil, "", err
	}
	if err := push.provoke(ctx, c.Founder, p, chart, filepath.Join(folder, "pushes")); err != nil {
		return nil, "", fmt.Errorf("web push: %w", err)
	}
	// What a confused client might send where it does not belong: refused, and not repeated in a log.
	for _, path := range []string{"/api/locks/" + planted[0], "/api/charts/" + planted[0] + "/looks?before=" + planted[0], "/api/" + planted[1]} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			answer, err := p.Send(ctx, method, strings.ReplaceAll(path, " ", "%20"), []byte(`{"`+planted[4]+`":"`+planted[5]+`"}`))
			if err != nil {
				return nil, "", err
			}
			answer.Body.Close()
		}
	}
	fmt.Fprintf(t.out, "planted %d words in names, notes, messages, files, devices and wrong requests\n", len(planted))
	if err := panicInHandler(ctx, here); err != nil {
		return nil, "", err
	}
	if err := saveMetrics(ctx, here, folder); err != nil {
		return nil, "", err
	}
	return p.Client, chart, notices.Close()
}

func saveMetrics(ctx context.Context, here *running, folder string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- here.server.ServeMetrics(ctx, listener, "") }()
	defer func() { stop(); <-ended }()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+"/metrics", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	f, err := os.Create(filepath.Join(folder, "metrics"))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, answer.Body)
	return errors.Join(err, f.Close())
}

// searchAll makes a backup, which with PostgreSQL is also the way to see all rows, and looks through everything.
func searchAll(ctx context.Context, t terminal, config *Config, folder string, post *postbox) error {
	if _, err := backup(ctx, config, filepath.Join(folder, "backup")); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	letters := post.all()
	if !strings.Contains(letters, mailed) {
		return errors.New("no letter was sent, so none could be searched")
	}
	for _, name := range []string{"notices", "pushes", "metrics", "crash", "data/ward.log"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			return errors.Join(err, fmt.Errorf("there are no %s to search", name))
		}
	}
	search := newSearcher(planted)
	hits, err := search.tree(folder)
	if err != nil {
		return err
	}
	var outside []string // an address is in its letter's envelope and header, and nothing else of the person is
	for _, word := range planted {
		if word != mailed {
			outside = append(outside, word)
		}
	}
	inLetters, err := newSearcher(outside).reader("a letter", strings.NewReader(letters))
	if err != nil {
		return err
	}
	for _, h := range append(hits, inLetters...) {
		fmt.Fprintln(t.out, "FOUND", h)
	}
	if n := len(hits) + len(inLetters); n > 0 {
		return fmt.Errorf("%d places hold what only people may read", n)
	}
	self, err := newSearcher(planted).reader("a page with a word", strings.NewReader("…"+planted[4]+"…"))
	if err != nil || len(self) == 0 {
		return errors.Join(err, errors.New("the search does not find what is there"))
	}
	fmt.Fprintf(t.out, "searched %d bytes: database, large files, logs, metrics, a backup, letters, push messages, notices, the output of a crash and a running server's memory\nnothing was found; a word that was put there on purpose was\n", search.read+int64(len(letters)))
	return nil
}

// A pushService is where browsers' makers take messages for browsers (RFC 8030), and a browser that opens them.
type pushService struct {
	listener net.Listener
	server   *http.Server
	key      client.PushKey
	came     chan []byte
}

func openPushService(ctx context.Context) (*pushService, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &pushService{listener: listener, came: make(chan []byte, 16)}
	p.server = &http.Server{ReadHeaderTimeout: pushWithin, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4096)) // as push services take
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusCreated)
		p.came <- body
	})}
	go p.server.Serve(listener)
	p.key, err = client.NewPushKey()
	return p, err
}

// client takes all that is sent over TLS anywhere to here, without it.
func (p *pushService) client() *http.Client {
	return &http.Client{Timeout: pushWithin, Transport: &http.Transport{DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", p.listener.Addr().String())
	}}}
}

// pushWithin is how long a push may take to come.
const pushWithin = time.Minute

// provoke has someone told that a visit is cancelled, in their browser and by letter, and keeps what came there, as
// it was sent and as they read it.
func (p *pushService) provoke(ctx context.Context, clinician, patient *simulator.Person, chart ward.ChartID, file string) error {
	if err := patient.SetReminders(ctx, ward.Reminders{Language: "en", TimeZone: "Europe/London", Leads: []int64{1440}, Email: mailed}); err != nil {
		return err
	}
	if err := patient.RemindHere(ctx, p.key.At("https://push.example.org/here")); err != nil {
		return err
	}
	start := time.Now().Add(72 * time.Hour).Truncate(time.Hour)
	a := client.Appointment{
		Start: start, End: start.Add(20 * time.Minute), Patient: patient.Person(), PatientName: planted[1], Chart: chart,
		With: clinician.Person(), WithName: clinician.Name, Reason: planted[4],
	}
	var err error
	if a.Visit, err = clinician.Book(ctx, a); err != nil {
		return err
	}
	if err := clinician.Cancel(ctx, a); err != nil { // which is told at once
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pushWithin)
	defer cancel()
	select {
	case body := <-p.came:
		message, err := p.key.Open(body)
		if err != nil {
			return err
		}
		return os.WriteFile(file, append(append(body, '\n'), message...), 0o600)
	case <-ctx.Done():
		return errors.New("no push message was sent, so none could be searched")
	}
}

func (p *pushService) close() { p.server.Close() }

// A postbox is a mail server that keeps what it is given: enough of SMTP (RFC 5321) to take a letter.
type postbox struct {
	address  string
	listener net.Listener
	mu       sync.Mutex
	letters  bytes.Buffer
	taking   sync.WaitGroup
}

func openPostbox(ctx context.Context) (*postbox, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &postbox{address: listener.Addr().String(), listener: listener}
	p.taking.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			p.taking.Go(func() { p.take(conn) })
		}
	})
	return p, nil
}

func (p *postbox) take(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 here\r\n")
	lines := bufio.NewScanner(conn)
	inData := false
	for lines.Scan() {
		line := lines.Text()
		p.mu.Lock()
		p.letters.WriteString(line + "\n")
		p.mu.Unlock()
		switch word := strings.ToUpper(line); {
		case inData && line == ".":
			inData = false
			fmt.Fprint(conn, "250 kept\r\n")
		case inData:
		case strings.HasPrefix(word, "DATA"):
			inData = true
			fmt.Fprint(conn, "354 go on\r\n")
		case strings.HasPrefix(word, "QUIT"):
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}

func (p *postbox) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.letters.String()
}

func (p *postbox) close() {
	p.listener.Close()
	p.taking.Wait()
}
