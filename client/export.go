package client

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"ward"
	"ward/ledger/receipt"
	"ward/seal"
	"ward/seal/envelope"
)

// Export writes everything of one's own charts into a folder (docs/formats.md, Export folder) that the recovery code
// and the stock age command open. The folder must be new or empty. Sealed entries go from the server to the disk as
// they are, files of any size included. Nothing in the folder can be read without the code.
func (c *Client) Export(ctx context.Context, dir string) error {
	if err := newFolder(dir); err != nil {
		return err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return err
	}
	history, err := c.CheckLedger(ctx) // before the keyring is read, which then has what was pinned
	if err != nil && !errors.Is(err, ErrNoLedger) {
		return err
	}
	keyring, err := get[ward.Keyring](ctx, c, "/api/keyring")
	if err != nil {
		return err
	}
	x := &exporting{client: c, dir: dir, people: map[ward.PersonID]bool{}, chains: map[string]bool{}}
	x.manifest = seal.Manifest{Org: me.Org.Org, Person: me.Person, Time: ward.FormatTime(c.now()), Locks: []seal.ExportLock{}}
	for name, data := range map[string][]byte{
		seal.ExportOpen: seal.OpenMD, seal.ExportKeyring: keyring.RecoveryKeyring, seal.ExportClinic: c.state().clinic.Text,
	} {
		if err := x.write(name, data); err != nil {
			return err
		}
	}
	for _, chart := range me.Charts {
		if err := x.chart(ctx, chart); err != nil {
			return err
		}
	}
	if err := errors.Join(x.person(ctx, me.Person), x.roster(ctx)); err != nil {
		return err
	}
	if history != nil {
		if err := x.proofs(ctx); err != nil {
			return err
		}
	}
	return x.create(seal.ExportFile, func(w io.Writer) error { return seal.WriteManifest(w, x.manifest) })
}

// ExportWithCode exports with nothing but the recovery code, as `ward export` does on a machine that has no passkey: it
// recovers, exports, and takes the passkey that recovering made away again.
func ExportWithCode(ctx context.Context, config Config, code, dir string) (err error) {
	c := New(config)
	if err := c.Recover(ctx, code, "Export"); err != nil {
		return err
	}
	after := context.WithoutCancel(ctx) // a passkey that nobody has must not stay
	defer func() {
		made := c.state().keyring.Passkeys
		err = errors.Join(err, c.RemovePasskey(after, made[len(made)-1].ID), c.SignOut(after, false))
	}()
	if config.GoOn {
		if _, err := c.AcceptLedger(ctx); err != nil && !errors.Is(err, ErrNoLedger) {
			return err
		}
	}
	return c.Export(ctx, dir)
}

func newFolder(dir string) error {
	names, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if len(names) > 0 {
		return fmt.Errorf("export: %s is not empty", dir)
	}
	return nil
}

// exporting is an export being written.
type exporting struct {
	client   *Client
	dir      string
	manifest seal.Manifest
	people   map[ward.PersonID]bool // whose cards are written
	chains   map[string]bool        // of membership that are written, by name
	asked    []asked
}

// asked is something whose proofs belong into the folder.
type asked struct {
	path, kind string
	refs       []string
}

func (x *exporting) write(name string, data []byte) error {
	return x.create(name, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// create writes a file, readable by its owner alone.
func (x *exporting) create(name string, fill func(io.Writer) error) (err error) {
	path := filepath.Join(x.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("export: %s: %w", name, err)
		}
	}()
	return fill(f)
}

func (x *exporting) chart(ctx context.Context, id ward.ChartID) error {
	found, err := get[ward.Chart](ctx, x.client, path("charts", string(id)))
	if err != nil {
		return err
	}
	for _, s := range found.Locks {
		if err := x.lock(ctx, s.Lock); err != nil {
			return err
		}
	}
	return x.looks(ctx, id)
}

// lock writes a lock: its epochs, their keys sealed to the person once more, and its entries.
func (x *exporting) lock(ctx context.Context, id ward.LockID) error {
	l, err := x.client.OpenLock(ctx, id)
	if err != nil {
		return err
	}
	given, err := get[ward.Lock](ctx, x.client, path("locks", string(id)))
	if err != nil {
		return err
	}
	k := x.client.state().keyring
	for _, epoch := range l.Line {
		b := epoch.Body
		key, ok := l.keys[b.Epoch]
		if !ok {
			return fmt.Errorf("export: epoch %d of lock %s does not open", b.Epoch, id)
		}
		file, err := key.File()
		if err != nil {
			return err
		}
		sealed, err := seal.Seal(file, k.Identity.Recipient())
		if err != nil {
			return err
		}
		if err := errors.Join(x.write(seal.ExportEpoch(id, b.Epoch), epoch.Text), x.write(seal.ExportGrant(id, b.Epoch)+".age", sealed), x.person(ctx, b.Author)); err != nil {
			return err
		}
	}
	for _, g := range given.Grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
		if err != nil {
			return err
		}
		if s.Body.Person == k.Person {
			if err := x.write(seal.ExportGrant(id, s.Body.Epoch)+".txt", s.Text); err != nil && !errors.Is(err, os.ErrExist) {
				return err
			}
		}
	}
	head, err := x.entries(ctx, id)
	if err != nil {
		return err
	}
	first := l.Line[0].Body
	x.manifest.Locks = append(x.manifest.Locks, seal.ExportLock{
		Lock: id, Kind: first.Kind, Chart: first.Chart, Compartment: first.Compartment, Epochs: int64(len(l.Line)), Head: head,
	})
	return nil
}

// entries writes a lock's entries as they are, page by page, and gives the head they make.
func (x *exporting) entries(ctx context.Context, id ward.LockID) (envelope.Head, error) {
	head := envelope.Start(id)
	refs := asked{path: path("locks", string(id), "receipts"), kind: receipt.LeafEntry}
	defer func() { x.asked = append(x.asked, refs) }()
	for {
		page, err := get[ward.Entries](ctx, x.client, fmt.Sprintf("%s?after=%d", path("locks", string(id), "entries"), head.Seq))
		if err != nil {
			return head, err
		}
		for _, e := range page.Entries {
			head = head.Next([]byte(e.Text))
			s, err := envelope.Parse[envelope.Entry]([]byte(e.Text))
			if err != nil {
				return head, err
			}
			refs.refs = append(refs.refs, string(s.Body.Entry))
			if err := x.entry(ctx, id, head.Seq, e); err != nil {
				return head, err
			}
		}
		if !page.More || len(page.Entries) == 0 {
			if head != (envelope.Head{Seq: page.Seq, Chain: page.Chain}) {
				return head, Trouble{Lock: id, Err: ErrChain}
			}
			return head, nil
		}
	}
}

func (x *exporting) entry(ctx context.Context, id ward.LockID, seq int64, e ward.StoredEntry) error {
	s, err := envelope.Parse[envelope.Entry]([]byte(e.Text))
	if err != nil {
		return err
	}
	name := seal.ExportEntryPath(id, seq, s.Body.Entry)
	if err := errors.Join(x.write(name+".txt", s.Text), x.person(ctx, s.Body.Author)); err != nil {
		return err
	}
	if e.Sealed != nil {
		return x.write(name+".age", e.Sealed)
	}
	answer, err := x.client.send(ctx, http.MethodGet, path("locks", string(id), "entries", string(s.Body.Entry), "sealed"), "", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return x.create(name+".age", func(w io.Writer) error {
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, sum), answer.Body); err != nil {
			return err
		}
		if ward.B64.EncodeToString(sum.Sum(nil)) != s.Body.SHA256 {
			return errors.New("the sealed bytes do not have the hash that their statement says")
		}
		return nil
	})
}

// person writes what belongs to someone's cards, and the chain that they are in. Who was erased has none.
func (x *exporting) person(ctx context.Context, id ward.PersonID) error {
	if x.people[id] {
		return nil
	}
	x.people[id] = true
	given, err := get[ward.PersonCards](ctx, x.client, path("people", string(id), "cards"))
	if ward.KindOf(err) == ward.Missing {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := x.client.person(ctx, id)
	if err != nil {
		return err
	}
	for _, card := range p.Cards {
		if err := x.write(seal.ExportRecipient(id, card.Serial), []byte(card.Recipient)); err != nil {
			return err
		}
	}
	for i, text := range given.Thread {
		if err := x.write(seal.ExportStatement(string(id), int64(i)+1), []byte(text)); err != nil {
			return err
		}
	}
	if len(given.Thread) > 0 {
		x.chains[string(id)] = true
	}
	slices.Sort(given.Browsers)
	for _, text := range slices.Compact(given.Browsers) {
		if err := x.write(seal.ExportBrowser([]byte(text)), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// roster writes the clinic's roster, by which every chain is judged: last, so that no thread names what comes after.
func (x *exporting) roster(ctx context.Context) error {
	x.client.reading.Lock()
	defer x.client.reading.Unlock()
	roster, err := x.client.followRoster(ctx)
	if err != nil {
		return err
	}
	x.chains[roster.name] = true
	for i, text := range roster.texts {
		if err := x.write(seal.ExportStatement(roster.name, int64(i)+1), text); err != nil {
			return err
		}
	}
	return nil
}

// looks writes who looked at a chart, newest first.
func (x *exporting) looks(ctx context.Context, chart ward.ChartID) error {
	f, err := os.OpenFile(filepath.Join(x.dir, seal.ExportLooks), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer f.Close()
	encoder := json.NewEncoder(f)
	proven := asked{path: path("charts", string(chart), "receipts"), kind: receipt.LeafEvent}
	defer func() { x.asked = append(x.asked, proven) }()
	for before := int64(0); ; {
		page, err := x.client.Looks(ctx, chart, before)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if err := encoder.Encode(e); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			before = e.Seq
			proven.refs = append(proven.refs, string(e.Event))
		}
		if !page.More || len(page.Events) == 0 || before <= 1 {
			return f.Close()
		}
	}
}

// proofs writes what the ledger shows of all that is in the folder, so that it can be checked without a server.
func (x *exporting) proofs(ctx context.Context) error {
	history, err := x.client.CheckLedger(ctx) // again: by now more is agreed
	if err != nil {
		return err
	}
	err = x.create(receipt.FolderLedger, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(receipt.NewFolder(history.Pinned, history.Changes, history.Final))
	})
	if err != nil {
		return err
	}
	names, err := get[json.RawMessage](ctx, x.client, "/api/ledger/names")
	switch kind := ward.KindOf(err); {
	case err == nil:
		err = x.write(receipt.FolderNames, append(names, '\n'))
	case kind == ward.Missing || kind == ward.Unavailable: // then they are only told
		err = nil
	}
	if err != nil {
		return err
	}
	err = x.create(receipt.FolderReceipts, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, a := range x.asked {
			given, err := x.client.Receipts(ctx, a.path, a.kind, history.Pinned.Height, a.refs...)
			if err != nil {
				return err
			}
			for _, p := range given {
				if err := lines.Encode(p); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.create(receipt.FolderLines, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, chain := range slices.Sorted(maps.Keys(x.chains)) {
			line, err := x.client.LineProof(ctx, chain)
			if ward.KindOf(err) == ward.Missing || err == nil && line == nil {
				continue
			}
			if err != nil {
				return err
			}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
		return nil
	})
}
