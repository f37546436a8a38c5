package chain

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
)

// The clinic runs its chain in a process of its own, of the same program. CometBFT ends the process that it is in when one of
// its parts fails: blocks that it fetched cannot be written, no more files can be opened, a member sends what it did not
// expect. None of that may end a visit. So the clinic starts a second process and asks it over its standard input and
// output; when that one ends, the clinic says so, goes on, and starts it again.
//
// The process is always there, also while the chain is halted: then it answers what it can from the disk, and after a while
// ends itself, to be begun anew. So the chain goes on by itself once there is room on a disk. After an end that was not
// planned the next one waits before it begins the chain, longer each time. It ends with the clinic's.

// processEnvironment holds a setup, and says to a process that it is one.
const processEnvironment = "WARD_LEDGER_PROCESS"

// setup is what the process is started with.
type setup struct {
	Config Config
	Ended  string        // how the one before ended, if that was not planned: the chain rests
	Rest   time.Duration // for so long
	Debug  bool          // log everything
}

const (
	// beginAgain is how long a chain stays halted before it begins anew.
	beginAgain = 20 * time.Second
	// restFirst is for how long it rests after its process ended. Each time it is twice as long, up to restAtMost, until one has
	// run for steady.
	restFirst  = time.Second
	restAtMost = 5 * time.Minute
	steady     = 10 * time.Minute
	// beginsWithin is how long a process may take before it answers: reading the state of a large chain takes a while.
	beginsWithin = time.Minute
	// answersWithin is how long it may take to say how it is, which it is asked so often too, before it is held to be stuck and
	// ended; and how long who set themselves no end waits for an answer.
	answersWithin = 20 * time.Second
	// gap is how long who asks waits for the next process: it takes a part of a second.
	gap = 5 * time.Second
	// asksFor is how long the process works on what nobody said how long they wait for.
	asksFor = time.Minute
	// keepLines is how many lines are kept of what a process prints as it ends: how it ended comes first.
	keepLines = 200
	// longestLine is how long one may be that it logs or prints; a longer one is taken in pieces, so that it fills no memory.
	longestLine = 64 << 10
)

// IsProcess tells whether this is such a process.
func IsProcess() bool { return os.Getenv(processEnvironment) != "" }

// BeProcess runs the chain until whoever started this process is gone, and gives the exit code. Beside it runs what needs the
// chain itself.
func BeProcess(beside func(dir string, c *Chain, log *slog.Logger) (stop func())) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE) // it ends when its input does, in order
	in, out := os.Stdin, os.Stdout
	os.Stdout = os.Stderr
	var s setup
	if err := json.Unmarshal([]byte(os.Getenv(processEnvironment)), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	level := slog.LevelInfo
	if s.Debug {
		level = slog.LevelDebug
	}
	s.Config.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	again := s.Config.Again
	if again == 0 {
		again = beginAgain
	}
	var c *Chain
	if s.Ended == "" {
		c = Start(context.Background(), s.Config)
	} else {
		c, again = rest(s.Config, s.Ended), s.Rest
	}
	stop := beside(s.Config.Dir, c, s.Config.Log)
	server := rpc.NewServer()
	if err := server.RegisterName("Chain", &answers{c}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	gone := make(chan struct{})
	go server.ServeCodec(jsonrpc.NewServerCodec(inOut{&untilEnd{in, sync.OnceFunc(func() { close(gone) })}, out}))
	select {
	case <-gone:
	case <-c.haltedFor(again, gone):
	}
	stop()
	stopped := make(chan error, 1)
	go func() { stopped <- c.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			s.Config.Log.Error("the chain did not stop in order", slog.String("error", err.Error()))
		}
	case <-time.After(2 * stopPatience): // what is halted may hold what it waits for
	}
	return 0
}

type inOut struct {
	io.ReadCloser
	out io.WriteCloser
}

func (s inOut) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s inOut) Close() error                { return errors.Join(s.ReadCloser.Close(), s.out.Close()) }

// untilEnd tells at once when there is no more to read; the server would answer first what it was asked before.
type untilEnd struct {
	io.ReadCloser
	over func()
}

func (u *untilEnd) Read(into []byte) (int, error) {
	n, err := u.ReadCloser.Read(into)
	if err != nil {
		u.over()
	}
	return n, err
}

// haltedFor is closed when the chain has been halted for so long.
func (c *Chain) haltedFor(d time.Duration, gone <-chan struct{}) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		select {
		case <-c.fell:
		case <-gone:
			return
		}
		time.Sleep(d)
		close(over)
	}()
	return over
}

// Answer is what the process answers with.
type Answer[T any] struct {
	Value T
	Error *Failure `json:",omitempty"`
}

// Failure is an error on its way: what those who asked look at in it.
type Failure struct {
	Kind          ward.Kind `json:",omitempty"`
	Message, Hint string
	Because       string `json:",omitempty"`
	Refused, Late bool   `json:",omitempty"`
}

func failure(err error) *Failure {
	if err == nil {
		return nil
	}
	f := &Failure{Message: err.Error(), Refused: errors.Is(err, receipt.ErrRefused), Late: errors.Is(err, context.DeadlineExceeded)}
	if known := (*ward.Error)(nil); errors.As(err, &known) && !f.Refused {
		f.Kind, f.Message, f.Hint = known.Kind, known.Message, known.Hint
		if known.Err != nil {
			f.Because = known.Err.Error()
		}
	}
	return f
}

func (f *Failure) err() error {
	switch {
	case f == nil:
		return nil
	case f.Refused:
		return fmt.Errorf("%w%s", receipt.ErrRefused, strings.TrimPrefix(f.Message, receipt.ErrRefused.Error()))
	case f.Late:
		return context.DeadlineExceeded
	case f.Kind != "":
		e := &ward.Error{Kind: f.Kind, Message: f.Message, Hint: f.Hint}
		if f.Because != "" {
			e.Err = errors.New(f.Because)
		}
		return e
	}
	return errors.New(f.Message)
}

// answers is what may be asked, inside the process.
type answers struct{ c *Chain }

func give[T any](to *Answer[T], value T, err error) error {
	*to = Answer[T]{value, failure(err)}
	return nil
}

// Within is for how long who asks waits, and what about.
type Within[T any] struct {
	Wait  time.Duration
	About T
}

func (w Within[T]) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), w.Wait)
}

// None is nothing.
type None struct{}

func (a *answers) ID(_ None, to *Answer[string]) error { return give(to, a.c.ID(), nil) }

func (a *answers) Status(_ None, to *Answer[ward.ChainStatus]) error {
	return give(to, a.c.Status(), nil)
}

// Origin is a log with what is told of it.
type Origin struct {
	Origin, SaltHash receipt.Key
	Name             string
}

func (a *answers) Register(w Within[Origin], to *Answer[None]) error {
	ctx, cancel := w.context()
	defer cancel()
	return give(to, None{}, a.c.Register(ctx, w.About.Origin, w.About.SaltHash, w.About.Name))
}

func (a *answers) Submit(w Within[receipt.Bytes], to *Answer[receipt.Block]) error {
	ctx, cancel := w.context()
	defer cancel()
	block, err := a.c.Submit(ctx, w.About)
	return give(to, block, err)
}

// Agreed is the head of a log.
type Agreed struct {
	Size  int64
	Root  receipt.Hash
	Known bool
}

func (a *answers) Head(origin receipt.Key, to *Answer[Agreed]) error {
	size, root, known := a.c.Head(origin)
	return give(to, Agreed{size, receipt.Hash(root), known}, nil)
}

func (a *answers) Newest(origin receipt.Key, to *Answer[*receipt.Block]) error {
	block, ok := a.c.Newest(origin)
	if !ok {
		return give(to, nil, nil)
	}
	return give(to, &block, nil)
}

// Signers are those that sign a block.
type Signers struct {
	Height int64
	Set    []receipt.Validator
}

func (a *answers) Validators(_ None, to *Answer[Signers]) error {
	height, set := a.c.Validators()
	return give(to, Signers{height, set}, nil)
}

// Line is a person's line of cards.
type Line struct{ Origin, Label receipt.Key }

func (a *answers) Line(l Line, to *Answer[receipt.Hash]) error {
	value, err := a.c.Line(l.Origin, l.Label)
	return give(to, value, err)
}

func (a *answers) ProveLink(l Line, to *Answer[receipt.LinkProof]) error {
	proof, err := a.c.ProveLink(l.Origin, l.Label)
	return give(to, proof, err)
}

func (a *answers) Writes(origin receipt.Key, to *Answer[bool]) error {
	return give(to, a.c.Writes(origin), nil)
}

func (a *answers) ProveNames(origins []receipt.Key, to *Answer[receipt.Names]) error {
	names, err := a.c.ProveNames(origins...)
	return give(to, names, err)
}

// Released is a release.
type Released struct {
	Kind byte
	Sum  receipt.Hash
}

func (a *answers) Recorded(r Released, to *Answer[int64]) error {
	return give(to, a.c.Recorded(r.Kind, r.Sum), nil)
}

func (a *answers) ProveRelease(r Released, to *Answer[receipt.StateProof]) error {
	proof, err := a.c.ProveRelease(r.Kind, r.Sum)
	return give(to, proof, err)
}

func (a *answers) Changes(since int64, to *Answer[[]receipt.Change]) error {
	changes, err := a.c.Changes(since)
	return give(to, changes, err)
}

func (a *answers) Propose(w Within[ward.ChainVote], to *Answer[string]) error {
	ctx, cancel := w.context()
	defer cancel()
	subject, err := a.c.Propose(ctx, w.About)
	return give(to, subject, err)
}

// Cast is a vote.
type Cast struct {
	Subject string
	Yes     bool
}

func (a *answers) Vote(w Within[Cast], to *Answer[None]) error {
	ctx, cancel := w.context()
	defer cancel()
	return give(to, None{}, a.c.Vote(ctx, w.About.Subject, w.About.Yes))
}

// Process is a chain in a process of its own, from outside.
type Process struct {
	config  Config
	command func() *exec.Cmd
	end     context.CancelFunc
	ended   chan struct{} // the last process is gone, and there will be no other

	mu     sync.Mutex
	client *rpc.Client
	change chan struct{} // closed when client or down changes
	coming bool          // one is about to answer
	down   string        // why there is none
	since  time.Time
	id     string
	known  Signers
}

// StartProcess runs a chain in a process that command would begin: this program, which calls BeProcess if IsProcess.
func StartProcess(ctx context.Context, config Config, command func() *exec.Cmd) *Process {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	p := &Process{config: config, command: command, end: end, ended: make(chan struct{}), change: make(chan struct{}), coming: true}
	go func() {
		defer close(p.ended)
		p.run(ctx)
	}()
	return p
}

// Stop ends the process, and waits for that.
func (p *Process) Stop() error {
	p.end()
	<-p.ended
	return nil
}

// run starts processes, one after another.
func (p *Process) run(ctx context.Context) {
	runtime.LockOSThread() // for diesWith
	defer runtime.UnlockOSThread()
	s := setup{Config: p.config, Debug: p.config.Log.Enabled(ctx, slog.LevelDebug)}
	first := max(restFirst, p.config.Again)
	wait := first
	for ctx.Err() == nil {
		began := time.Now()
		answered, err := p.once(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // it was halted, and begins anew
			s.Ended = ""
			continue
		}
		if time.Since(began) > steady {
			wait = first
		}
		s.Ended, s.Rest = err.Error(), wait
		p.config.Log.ErrorContext(ctx, "the chain's process ended; the clinic goes on without it", slog.String("error", err.Error()))
		if !answered { // it cannot rest if it cannot even start
			p.set(nil, err.Error(), false)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
			p.set(nil, err.Error(), true)
		}
		wait = min(2*wait, restAtMost)
	}
}

// once runs one process, and tells whether it answered, and why it ended if that was not planned.
func (p *Process) once(ctx context.Context, s setup) (answered bool, err error) {
	defer func() {
		why := "the chain's process begins again"
		if err != nil {
			why = err.Error()
		}
		p.set(nil, why, true)
	}()
	raw, err := json.Marshal(s)
	if err != nil {
		return false, err
	}
	command := p.command()
	command.Env = append(command.Environ(), processEnvironment+"="+string(raw))
	diesWith(command)
	said := &listener{log: p.config.Log}
	command.Stderr = said
	in, err1 := command.StdinPipe()
	out, err2 := command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	if err := command.Start(); err != nil {
		return false, fmt.Errorf("start the chain's process: %w", err)
	}
	client := rpc.NewClientWithCodec(jsonrpc.NewClientCodec(inOut{out, in}))
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
			client.Close() // so that it ends
		}
		select {
		case <-over:
		case <-time.After(2 * stopPatience):
			command.Process.Kill()
		}
	}()
	var id Answer[string]
	hello := client.Go("Chain.ID", None{}, &id, make(chan *rpc.Call, 1))
	select {
	case <-hello.Done:
		if answered = hello.Error == nil; answered {
			p.mu.Lock()
			p.id = id.Value
			p.mu.Unlock()
			p.set(client, "", false)
			go func() {
				if !p.keepsAnswering(client, over) {
					said.stuck.Store(true)
					command.Process.Kill()
				}
			}()
		}
	case <-time.After(beginsWithin):
		command.Process.Kill()
	case <-ctx.Done():
	}
	ended := command.Wait()
	close(over)
	client.Close()
	if ended == nil && answered {
		return true, nil
	}
	if said.stuck.Load() {
		return answered, errors.New("the chain's process ended: it no longer answered")
	}
	if reason := said.reason(); reason != "" {
		return answered, fmt.Errorf("the chain's process ended: %s", reason)
	}
	if ended == nil {
		ended = errors.New("it gave no answer")
	}
	return answered, fmt.Errorf("the chain's process ended: %w", ended)
}

// keepsAnswering asks a process again and again how it is, until over, and tells whether it always said.
func (p *Process) keepsAnswering(client *rpc.Client, over <-chan struct{}) bool {
	for {
		end := time.NewTimer(p.answersWithin())
		asked := make(chan *rpc.Call, 1)
		go client.Go("Chain.Status", None{}, new(Answer[ward.ChainStatus]), asked) // it waits itself if the way there is full
		select {
		case <-asked:
		case <-end.C:
			return false
		case <-over:
			return true
		}
		select {
		case <-end.C:
		case <-over:
			return true
		}
	}
}

func (p *Process) answersWithin() time.Duration { return cmp.Or(p.config.Answers, answersWithin) }

func (p *Process) set(client *rpc.Client, down string, coming bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.coming = coming
	if p.down = down; down != "" && p.client != nil || p.since.IsZero() {
		p.since = time.Now()
	}
	p.client = client
	close(p.change)
	p.change = make(chan struct{})
}

// listener passes on what the process logs, and keeps what it prints otherwise: how it ended.
type listener struct {
	log   *slog.Logger
	part  []byte
	lines []string
	stuck atomic.Bool
}

func (l *listener) Write(b []byte) (int, error) {
	l.part = append(l.part, b...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if len(line) > longestLine {
			line, rest = l.part[:longestLine], l.part[longestLine:]
		} else if !whole {
			return len(b), nil
		}
		l.line(line)
		l.part = bytes.Clone(rest)
	}
}

func (l *listener) line(line []byte) {
	var said map[string]any
	var level slog.Level
	if json.Unmarshal(line, &said) != nil || level.UnmarshalText(fmt.Append(nil, said["level"])) != nil {
		if len(l.lines) < keepLines {
			l.lines = append(l.lines, string(line))
		}
		return
	}
	text := fmt.Sprint(said["msg"])
	for _, key := range []string{"time", "level", "msg"} {
		delete(said, key)
	}
	attributes := make([]slog.Attr, 0, len(said))
	for key, value := range said {
		attributes = append(attributes, slog.Any(key, value))
	}
	l.log.LogAttrs(context.Background(), level, text, attributes...)
}

// reason is how the process says that it ended. All that it printed is logged, for whoever must mend it.
func (l *listener) reason() string {
	if len(l.lines) == 0 {
		return ""
	}
	all := strings.Join(l.lines, "\n")
	l.log.Error("the chain's process printed as it ended", slog.String("text", all))
	for lines := bufio.NewScanner(strings.NewReader(all)); lines.Scan(); {
		if text := lines.Text(); strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || strings.HasPrefix(text, "SIG") {
			return text
		}
	}
	return l.lines[0]
}

// reach waits a little for a process that can be asked.
func (p *Process) reach(ctx context.Context) (*rpc.Client, error) {
	patience := time.After(gap)
	for {
		p.mu.Lock()
		client, coming, change, down := p.client, p.coming, p.change, p.down
		p.mu.Unlock()
		if client != nil {
			return client, nil
		}
		if !coming {
			return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain is halted", Err: errors.New(down)}
		}
		select {
		case <-change:
		case <-patience:
			return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain is halted", Err: errors.New(down)}
		case <-p.ended:
			return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain has stopped"}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func ask[T any](ctx context.Context, p *Process, method string, about any) (value T, err error) {
	unending := ctx.Done() == nil
	if unending {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.answersWithin())
		defer cancel()
	}
	client, err := p.reach(ctx)
	if err != nil {
		return value, err
	}
	var answer Answer[T]
	call := client.Go("Chain."+method, about, &answer, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if call.Error != nil {
			return value, &ward.Error{Kind: ward.Unavailable, Message: "the chain's process has ended", Err: call.Error}
		}
		return answer.Value, answer.Error.err()
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && unending {
			return value, &ward.Error{Kind: ward.Unavailable, Message: "the chain's process does not answer"}
		}
		return value, ctx.Err()
	}
}

func within[T any](ctx context.Context, about T) Within[T] {
	if end, ok := ctx.Deadline(); ok {
		return Within[T]{time.Until(end), about}
	}
	return Within[T]{asksFor, about}
}

// Await waits until the process answers, or cannot start.
func (p *Process) Await(ctx context.Context) error {
	_, err := p.reach(ctx)
	return err
}

// ID names the chain.
func (p *Process) ID() string {
	p.mu.Lock()
	id := p.id
	p.mu.Unlock()
	if id == "" {
		id, _ = readID(p.config.Dir) // so that it has a name also if it cannot begin
	}
	if id == "" {
		id, _ = ask[string](context.Background(), p, "ID", None{})
	}
	return id
}

// Register is Chain.Register.
func (p *Process) Register(ctx context.Context, origin, saltHash receipt.Key, name string) error {
	_, err := ask[None](ctx, p, "Register", within(ctx, Origin{origin, saltHash, name}))
	return err
}

// Submit is Chain.Submit.
func (p *Process) Submit(ctx context.Context, tx []byte) (receipt.Block, error) {
	return ask[receipt.Block](ctx, p, "Submit", within(ctx, receipt.Bytes(tx)))
}

// Head is Chain.Head.
func (p *Process) Head(origin receipt.Key) (size int64, root tlog.Hash, known bool) {
	h, _ := ask[Agreed](context.Background(), p, "Head", origin)
	return h.Size, tlog.Hash(h.Root), h.Known
}

// Newest is Chain.Newest.
func (p *Process) Newest(origin receipt.Key) (receipt.Block, bool) {
	block, err := ask[*receipt.Block](context.Background(), p, "Newest", origin)
	if err != nil || block == nil {
		return receipt.Block{}, false
	}
	return *block, true
}

// Validators is Chain.Validators; of before, while there is no process.
func (p *Process) Validators() (height int64, set []receipt.Validator) {
	s, err := ask[Signers](context.Background(), p, "Validators", None{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.known = s
	}
	return p.known.Height, p.known.Set
}

// Line is Chain.Line.
func (p *Process) Line(origin, label receipt.Key) (receipt.Hash, error) {
	return ask[receipt.Hash](context.Background(), p, "Line", Line{origin, label})
}

// ProveLink is Chain.ProveLink.
func (p *Process) ProveLink(origin, label receipt.Key) (receipt.LinkProof, error) {
	return ask[receipt.LinkProof](context.Background(), p, "ProveLink", Line{origin, label})
}

// Writes is Chain.Writes; yes, while there is no process to say no.
func (p *Process) Writes(origin receipt.Key) bool {
	yes, err := ask[bool](context.Background(), p, "Writes", origin)
	return yes || err != nil
}

// ProveNames is Chain.ProveNames.
func (p *Process) ProveNames(origins ...receipt.Key) (receipt.Names, error) {
	return ask[receipt.Names](context.Background(), p, "ProveNames", origins)
}

// Recorded is Chain.Recorded.
func (p *Process) Recorded(kind byte, sum receipt.Hash) int64 {
	number, _ := ask[int64](context.Background(), p, "Recorded", Released{kind, sum})
	return number
}

// ProveRelease is Chain.ProveRelease.
func (p *Process) ProveRelease(kind byte, sum receipt.Hash) (receipt.StateProof, error) {
	return ask[receipt.StateProof](context.Background(), p, "ProveRelease", Released{kind, sum})
}

// Changes is Chain.Changes.
func (p *Process) Changes(since int64) ([]receipt.Change, error) {
	return ask[[]receipt.Change](context.Background(), p, "Changes", since)
}

// Propose is Chain.Propose.
func (p *Process) Propose(ctx context.Context, what ward.ChainVote) (string, error) {
	return ask[string](ctx, p, "Propose", within(ctx, what))
}

// Vote is Chain.Vote.
func (p *Process) Vote(ctx context.Context, subject string, yes bool) error {
	_, err := ask[None](ctx, p, "Vote", within(ctx, Cast{subject, yes}))
	return err
}

// Status is Chain.Status. Without a process it says why.
func (p *Process) Status() ward.ChainStatus {
	status, err := ask[ward.ChainStatus](context.Background(), p, "Status", None{})
	if err == nil {
		return status
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return ward.ChainStatus{Chain: p.id, Halted: ward.FormatTime(p.since), Reason: err.Error(), Members: []ward.ChainMember{}}
}

// readID reads the name of the chain in a folder.
func readID(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, genesisFile))
	if err != nil {
		return "", err
	}
	var g struct {
		ID string `json:"chain_id"`
	}
	err = json.Unmarshal(raw, &g)
	return g.ID, err
}
