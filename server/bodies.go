package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"ward"
)

// A budget counts the bytes in memory of everybody, and of each person, organisation and network. Who has no room left is
// turned away at once; whoever waited would hold what they have.
type budget struct {
	bounds
	mu   sync.Mutex
	held map[string]int64 // by name; who holds nothing is not there
}

func newBudget(b bounds) *budget { return &budget{bounds: b, held: map[string]int64{}} }

// A holding is what one request holds of a budget, until it gives it back.
type holding struct {
	budget *budget
	shares []share
	bytes  int64
}

// share is a part of a budget: whose, how much, and what is said when it is used up.
type share struct {
	name  string
	limit int64
	full  string
}

// of begins a holding of whoever asks: someone, or a stranger from a network.
func (b *budget) of(who ward.Caller, r *http.Request) *holding {
	const others = "the clinic is busy"
	network := Network(r.RemoteAddr)
	shares := []share{{"all", b.all, others}}
	if who.Person == "" {
		shares = append(shares, share{"strangers", b.strangers, others}, share{"strangers of " + network, b.stranger, "too much at once from this network"})
	} else {
		shares = append(
			shares, share{"organisation " + string(who.Org), b.org, others}, share{"network " + network, b.network, "too much at once from this network"},
			share{"person " + string(who.Person), b.person, "too much at once of yours"},
		)
	}
	return &holding{budget: b, shares: shares}
}

// take adds bytes to all shares, or to none if one of them is full.
func (h *holding) take(n int64) error {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range h.shares {
		if b.held[s.name]+n > s.limit {
			return ward.Errorf(ward.TooMany, "%s", s.full).WithHint("Wait a few seconds and try again.")
		}
	}
	for _, s := range h.shares {
		b.held[s.name] += n
	}
	h.bytes += n
	return nil
}

// give returns all that was taken.
func (h *holding) give() {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range h.shares {
		if b.held[s.name] -= h.bytes; b.held[s.name] == 0 {
			delete(b.held, s.name)
		}
	}
	h.bytes = 0
}

// inAll is how many bytes are held.
func (b *budget) inAll() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held["all"]
}

// turns let some requests of each person be worked on at once. More wait, and hold only their headers.
type turns struct {
	mu sync.Mutex
	of map[ward.PersonID]*turn
}

type turn struct {
	taken chan struct{}
	users int // who take or wait
}

// take waits for a turn of this person, to be given back.
func (t *turns) take(ctx context.Context, who ward.PersonID) (give func(), err error) {
	t.mu.Lock()
	one, ok := t.of[who]
	if !ok {
		one = &turn{taken: make(chan struct{}, maxAtOnce)}
		t.of[who] = one
	}
	one.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(t.of, who)
		}
	}
	select {
	case one.taken <- struct{}{}:
		return func() { <-one.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// paced is a body that must come at a decent rate from when it is first read: it may have to wait its turn. Each reading
// has until the bytes before it would have come at that rate, and the whole until the end.
type paced struct {
	io.ReadCloser
	control *http.ResponseController
	start   time.Time // zero until it is read
	whole   time.Duration
	read    int64
}

// pace puts a paced body into a copy of the request; the server's own still has the one that it discards.
func pace(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	p := &paced{ReadCloser: r.Body, control: http.NewResponseController(w), whole: timeoutOf(r.URL.Path)}
	p.control.SetReadDeadline(time.Now().Add(p.whole)) // a deadline that passes over HTTP/2 ends a body for good
	r = r.WithContext(r.Context())
	r.Body = p
	return r
}

// unwanted gives who sends a body that is not read a moment more.
func (p *paced) unwanted() {
	if p.start.IsZero() {
		p.control.SetReadDeadline(time.Now().Add(bodyGrace))
	}
}

func (p *paced) Read(into []byte) (int, error) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	rated := bodyGrace + time.Duration(p.read)*time.Second/minBodyRate
	p.control.SetReadDeadline(p.start.Add(min(rated, p.whole)))
	n, err := p.ReadCloser.Read(into)
	p.read += int64(n)
	if errors.Is(err, io.EOF) {
		p.control.SetReadDeadline(p.start.Add(p.whole)) // what is awaited now is that the client goes away
	}
	return n, err
}

// A body is kept in pieces, so that no memory is taken twice as it grows: the first small, as most bodies are.
type body [][]byte

const firstPiece, nextPiece = 8 << 10, 128 << 10

// reader gives the body to whoever reads it next.
func (b body) reader() io.ReadCloser {
	pieces := make([]io.Reader, len(b))
	for n, piece := range b {
		pieces[n] = bytes.NewReader(piece)
	}
	return io.NopCloser(io.MultiReader(pieces...))
}

// readBody reads a JSON body whole, up to the limit, into memory that the holding has room for: each piece is counted before
// it is there.
func readBody(r *http.Request, limit int64, held *holding) (body, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	most := limit + 1 // a byte more tells that there is more
	if r.ContentLength >= 0 {
		most = r.ContentLength + 1
	}
	var read body
	var piece []byte
	for all := int64(0); ; {
		if len(piece) == cap(piece) {
			size := min(int64(nextPiece), most-all)
			if read == nil {
				size = min(firstPiece, most)
			}
			if err := held.take(size); err != nil {
				return nil, err
			}
			piece = make([]byte, 0, size)
			read = append(read, nil)
		}
		n, err := r.Body.Read(piece[len(piece):cap(piece)])
		piece, all = piece[:len(piece)+n], all+int64(n)
		read[len(read)-1] = piece
		switch {
		case all > limit:
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return read, checkText(read)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, &ward.Error{Kind: ward.Invalid, Message: "the request came too slowly", Hint: "Try again.", Err: err}
		case err != nil:
			return nil, &ward.Error{Kind: ward.Invalid, Message: "the request did not arrive whole", Hint: "Try again.", Err: err}
		}
	}
}

func tooLarge(limit int64) error {
	return ward.Errorf(ward.TooLarge, "the request is larger than %d bytes", limit).
		WithHint("Send fewer entries at a time, and large ones as an upload.")
}

func checkText(b body) error {
	if b.holdsNUL() {
		return ward.Errorf(ward.Invalid, "the request has a NUL in a text").WithHint("Nothing that Ward is sent has one. See docs/api.md.")
	}
	return nil
}

// holdsNUL tells whether a text in JSON has the character that PostgreSQL can neither keep nor compare with: its
// escape, that is, with a backslash which is not itself escaped.
func (b body) holdsNUL() bool {
	const escape = `u0000`
	escaped, matched := false, 0 // after a backslash that counts, and how much of the escape came since
	for _, piece := range b {
		for len(piece) > 0 {
			if !escaped {
				at := bytes.IndexByte(piece, '\\')
				if at < 0 {
					break
				}
				piece, escaped, matched = piece[at+1:], true, 0
				continue
			}
			if piece[0] != escape[matched] {
				escaped = false
				if matched == 0 {
					piece = piece[1:] // it is what was escaped
				}
				continue
			}
			piece = piece[1:]
			if matched++; matched == len(escape) {
				return true
			}
		}
	}
	return false
}

// write sends an answer that may be large, which counts while a slow reader has it in memory.
func (s *Server) write(w http.ResponseWriter, r *http.Request, who ward.Caller, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if len(text) > freeAnswer {
		held := s.answers.of(who, r)
		if err := held.take(int64(len(text))); err != nil {
			return err
		}
		defer held.give()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.Write(append(text, '\n')) // a caller who has gone cannot be told
	return nil
}
