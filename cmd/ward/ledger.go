package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"ward"
	"ward/ledger/chain"
)

const ledgerAbout = `Several organisations can keep one history: each runs a Ward, and more than two thirds of them must sign before anything
counts as agreed. docs/ledger.md says how to run such a consortium.

  ward ledger status                       members, blocks, votes, and what is wrong
  ward ledger invite [FILE]                write where this ledger is, for an organisation that is to join
  ward ledger join INVITATION [FILE]       prepare this Ward for it, and write the application to send back
  ward ledger welcome APPLICATION          let an organisation's node follow, before anyone votes
  ward ledger propose admit APPLICATION    begin a vote, with this member's own: let an organisation in, …
  ward ledger propose expel NAME           … have one leave, …
  ward ledger propose power NAME NUMBER    … give its vote and signature another weight, …
  ward ledger propose upgrade BLOCK RULES  … follow newer rules from a block on, …
  ward ledger propose self                 … tell this Ward's own new name or address, …
  ward ledger propose releases NEEDED KEY… … or have so many of these keys sign releases
  ward ledger votes                        what is open, and who voted
  ward ledger vote SUBJECT [--no]          vote for it, or take this member's vote back
  ward ledger begin-again [LOST] [CLINIC]  after a loss: say how much of the log is lost; with that number, begin it again
  ward ledger releases                     newest releases, who signs them, and what runs here
  ward ledger release key FILE             make a key that signs releases, anywhere, and print its public half
  ward ledger release sign FILE server|app|firmware NUMBER SHA256 [LEDGER]      sign one with it, and print that
  ward ledger release record server|app|firmware NUMBER SHA256 SIGNATURE…       record it, with enough signatures

All but join, release key, and release sign with a LEDGER ask the Ward that runs in the same folder. Keys never leave it.`

func ledgerCommand() command {
	c := command{name: "ledger", args: "status|invite|join|welcome|propose|votes|vote|releases|release|begin-again …", line: "run the ledger together with other organisations", about: ledgerAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		var no bool
		config, rest, err := readConfig(t, c, func(f *pflag.FlagSet) { f.BoolVar(&no, "no", false, "take this member's vote back") }, withoutDashes(args))
		if err != nil {
			return err
		}
		for i, word := range rest {
			rest[i] = strings.TrimPrefix(word, dashed)
		}
		return ledgerDo(ctx, t, &config, rest, no)
	}
	return c
}

// dashed stands before what begins with a dash and yet is no flag. No word of a command line can have it of itself.
const dashed = "\x00"

// withoutDashes marks the keys and signatures among a command's words: one in 64 begins with a dash, in base64url.
func withoutDashes(words []string) []string {
	words = slices.Clone(words)
	for i, word := range words {
		raw, err := ward.B64.DecodeString(word)
		if is := len(raw) == ed25519.PublicKeySize || len(raw) == ed25519.SignatureSize; err == nil && is && word[0] == '-' {
			words[i] = dashed + word
		}
	}
	return words
}

func ledgerDo(ctx context.Context, t terminal, config *Config, args []string, no bool) error {
	word := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	run := config.operators()
	switch {
	case word(0) == "status" && len(args) == 1:
		return run.status(ctx, t)
	case word(0) == "votes" && len(args) == 1:
		return run.votes(ctx, t)
	case word(0) == "invite" && len(args) <= 2:
		return run.invite(ctx, t, word(1))
	case word(0) == "join" && (len(args) == 2 || len(args) == 3):
		return ledgerJoin(t, config, word(1), word(2))
	case word(0) == "welcome" && len(args) == 2:
		return run.welcome(ctx, t, word(1))
	case word(0) == "vote" && len(args) == 2:
		return run.vote(ctx, t, word(1), !no)
	case word(0) == "releases" && len(args) == 1:
		return run.releases(ctx, t)
	case word(0) == "begin-again" && len(args) <= 3:
		return config.clerks().beginAgain(ctx, t, word(1), word(2))
	case word(0) == "release":
		return run.release(ctx, t, args[1:])
	case word(0) == "propose":
		return run.propose(ctx, t, args[1:])
	}
	return usageError{errors.New("`ward ledger --help` says what it takes")}
}

// ledgerJoin prepares the folder for another chain. Ward must not be running in it.
func ledgerJoin(t terminal, config *Config, from, to string) error {
	invitation, err := os.ReadFile(from)
	if err != nil {
		return hinted(fmt.Errorf("read the invitation: %w", err), "Give the file that `ward ledger invite` wrote.")
	}
	if err := config.prepare(); err != nil {
		return err
	}
	application, err := chain.Join(config.chain(config.logger(t)), invitation)
	if err != nil {
		return err
	}
	if err := writeOut(t, to, application); err != nil {
		return err
	}
	fmt.Fprintf(t.err, "This Ward is prepared for %s. Send the application to whoever invited you, and start `ward serve`: it follows as soon as they propose you, and signs once they admit you.\n", application.Chain)
	if config.LedgerAddress == "" {
		fmt.Fprintln(t.err, "It tells no address, so it will only connect to others: set ledger-listen and ledger-address if they are to reach it.")
	}
	return nil
}

// writeOut writes JSON to a file for this user alone, or to the terminal.
func writeOut(t terminal, file string, what any) error {
	text, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if file == "" {
		_, err = t.out.Write(text)
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// chain is the settings of the ledger's chain.
func (c *Config) chain(log *slog.Logger) chain.Config {
	return chain.Config{Dir: filepath.Join(c.Dir, "ledger"), Name: lineOf(c.Name), Listen: c.LedgerListen, Address: c.LedgerAddress, Keys: c.LedgerKeys, Log: log}
}

// lineOf is a clinic's name as members know it: 100 bytes, without what does not show.
func lineOf(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x206f || r == 0xfeff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	for len(name) > 100 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name = strings.TrimSpace(name); name == "" {
		return "Ward"
	}
	return name
}

// chainProcess is this program again, to run the chain by itself. On Linux it is the one that runs, also if an upgrade has put
// another in its place. It gets no setting of ours: some are passwords.
func chainProcess() *exec.Cmd {
	self := "/proc/self/exe"
	if isMissing(self) {
		self, _ = os.Executable() // without one, starting it says so
	}
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WARD_") })
	return &exec.Cmd{Path: self, Args: []string{"ward", "ledger"}, Env: environment}
}

// Operators talk to the Ward that runs through a socket in its folder, which is closed to other users: not through the API,
// where a person's session would have to stand for whoever runs the machine. The process that runs the chain answers.

// controlFile is short: a socket's path may have a hundred characters.
const controlFile = "control"

// answerWithin is how long a block may take before an operator is told that it has not come.
const answerWithin = time.Minute

// ledgerState is what an operator is told.
type ledgerState struct {
	ward.ChainStatus
	Self    ward.ChainMember    `json:"self"`
	Running []ward.ChainRelease `json:"running"`
}

// guest is an organisation that is welcome to follow, and whether its node does.
type guest struct {
	Name    string `json:"name"`
	Follows bool   `json:"follows"`
}

type ledgerVote struct {
	ward.ChainVote
	Application json.RawMessage `json:"application,omitempty"` // instead of the member, for kind admit
}

// listenToOperators answers them about the chain until stop.
func listenToOperators(dir string, c *chain.Chain, log *slog.Logger) (stop func()) {
	return answerOperators(filepath.Join(dir, controlFile), log, operatorRoutes{
		"GET /status": func(*http.Request) (any, error) {
			here, err := recorded(c, slices.Clone(programs()))
			return ledgerState{c.Status(), c.Member(), here}, err
		},
		"GET /recorded": func(r *http.Request) (any, error) {
			here, err := recorded(c, []ward.ChainRelease{{Kind: r.URL.Query().Get("kind"), Sum: r.URL.Query().Get("sum")}})
			if err != nil {
				return nil, err
			}
			return here[0], nil
		},
		"POST /release": func(r *http.Request) (any, error) {
			signed, err := ward.Decode[signedRelease](io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return nil, err
			}
			return signed.ChainRelease, c.Record(r.Context(), signed.ChainRelease, signed.Signatures)
		},
		"GET /invitation": func(*http.Request) (any, error) { return c.Invite() },
		"POST /proposal": func(r *http.Request) (any, error) {
			v, err := ward.Decode[ledgerVote](io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return nil, err
			}
			subject, err := propose(r.Context(), c, v)
			return ward.LedgerVote{Subject: subject, Yes: true}, err
		},
		"POST /guest": func(r *http.Request) (any, error) {
			raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return nil, err
			}
			m, err := chain.ParseApplication(raw, c.ID())
			if err != nil {
				return nil, err
			}
			if c.Follows(m) {
				return guest{m.Name, true}, nil
			}
			return guest{m.Name, false}, c.Welcome(m)
		},
		"POST /vote": func(r *http.Request) (any, error) {
			v, err := ward.Decode[ward.LedgerVote](io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return nil, err
			}
			return v, c.Vote(r.Context(), v.Subject, v.Yes)
		},
	})
}

// operatorRoutes are what operators may ask, by method and path.
type operatorRoutes map[string]func(r *http.Request) (any, error)

func answerOperators(path string, log *slog.Logger, routes operatorRoutes) (stop func()) {
	if other, err := net.Dial("unix", path); err == nil {
		other.Close()
		log.Error("another Ward runs in this folder, and answers operators")
		return func() {}
	}
	os.Remove(path) // of a Ward that was killed
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	var listener net.Listener
	if err == nil {
		listener, err = net.Listen("unix", path)
	}
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		log.Error("operators cannot ask this Ward about its ledger", slog.String("error", err.Error()))
		return func() {}
	}
	mux := http.NewServeMux()
	for pattern, do := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
			defer cancel()
			value, err := do(r.WithContext(ctx))
			if err != nil {
				w.WriteHeader(http.StatusConflict)
				value = operatorError(err)
			}
			json.NewEncoder(w).Encode(value)
		})
	}
	server := &http.Server{Handler: mux, ReadTimeout: answerWithin}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener)
	}()
	return func() { server.Close(); <-done }
}

func propose(ctx context.Context, c *chain.Chain, v ledgerVote) (string, error) {
	switch v.Kind {
	case "self":
		return c.ProposeSelf(ctx)
	case "admit":
		m, err := chain.ParseApplication(v.Application, c.ID())
		if err != nil {
			return "", err
		}
		return c.ProposeMember(ctx, m)
	}
	return c.Propose(ctx, v.ChainVote)
}

func operatorError(err error) ward.Error {
	var known *ward.Error
	if errors.As(err, &known) {
		e := ward.Error{Kind: known.Kind, Message: known.Message, Hint: known.Hint}
		if known.Err != nil {
			e.Message += ": " + known.Err.Error()
		}
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return ward.Error{Kind: ward.Unavailable, Message: "no block has come in time", Hint: "It is sent, and counts when the chain goes on. `ward ledger status` says what the chain waits for."}
	}
	return ward.Error{Kind: ward.Internal, Message: err.Error()}
}

// operators asks the Ward that runs.
type operators struct{ socket string }

func (c *Config) operators() operators {
	return operators{filepath.Join(c.Dir, "ledger", controlFile)}
}

func (o operators) ask(ctx context.Context, method, path string, body, into any) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", o.socket)
	}}}
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://ward"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return hinted(errors.New("no Ward with a ledger runs in this folder"), "Start `ward serve`, and give the --dir that it has.")
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var e ward.Error
		if err := json.NewDecoder(answer.Body).Decode(&e); err != nil {
			return err
		}
		return &e
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func (o operators) state(ctx context.Context) (ledgerState, error) {
	var s ledgerState
	err := o.ask(ctx, "GET", "/status", nil, &s)
	return s, err
}

func (o operators) status(ctx context.Context, t terminal) error {
	s, err := o.state(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "ledger %s, block %d", s.Chain, s.Height)
	if s.Time != "" {
		fmt.Fprintf(t.out, ", signed %s", s.Time)
	}
	fmt.Fprintln(t.out)
	switch {
	case s.Reason != "":
		fmt.Fprintf(t.out, "STOPPED on this Ward since %s: %s\nThe clinic goes on; nothing becomes final until this is mended. Ward tries again by itself.\n", s.Halted, s.Reason)
	case s.Halted != "":
		fmt.Fprintf(t.out, "WAITING since %s: fewer than two thirds of the members answer. The clinic goes on; all that waits becomes final when they are back.\n", s.Halted)
	}
	own := false
	for _, m := range s.Members {
		how := "not connected"
		switch {
		case m.Self:
			how, own = "this Ward", true
		case m.Connected:
			how = "connected"
		}
		fmt.Fprintf(t.out, "  %-30s power %-4d %-14s %s\n", plain(m.Name), m.Power, how, plain(m.Address))
		if m.ClockOff != 0 {
			fmt.Fprintf(t.out, "    CLOCK: %v from the other members'. Blocks stay right as long as most clocks are; see that a time service runs there.\n", time.Duration(m.ClockOff)*time.Second)
		}
	}
	if !own && s.Reason == "" {
		fmt.Fprintln(t.out, "This Ward is not a member: it follows, and waits to be admitted.")
	}
	for _, f := range s.Faults {
		fmt.Fprintf(t.out, "DISHONEST OR BROKEN: %s signed two different blocks of height %d. The proof is in the chain. Members can vote it out: ward ledger propose expel %q\n", plain(f.Name), f.Height, f.Name)
	}
	if n := len(s.Votes); n > 0 {
		fmt.Fprintf(t.out, "%d open: `ward ledger votes`\n", n)
	}
	return nil
}

func (o operators) votes(ctx context.Context, t terminal) error {
	s, err := o.state(ctx)
	if err != nil {
		return err
	}
	if len(s.Votes) == 0 {
		fmt.Fprintln(t.out, "No vote is open.")
	}
	for _, v := range s.Votes {
		mine := ""
		if !v.Mine {
			mine = "; this member has not voted"
		}
		fmt.Fprintf(t.out, "%s  %s\n    power %d of the %d that decide: %s%s\n", plain(v.Subject), plain(sayVote(v)), v.Power, v.Needed, plain(strings.Join(v.Yes, ", ")), mine)
	}
	return nil
}

func sayVote(v ward.ChainVote) string {
	switch {
	case v.Kind == "upgrade":
		return fmt.Sprintf("follow version %d of the rules from block %d on", v.Version, v.Height)
	case v.Kind == "releases" && v.Releases != nil:
		return fmt.Sprintf("releases are signed by %d of %s", v.Releases.Needed, strings.Join(v.Releases.Keys, ", "))
	case v.Member == nil:
		return v.Kind
	case v.Kind == "leave":
		return v.Member.Name + " leaves"
	case v.Kind == "power":
		return fmt.Sprintf("%s is a member with power %d, at %s", v.Member.Name, v.Member.Power, v.Member.Address)
	}
	return fmt.Sprintf("%s joins, with power %d, at %s", v.Member.Name, v.Member.Power, v.Member.Address)
}

func (o operators) invite(ctx context.Context, t terminal, file string) error {
	var i chain.Invitation
	if err := o.ask(ctx, "GET", "/invitation", nil, &i); err != nil {
		return err
	}
	return writeOut(t, file, i)
}

func readApplication(file string) (json.RawMessage, error) {
	raw, err := os.ReadFile(file)
	if err == nil && !json.Valid(raw) {
		err = errors.New("this is not an application to a ledger")
	}
	if err != nil {
		return nil, hinted(fmt.Errorf("read the application: %w", err), "Give the file that `ward ledger join` wrote.")
	}
	return raw, nil
}

func (o operators) welcome(ctx context.Context, t terminal, file string) error {
	application, err := readApplication(file)
	if err != nil {
		return err
	}
	var g guest
	if err := o.ask(ctx, "POST", "/guest", application, &g); err != nil {
		return err
	}
	if g.Follows {
		fmt.Fprintf(t.out, "%s follows. Propose it with: ward ledger propose admit %s\n", plain(g.Name), file)
		return nil
	}
	fmt.Fprintf(t.out, "%s may follow now. Once its Ward runs, this command says so.\n", plain(g.Name))
	return nil
}

// vote takes a subject, or as much of its beginning as names one.
func (o operators) vote(ctx context.Context, t terminal, subject string, yes bool) error {
	s, err := o.state(ctx)
	if err != nil {
		return err
	}
	var found []ward.ChainVote
	for _, v := range s.Votes {
		if strings.HasPrefix(v.Subject, subject) {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		return hinted(fmt.Errorf("%d open votes begin with %q", len(found), subject), "`ward ledger votes` lists them.")
	}
	if err := o.ask(ctx, "POST", "/vote", ward.LedgerVote{Subject: found[0].Subject, Yes: yes}, new(ward.LedgerVote)); err != nil {
		return err
	}
	return o.told(ctx, t, found[0].Subject)
}

// told says what has become of a vote.
func (o operators) told(ctx context.Context, t terminal, subject string) error {
	s, err := o.state(ctx)
	if err != nil {
		return err
	}
	for _, v := range s.Votes {
		if v.Subject == subject {
			fmt.Fprintf(t.out, "Counted. %s: power %d of the %d that decide.\nOthers vote with: ward ledger vote %s\n", plain(sayVote(v)), v.Power, v.Needed, subject)
			return nil
		}
	}
	fmt.Fprintln(t.out, "Counted, and decided.")
	return nil
}

func (o operators) propose(ctx context.Context, t terminal, args []string) error {
	var v ledgerVote
	number := func(text string) (int64, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, usageError{fmt.Errorf("%q is not a number", text)}
		}
		return n, nil
	}
	member := func(name string) (err error) {
		v.Member, err = o.member(ctx, name)
		return err
	}
	var err, err2 error
	switch kind := strings.Join(args[:min(1, len(args))], ""); {
	case kind == "self" && len(args) == 1:
		v.Kind = "self"
	case kind == "admit" && len(args) == 2:
		v.Kind = "admit"
		v.Application, err = readApplication(args[1])
	case kind == "expel" && len(args) == 2:
		v.Kind = "leave"
		err = member(args[1])
	case kind == "power" && len(args) == 3:
		v.Kind = "power"
		if err = member(args[1]); err == nil {
			v.Member.Power, err = number(args[2])
		}
	case kind == "upgrade" && len(args) == 3:
		v.Kind = "upgrade"
		v.Height, err = number(args[1])
		v.Version, err2 = number(args[2])
	case kind == "releases" && len(args) >= 3:
		v.Kind, v.Releases = kind, &ward.ReleaseKeys{Keys: args[2:]}
		v.Releases.Needed, err = number(args[1])
	default:
		return usageError{errors.New("propose takes admit, expel, power, upgrade, self or releases: `ward ledger --help`")}
	}
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	var made ward.LedgerVote
	if err := o.ask(ctx, "POST", "/proposal", v, &made); err != nil {
		return err
	}
	return o.told(ctx, t, made.Subject)
}

// member finds one by name, or by operator's key if two have the same.
func (o operators) member(ctx context.Context, name string) (*ward.ChainMember, error) {
	s, err := o.state(ctx)
	if err != nil {
		return nil, err
	}
	var found []ward.ChainMember
	for _, m := range s.Members {
		if m.Name == name || m.Operator == name {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return nil, hinted(fmt.Errorf("%d members are called %q", len(found), name), "`ward ledger status` lists them.")
	}
	return &found[0], nil
}
