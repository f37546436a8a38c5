package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Reading a lock's entries, in order and with every check; and writing them.

// An Entry has been opened and checked.
type Entry struct {
	seal.Opened
	Lock        ward.LockID
	Compartment string
	Roles       []ward.Role // the author's, as the server says
}

// Text is the body as it was before its encoding. A large body is not here: ReadFile fetches it.
func (e Entry) Text() ([]byte, error) {
	if !e.HasBody {
		return nil, errors.New("the body was not fetched")
	}
	return expand(e.Header.Encoding, e.Body)
}

// Resources are the FHIR resources in the entry, none for a file.
func (e Entry) Resources() ([]json.RawMessage, error) {
	if e.Header.Type != typeFHIR {
		return nil, nil
	}
	text, err := e.Text()
	if err != nil {
		return nil, err
	}
	return ReadFHIR(text)
}

// A Trouble is something that did not check. What it is about is not shown; everything else is.
type Trouble struct {
	Lock  ward.LockID
	Seq   int64 // 0 if it is about the lock
	Entry ward.EntryID
	By    ward.PersonID // of a snapshot: who left it
	Err   error
}

func (t Trouble) Error() string {
	if t.Seq == 0 {
		return fmt.Sprintf("lock %s: %v", t.Lock, t.Err)
	}
	return fmt.Sprintf("lock %s, entry %d: %v", t.Lock, t.Seq, t.Err)
}

func (t Trouble) Unwrap() error { return t.Err }

// A Log is a lock's entries, oldest first, as far as they check.
type Log struct {
	Lock     *Lock
	Head     envelope.Head
	Entries  []Entry
	Troubles []Trouble
}

// history is what a client remembers of a lock: every head it has computed, so that a server that drops, reorders,
// cuts or forks is found out.
type history struct {
	heads    []envelope.Head // heads[n] is after n entries
	entries  []Entry
	troubles []Trouble
}

// Errors of a history that is not the one this client knows.
var (
	ErrRollback = errors.New("the server shows fewer entries than it did: it may have lost or hidden some")
	ErrFork     = errors.New("the server's history is not the one it showed before")
	ErrChain    = errors.New("the entries do not make the chain that the server says")
	ErrSnapshot = errors.New("somebody left a summary of the entries that does not check; the entries were read instead")
)

// Heads are those this client last saw, by lock: what it would notice a change against.
func (c *Client) Heads() map[ward.LockID]envelope.Head {
	c.mu.Lock()
	defer c.mu.Unlock()
	heads := map[ward.LockID]envelope.Head{}
	for id, h := range c.opened {
		heads[id] = h.heads[len(h.heads)-1]
	}
	return heads
}

// Read reads a lock's entries: those that are new since it was last read, after those that were known.
func (c *Client) Read(ctx context.Context, id ward.LockID) (*Log, error) {
	l, err := c.OpenLock(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.read(ctx, l)
}

func (c *Client) read(ctx context.Context, l *Lock) (*Log, error) {
	c.mu.Lock()
	known := c.opened[l.Lock]
	c.mu.Unlock()
	h, err := c.readFrom(ctx, l, known)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.opened[l.Lock]; now == nil || len(now.heads) <= len(h.heads) {
		c.opened[l.Lock] = h
	}
	return &Log{l, h.heads[len(h.heads)-1], h.entries, h.troubles}, nil
}

// readFrom reads what a lock has after what was known of it, beginning with its snapshot if nothing was. If anything that
// the snapshot says is in doubt, all entries are read, and who left it is named.
func (c *Client) readFrom(ctx context.Context, l *Lock, known *history) (*history, error) {
	if known != nil {
		h := &history{slices.Clone(known.heads), slices.Clone(known.entries), slices.Clone(known.troubles)}
		return h, c.readOn(ctx, l, h)
	}
	begin := func() *history { return &history{heads: []envelope.Head{envelope.Start(l.Lock)}} }
	if l.snapshot <= 1 {
		h := begin()
		return h, c.readOn(ctx, l, h)
	}
	taken, by, err := c.takeSnapshot(ctx, l)
	if err == nil && taken != nil {
		if err = c.readOn(ctx, l, taken); err == nil {
			return taken, nil
		}
		if !errors.Is(err, ErrChain) && !errors.Is(err, ErrFork) {
			return nil, err
		}
	}
	h := begin()
	if failed := c.readOn(ctx, l, h); failed != nil {
		return nil, failed // not the snapshot's fault
	}
	if err != nil {
		h.troubles = append(h.troubles, Trouble{Lock: l.Lock, Seq: l.snapshot, By: by, Err: fmt.Errorf("%w: %w", ErrSnapshot, err)})
	}
	return h, nil
}

// readOn reads pages until the server's head, which must be the one that the entries make.
func (c *Client) readOn(ctx context.Context, l *Lock, h *history) error {
	for {
		after := h.heads[len(h.heads)-1]
		page, err := get[ward.Entries](ctx, c, fmt.Sprintf("%s?after=%d", path("locks", string(l.Lock), "entries"), after.Seq))
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if e.Seq != h.heads[len(h.heads)-1].Seq+1 {
				return Trouble{Lock: l.Lock, Seq: e.Seq, Err: ErrChain}
			}
			c.take(ctx, l, h, e)
		}
		head := h.heads[len(h.heads)-1]
		switch {
		case page.Seq < after.Seq:
			return Trouble{Lock: l.Lock, Err: ErrRollback}
		case page.More && len(page.Entries) > 0:
			continue
		case head.Seq == after.Seq && head.Seq == page.Seq && head.Chain != page.Chain:
			return Trouble{Lock: l.Lock, Err: ErrFork}
		case head != envelope.Head{Seq: page.Seq, Chain: page.Chain}:
			return Trouble{Lock: l.Lock, Err: ErrChain}
		}
		return nil
	}
}

// take adds an entry to a history: opened if it checks, as a trouble if not.
func (c *Client) take(ctx context.Context, l *Lock, h *history, e ward.StoredEntry) {
	before := len(h.heads)
	h.heads = append(h.heads, h.heads[before-1].Next([]byte(e.Text)))
	opened, err := c.openEntry(ctx, l, h, e)
	if err != nil {
		trouble := Trouble{Lock: l.Lock, Seq: e.Seq, Err: err}
		if s, err := envelope.Parse[envelope.Entry]([]byte(e.Text)); err == nil {
			trouble.Entry = s.Body.Entry
		}
		h.troubles = append(h.troubles, trouble)
		return
	}
	h.entries = append(h.entries, opened)
}

func (c *Client) openEntry(ctx context.Context, l *Lock, h *history, e ward.StoredEntry) (Entry, error) {
	s, err := envelope.Parse[envelope.Entry]([]byte(e.Text))
	if err != nil {
		return Entry{}, err
	}
	if s.Body.Lock != l.Lock {
		return Entry{}, errors.New("entry: it is of another lock")
	}
	if err := checkSeen(s.Body, e.Seq, h.heads); err != nil {
		return Entry{}, err
	}
	author, err := c.author(ctx, s)
	if err != nil {
		return Entry{}, err
	}
	key, ok := l.keys[s.Body.Epoch]
	if !ok {
		return Entry{}, fmt.Errorf("entry: epoch %d does not open", s.Body.Epoch)
	}
	opened := seal.Opened{Seq: e.Seq, Statement: s}
	if e.Sealed != nil {
		opened.Header, opened.Lines, opened.Body, err = seal.OpenShort(s, e.Sealed, key, author)
		opened.HasBody = err == nil
	} else {
		err = c.openLarge(ctx, l, s, key, author, &opened)
	}
	return Entry{opened, l.Lock, l.Compartment, author.Roles()}, err
}

// maxFetched is the size of the largest sealed entry that is fetched whole on reading: imports and snapshots are
// under it. Of larger ones, only the beginning, with the header.
const maxFetched = 8 << 20

// headFetched is how much of a large entry is fetched for its header: age's header and the first chunk of 64 KiB.
const headFetched = envelope.HeaderSize + 16 + 64<<10 + 16

func (c *Client) openLarge(ctx context.Context, l *Lock, s *envelope.Statement[envelope.Entry], key seal.LockKey, author *seal.Person, opened *seal.Opened) error {
	route := path("locks", string(l.Lock), "entries", string(s.Body.Entry), "sealed")
	if s.Body.Size > maxFetched {
		answer, err := c.send(ctx, http.MethodGet, route, "", nil, http.Header{"Range": {fmt.Sprintf("bytes=0-%d", headFetched-1)}})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		opened.Header, opened.Lines, _, err = seal.OpenEntry(s, io.LimitReader(answer.Body, headFetched), key, author)
		return err
	}
	answer, err := c.send(ctx, http.MethodGet, route, "", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	sealed, err := io.ReadAll(io.LimitReader(answer.Body, maxFetched+1))
	if err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	opened.Header, opened.Lines, opened.Body, err = seal.OpenShort(s, sealed, key, author)
	opened.HasBody = err == nil
	return err
}

// author finds an entry's author. Their browser may be newer than what this client knows of them.
func (c *Client) author(ctx context.Context, s *envelope.Statement[envelope.Entry]) (*seal.Person, error) {
	p, err := c.person(ctx, s.Body.Author)
	if err != nil {
		return nil, err
	}
	if _, ok := p.Browsers[s.Body.Browser]; !ok {
		c.forgetPerson(s.Body.Author)
		return c.person(ctx, s.Body.Author)
	}
	return p, nil
}

// checkSeen checks that what an entry's author had seen is on the chain before it.
func checkSeen(e envelope.Entry, seq int64, heads []envelope.Head) error {
	if e.Seen.Seq >= seq || heads[e.Seen.Seq] != e.Seen {
		return fmt.Errorf("entry: its author had seen another history: %w", ErrFork)
	}
	return nil
}

// takeSnapshot begins a history with the latest snapshot, and tells whose it is. There is none to begin with if it is a
// patient's or a proxy's: theirs are for themselves.
func (c *Client) takeSnapshot(ctx context.Context, l *Lock) (*history, ward.PersonID, error) {
	page, err := get[ward.Entries](ctx, c, fmt.Sprintf("%s?after=%d", path("locks", string(l.Lock), "entries"), l.snapshot-1))
	if err != nil {
		return nil, "", err
	}
	if len(page.Entries) == 0 || page.Entries[0].Seq != l.snapshot {
		return nil, "", errors.New("snapshot: the server does not show it")
	}
	s, err := envelope.Parse[envelope.Entry]([]byte(page.Entries[0].Text))
	if err != nil {
		return nil, "", err
	}
	author, err := c.author(ctx, s)
	if err != nil {
		return nil, s.Body.Author, err
	}
	if author.ID != c.Person() && !isStaff(author.Roles()) {
		return nil, author.ID, nil
	}
	h, err := c.openSnapshot(ctx, l, s, author)
	return h, author.ID, err
}

func (c *Client) openSnapshot(ctx context.Context, l *Lock, s *envelope.Statement[envelope.Entry], author *seal.Person) (*history, error) {
	key, ok := l.keys[s.Body.Epoch]
	if !ok || s.Body.Lock != l.Lock || s.Body.Kind != "snapshot" {
		return nil, errors.New("snapshot: it is not one that opens here")
	}
	route := path("locks", string(l.Lock), "entries", string(s.Body.Entry), "sealed")
	answer, err := c.send(ctx, http.MethodGet, route, "", nil, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	header, _, r, err := seal.OpenEntry(s, answer.Body, key, author)
	if err != nil {
		return nil, err
	}
	if header.Type != seal.SnapshotType || header.Size > seal.MaxFHIR {
		return nil, errors.New("snapshot: it is of another type, or too large")
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text, err := expand(header.Encoding, body)
	if err != nil {
		return nil, err
	}
	return c.unfold(ctx, l, text)
}

// unfold makes a history of a snapshot's text.
func (c *Client) unfold(ctx context.Context, l *Lock, text []byte) (*history, error) {
	snapshot, err := seal.ParseSnapshot(text)
	if err != nil {
		return nil, err
	}
	opened, err := snapshot.Check(l.Lock, func(id ward.PersonID) (*seal.Person, error) { return c.person(ctx, id) })
	if err != nil {
		return nil, err
	}
	h := &history{heads: []envelope.Head{envelope.Start(l.Lock)}}
	for _, e := range snapshot.Entries {
		h.heads = append(h.heads, h.heads[len(h.heads)-1].Next([]byte(e.Statement)))
	}
	for _, o := range opened {
		if err := checkSeen(o.Statement.Body, o.Seq, h.heads); err != nil {
			return nil, err
		}
		author, err := c.person(ctx, o.Header.Author)
		if err != nil {
			return nil, err
		}
		if !o.HasBody && o.Header.Kind != "file" && o.Header.Kind != "snapshot" {
			key, ok := l.keys[o.Statement.Body.Epoch]
			if !ok {
				return nil, fmt.Errorf("entry: epoch %d does not open", o.Statement.Body.Epoch)
			}
			if err := c.openLarge(ctx, l, o.Statement, key, author, &o); err != nil {
				return nil, err
			}
		}
		h.entries = append(h.entries, Entry{o, l.Lock, l.Compartment, author.Roles()})
	}
	return h, nil
}

// Snapshot leaves a snapshot of a lock behind, so that it opens faster. Large bodies stay out of it.
func (c *Client) Snapshot(ctx context.Context, id ward.LockID) error {
	log, err := c.Read(ctx, id)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(log.Troubles, func(t Trouble) bool { return !errors.Is(t.Err, ErrSnapshot) }); i >= 0 {
		return fmt.Errorf("snapshot: not of a lock with something wrong: %w", log.Troubles[i])
	}
	opened := make([]seal.Opened, len(log.Entries))
	for i, e := range log.Entries {
		opened[i] = e.Opened
		if e.Header.Kind == "snapshot" {
			opened[i].HasBody = false // a snapshot in a snapshot would double it
		}
	}
	snapshot, err := seal.NewSnapshot(id, opened)
	if err != nil {
		return err
	}
	item := Item{seal.Draft{Kind: "snapshot", Type: seal.SnapshotType, Encoding: "gzip"}, compress(marshalJSON(snapshot))}
	_, err = c.write(ctx, &target{lock: log.Lock.LockSummary, epoch: log.Lock.Current(), seen: log.Head}, []Item{item})
	return err
}

// A target is where to write: a lock's current epoch, and what the writer has seen of it.
type target struct {
	lock  ward.LockSummary
	epoch envelope.Epoch
	seen  envelope.Head
	again func(context.Context) (*target, error) // finds the epoch anew
}

// Write writes items to a chart, which need not be readable, and gives their ids.
func (c *Client) Write(ctx context.Context, chart ward.ChartID, compartment string, items ...Item) ([]ward.EntryID, error) {
	t, err := c.chartTarget(ctx, chart, compartment)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, t, items)
}

// chartTarget finds a chart's compartment to write to.
func (c *Client) chartTarget(ctx context.Context, chart ward.ChartID, compartment string) (*target, error) {
	found, err := get[ward.Chart](ctx, c, path("charts", string(chart)))
	if err != nil {
		return nil, err
	}
	for _, s := range found.Locks {
		if s.Compartment != compartment {
			continue
		}
		line, err := c.checkLine(ctx, s, s.Lock)
		if err != nil {
			return nil, err
		}
		current := line[len(line)-1].Body
		if err := checkPart(line, found, compartment); err != nil {
			return nil, err
		}
		t := &target{lock: s, epoch: current, seen: c.seen(s.Lock)}
		t.again = func(ctx context.Context) (*target, error) { return c.chartTarget(ctx, chart, compartment) }
		return t, nil
	}
	return nil, &ward.Error{Kind: ward.Refused, Message: "you may not write to this part of the chart"}
}

// checkPart checks that a lock is a part of a chart, and was made by the chart's own person.
func checkPart(line []*envelope.Statement[envelope.Epoch], chart ward.Chart, compartment string) error {
	first := line[0].Body
	if first.Kind != envelope.LockChart || first.Chart != chart.Chart || first.Compartment != compartment || first.Author != chart.Person {
		return fmt.Errorf("lock %s: it is not the %s part of chart %s, made by its person", first.Lock, compartment, chart.Chart)
	}
	return nil
}

// seen is the head of a lock that this client has verified.
func (c *Client) seen(id ward.LockID) envelope.Head {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.opened[id]; h != nil {
		return h.heads[len(h.heads)-1]
	}
	return envelope.Start(id)
}

// writeOutside writes to a lock that is not a chart's: the directory, the staff list, a team.
func (c *Client) writeOutside(ctx context.Context, id ward.LockID, items []Item) error {
	t, err := c.outsideTarget(ctx, id)
	if err != nil {
		return err
	}
	_, err = c.write(ctx, t, items)
	return err
}

func (c *Client) outsideTarget(ctx context.Context, id ward.LockID) (*target, error) {
	l, err := c.Keys(ctx, id)
	if err != nil {
		return nil, err
	}
	return &target{l.LockSummary, l.Current(), c.seen(id), func(ctx context.Context) (*target, error) { return c.outsideTarget(ctx, id) }}, nil
}

// maxBatchBytes keeps a request of inline entries, in base64, under ward.MaxBody.
const maxBatchBytes = ward.MaxBody / 2

// write seals and sends items in batches. If the lock has turned in between, it seals them again to the new epoch,
// once: the ids stay, so nothing is there twice.
func (c *Client) write(ctx context.Context, t *target, items []Item) ([]ward.EntryID, error) {
	ids := make([]ward.EntryID, len(items))
	for i := range items {
		if items[i].Entry == "" {
			items[i].Entry = ward.NewIDAt[ward.EntryID](c.now())
		}
		ids[i] = items[i].Entry
	}
	for begin := 0; begin < len(items); {
		end, size := begin, 0
		for end < len(items) && end-begin < ward.MaxBatch && (end == begin || size+len(items[end].Body) < maxBatchBytes) {
			size += len(items[end].Body)
			end++
		}
		err := c.post(ctx, t, items[begin:end])
		if ward.KindOf(err) == ward.Conflict && t.again != nil {
			if t, err = t.again(ctx); err == nil {
				err = c.post(ctx, t, items[begin:end])
			}
		}
		if err != nil {
			return nil, err
		}
		begin = end
	}
	return ids, nil
}

func (c *Client) post(ctx context.Context, t *target, items []Item) error {
	batch, err := c.sealAll(t, items)
	if err != nil {
		return err
	}
	for i := range batch {
		if len(batch[i].Sealed) > ward.MaxInline {
			if batch[i].Upload, err = c.upload(ctx, t.lock.Lock, bytes.NewReader(batch[i].Sealed)); err != nil {
				return err
			}
			batch[i].Sealed = nil
		}
	}
	return c.Post(ctx, t.lock.Lock, batch)
}

func (c *Client) sealAll(t *target, items []Item) ([]ward.NewEntry, error) {
	pen, err := c.pen()
	if err != nil {
		return nil, err
	}
	batch := make([]ward.NewEntry, len(items))
	for i, item := range items {
		if batch[i], err = pen.SealEntry(t.epoch, item.Draft, item.Body, t.seen, c.now()); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// Seal seals items for a chart without sending them, for programs that send them when it suits them; each must fit
// inline. Post sends them, as long as the chart has not turned.
func (c *Client) Seal(ctx context.Context, chart ward.ChartID, compartment string, items ...Item) (ward.LockID, []ward.NewEntry, error) {
	t, err := c.chartTarget(ctx, chart, compartment)
	if err != nil {
		return "", nil, err
	}
	for i := range items {
		if items[i].Entry == "" {
			items[i].Entry = ward.NewIDAt[ward.EntryID](c.now())
		}
	}
	batch, err := c.sealAll(t, items)
	return t.lock.Lock, batch, err
}

// Post sends sealed entries of a lock in one request.
func (c *Client) Post(ctx context.Context, lock ward.LockID, batch []ward.NewEntry) error {
	return do(ctx, c, http.MethodPost, path("locks", string(lock), "entries"), object{"entries": batch})
}

// upload sends sealed bytes in parts. A part that fails on the way is sent once more; the server skips what it has.
func (c *Client) upload(ctx context.Context, lock ward.LockID, sealed io.Reader) (ward.UploadID, error) {
	id := ward.NewID[ward.UploadID]()
	part := make([]byte, ward.MaxPart)
	for n := int64(1); ; n++ {
		size, err := io.ReadFull(sealed, part)
		if err == io.EOF {
			return id, nil
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return id, fmt.Errorf("upload: %w", err)
		}
		route := path("locks", string(lock), "uploads", string(id), fmt.Sprint(n))
		answer, failed := c.send(ctx, http.MethodPut, route, "application/octet-stream", part[:size], nil)
		if ward.KindOf(failed) == ward.Unavailable && ctx.Err() == nil {
			answer, failed = c.send(ctx, http.MethodPut, route, "application/octet-stream", part[:size], nil)
		}
		if failed != nil {
			return id, failed
		}
		answer.Body.Close()
		if err == io.ErrUnexpectedEOF {
			return id, nil
		}
	}
}

// Import writes the resources of a FHIR file into a chart, several to an entry, and tells how many.
func (c *Client) Import(ctx context.Context, chart ward.ChartID, compartment string, file io.Reader) (int, error) {
	text, err := io.ReadAll(io.LimitReader(file, seal.MaxFHIR+1))
	if err != nil {
		return 0, fmt.Errorf("import: %w", err)
	}
	if len(text) > seal.MaxFHIR {
		return 0, &ward.Error{Kind: ward.TooLarge, Message: fmt.Sprintf("a FHIR file may be %d MiB large", seal.MaxFHIR>>20)}
	}
	resources, err := ReadFHIR(text)
	if err != nil {
		return 0, err
	}
	_, err = c.Write(ctx, chart, compartment, bundles(resources)...)
	return len(resources), err
}

// A File is a file of any type to put into a chart.
type File struct {
	Name, Type, Title string
	Content           io.ReadSeeker // read twice: to measure, then to seal
}

// AddFile puts a file into a chart. It is sealed as it is read and sent as it is sealed, never whole in memory.
func (c *Client) AddFile(ctx context.Context, chart ward.ChartID, compartment string, f File) (ward.EntryID, error) {
	size, sum, err := seal.Measure(f.Content)
	if err != nil {
		return "", fmt.Errorf("file %s: %w", f.Name, err)
	}
	draft := seal.Draft{Entry: ward.NewIDAt[ward.EntryID](c.now()), Kind: "file", Type: f.Type, Title: f.Title, Filename: f.Name, Size: size, SHA256: sum}
	t, err := c.chartTarget(ctx, chart, compartment)
	if err != nil {
		return "", err
	}
	err = c.addFile(ctx, t, draft, f.Content)
	if ward.KindOf(err) == ward.Conflict {
		if t, err = t.again(ctx); err == nil {
			err = c.addFile(ctx, t, draft, f.Content)
		}
	}
	return draft.Entry, err
}

func (c *Client) addFile(ctx context.Context, t *target, draft seal.Draft, content io.ReadSeeker) error {
	pen, err := c.pen()
	if err != nil {
		return err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	r, w := io.Pipe()
	type result struct {
		s   *envelope.Statement[envelope.Entry]
		err error
	}
	done := make(chan result, 1)
	go func() {
		s, err := pen.SealStream(w, t.epoch, draft, content, t.seen, c.now())
		w.CloseWithError(err)
		done <- result{s, err}
	}()
	id, err := c.upload(ctx, t.lock.Lock, r)
	r.CloseWithError(err) // ends the sealing if the upload has failed
	sealed := <-done
	if err := errors.Join(err, sealed.err); err != nil {
		return err
	}
	entry := ward.NewEntry{Text: string(sealed.s.Text), Upload: id}
	return do(ctx, c, http.MethodPost, path("locks", string(t.lock.Lock), "entries"), object{"entries": []ward.NewEntry{entry}})
}

// ReadFile opens an entry's body as a stream to w. If it fails at the end, what was written must not be used: only
// then is it known that all of it is what its author wrote.
func (c *Client) ReadFile(ctx context.Context, e Entry, w io.Writer) error {
	if e.HasBody {
		_, err := w.Write(e.Body)
		return err
	}
	l, err := c.OpenLock(ctx, e.Lock)
	if err != nil {
		return err
	}
	author, err := c.author(ctx, e.Statement)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, http.MethodGet, path("locks", string(e.Lock), "entries", string(e.Header.Entry), "sealed"), "", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _, body, err := seal.OpenEntry(e.Statement, answer.Body, l.keys[e.Statement.Body.Epoch], author)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, body)
	return err
}
