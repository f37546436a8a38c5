package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ward"
	"ward/client"
	"ward/seal"
	"ward/seal/envelope"
	"ward/simulator"
	"ward/store"
)

// The story of the design, as far as it exists, played by people who are programs, each step checked.

// canaries are what the story writes and nothing else in the world says.
var canaries = []string{
	"Zwingmannova", "quartzkestrel murmur", "ombrelune since Tuesday", "Vexillarypouch visit", "plumbagoscan.txt", "8841907756",
}

type story struct {
	t      terminal
	here   *running
	config *Config
	clinic *simulator.Clinic
	amina  *simulator.Person
	chart  ward.ChartID
	lock   ward.LockID
	bundle []byte
	failed error
}

// step plays one step and prints what was checked. After one that fails, the rest is not played.
func (s *story) step(title string, play func() (string, error)) {
	if s.failed != nil {
		return
	}
	start := time.Now()
	checked, err := play()
	took := time.Since(start).Round(10 * time.Millisecond)
	if err != nil {
		s.failed = fmt.Errorf("%s: %w", title, err)
		fmt.Fprintf(s.t.out, "FAIL %s (%s): %v\n", title, took, err)
		return
	}
	fmt.Fprintf(s.t.out, "ok   %s (%s): %s\n", title, took, checked)
}

func tellStory(ctx context.Context, t terminal, here *running, config *Config, sim simulator.Config, o demoOptions) error {
	s := &story{t: t, here: here, config: config}
	s.step("a clinic is founded, and its staff join", func() (checked string, err error) {
		s.clinic, err = simulator.Found(ctx, sim)
		return "five passkeys, keyrings and cards; four locks that name themselves", err
	})
	s.step("the front desk invites Amina, who joins", func() (string, error) { return s.join(ctx) })
	s.step("her records are imported, sealed by her client", func() (string, error) { return s.importRecords(ctx, sim.Patients) })
	s.step("Dr Okafor reads the chart and writes a note", func() (string, error) { return s.note(ctx) })
	s.step("Amina sees the note, writes back, sends a file", func() (string, error) { return s.answer(ctx) })
	s.step("she sees who looked", func() (string, error) { return s.looks(ctx) })
	s.step("a curious employee tries to look", func() (string, error) { return s.curious(ctx) })
	s.step("someone is given a part for a while, and taken off", func() (string, error) { return s.shareAndTakeBack(ctx) })
	s.step("she loses her phone and opens with her code", func() (string, error) { return s.recover(ctx) })
	s.step("an administrator changes the database behind everyone's back", func() (string, error) { return s.tamper(ctx) })
	s.step("she takes everything with her", func() (string, error) { return s.export(ctx, o) })
	s.step("someone copies the whole disk", func() (string, error) { return s.search(o) })
	s.step("she asks to be erased", func() (string, error) { return s.erase(ctx) })
	s.step("the record is whole", func() (string, error) {
		state, err := s.clinic.Security.RecordState(ctx)
		if err == nil && !state.Whole {
			err = fmt.Errorf("it is not: %s", state.Problems[0].Text)
		}
		return fmt.Sprintf("%d events fit together", state.Events), err
	})
	return s.failed
}

func (s *story) join(ctx context.Context) (checked string, err error) {
	about := client.About{Given: "Amina", Family: canaries[0], BirthDate: "1961-04-02", Phone: canaries[5], Consent: "I agree."}
	if s.amina, err = s.clinic.Join(ctx, s.clinic.Desk, about, ward.Patient); err != nil {
		return "", err
	}
	if s.chart, err = s.amina.Chart(ctx); err != nil {
		return "", err
	}
	found, err := s.clinic.Desk.Find(ctx, "amina 1961")
	if err == nil && (len(found) != 1 || found[0].Chart != s.chart) {
		err = errors.New("the front desk does not find her")
	}
	return "her card is bound to the invitation; the desk finds her in the sealed directory", err
}

func (s *story) importRecords(ctx context.Context, bundles fs.FS) (string, error) {
	names, err := fs.Glob(bundles, "*.json")
	if err != nil || len(names) == 0 {
		return "", errors.Join(err, errors.New("there are no FHIR bundles (*.json) in the patients' folder"))
	}
	resources := 0
	for _, name := range names {
		if s.bundle, err = fs.ReadFile(bundles, name); err != nil {
			return "", err
		}
		n, err := s.amina.Import(ctx, s.chart, envelope.General, bytes.NewReader(s.bundle))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		resources += n
	}
	chart, err := s.whole(ctx, s.amina.Client)
	if err != nil {
		return "", err
	}
	s.lock = chart.Lock(envelope.General).Lock
	return fmt.Sprintf("%d resources of %d bundles in %d entries, every one opened and checked", resources, len(names), len(chart.Entries)), nil
}

// whole opens the chart and refuses if anything in it does not check.
func (s *story) whole(ctx context.Context, c *client.Client) (*client.Chart, error) {
	chart, err := c.OpenChart(ctx, s.chart)
	if err != nil {
		return nil, err
	}
	for _, trouble := range chart.Troubles {
		return nil, fmt.Errorf("the chart has trouble: %w", trouble)
	}
	return chart, nil
}

func (s *story) note(ctx context.Context) (string, error) {
	doctor := s.clinic.Founder
	if _, err := s.whole(ctx, doctor.Client); err != nil {
		return "", err
	}
	_, err := doctor.Write(ctx, s.chart, envelope.General, doctor.Note(s.chart, canaries[3], "Heard "+canaries[1]+" at the apex."))
	return "signed by her, sealed to the chart's current epoch", err
}

func (s *story) answer(ctx context.Context) (string, error) {
	chart, err := s.whole(ctx, s.amina.Client)
	if err != nil {
		return "", err
	}
	if last := chart.Entries[len(chart.Entries)-1]; last.Header.Title != canaries[3] || last.Header.Author != s.clinic.Founder.Person() {
		return "", errors.New("the note is not there")
	}
	if _, err := s.amina.Write(ctx, s.chart, envelope.General, s.amina.Message(s.chart, "I feel "+canaries[2], "")); err != nil {
		return "", err
	}
	large := bytes.Repeat([]byte(canaries[1]+" "), 200_000) // 4 MB: goes as an upload in parts
	id, err := s.amina.AddFile(ctx, s.chart, envelope.General, client.File{Name: canaries[4], Type: "text/plain", Content: bytes.NewReader(large)})
	if err != nil {
		return "", err
	}
	chart, err = s.whole(ctx, s.clinic.Founder.Client)
	if err != nil {
		return "", err
	}
	for _, e := range chart.Entries {
		if e.Header.Entry != id {
			continue
		}
		var got bytes.Buffer
		if err := s.clinic.Founder.ReadFile(ctx, e, &got); err != nil {
			return "", err
		}
		if !bytes.Equal(got.Bytes(), large) {
			return "", errors.New("the file is not what was sent")
		}
		return "the doctor reads both; the file came byte for byte", nil
	}
	return "", errors.New("the file is not there")
}

func (s *story) looks(ctx context.Context) (string, error) {
	page, err := s.amina.Looks(ctx, s.chart, 0)
	if err != nil {
		return "", err
	}
	for _, e := range page.Events {
		if e.Person == s.clinic.Founder.Person() && e.Action == "readEntries" && e.Decision == "allow" {
			return fmt.Sprintf("%d events; Dr Okafor read, allowed by %s", len(page.Events), strings.Join(e.Policies, ", ")), nil
		}
	}
	return "", errors.New("that Dr Okafor read is not on the record")
}

func (s *story) curious(ctx context.Context) (string, error) {
	answer, err := s.clinic.Desk.Send(ctx, http.MethodGet, "/api/locks/"+string(s.lock)+"/entries", nil)
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		return "", fmt.Errorf("the front desk asked for entries and got %d", answer.StatusCode)
	}
	page, err := s.clinic.Security.Record(ctx, 0)
	if err != nil {
		return "", err
	}
	for after := int64(0); ; after = page.Events[len(page.Events)-1].Seq {
		if page, err = s.clinic.Security.Record(ctx, after); err != nil || len(page.Events) == 0 {
			return "", errors.Join(err, errors.New("the refusal is not on the record"))
		}
		for _, e := range page.Events {
			if e.Person == s.clinic.Desk.Person() && e.Decision == "deny" && e.Chart == s.chart {
				return "refused by policy; the security officer sees it", nil
			}
		}
	}
}

func (s *story) shareAndTakeBack(ctx context.Context) (string, error) {
	carer, err := s.clinic.Join(ctx, s.clinic.Desk, client.About{Given: "Samir", Family: "Haddad"}, ward.Proxy)
	if err != nil {
		return "", err
	}
	if err := s.amina.Share(ctx, s.chart, carer.Person(), "", envelope.ForProxy, time.Now().Add(24*time.Hour), envelope.General); err != nil {
		return "", err
	}
	before, err := s.whole(ctx, carer.Client)
	if err != nil {
		return "", fmt.Errorf("the carer: %w", err)
	}
	if err := s.amina.Unshare(ctx, s.chart, carer.Person(), ""); err != nil {
		return "", err
	}
	if err := s.amina.Housekeep(ctx); err != nil {
		return "", err
	}
	if _, err := carer.OpenChart(ctx, s.chart); err == nil {
		return "", errors.New("the carer still reads the chart")
	}
	after, err := s.whole(ctx, s.clinic.Founder.Client)
	if err != nil {
		return "", err
	}
	epoch := len(after.Lock(envelope.General).Line)
	if epoch < 2 {
		return "", errors.New("the chart did not get a new key")
	}
	return fmt.Sprintf("the carer read %d entries, and then none; the chart is in epoch %d and the team reads all of it", len(before.Entries), epoch), nil
}

func (s *story) recover(ctx context.Context) (string, error) {
	again := client.New(client.Config{Origin: s.config.Origin})
	if err := again.Recover(ctx, strings.ToLower(s.amina.Code.Text()), "New phone"); err != nil {
		return "", err
	}
	s.amina.Client = again
	_, err := s.whole(ctx, again)
	return "the typed code opens the keyring, and that the chart", err
}

// tamper does what an administrator with the database could, and sees that a reader finds it out. Each change is put
// back after.
func (s *story) tamper(ctx context.Context) (string, error) {
	type operation = func(context.Context, *store.Tx) error
	run := func(statement string) operation {
		return func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, statement, string(s.lock))
			return err
		}
	}
	exchange := func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(run(`UPDATE entries SET seq = seq - 5 WHERE lock = $1 AND seq IN (2, 3)`)(ctx, tx),
			run(`UPDATE entries SET seq = -seq WHERE lock = $1 AND seq < 0`)(ctx, tx))
	}
	changes := []struct {
		name     string
		do, undo operation
		cuts     bool
	}{
		{"an entry altered", s.spoil, s.spoil, false},
		{"two entries exchanged", exchange, exchange, false},
		{"the end cut off", run(`UPDATE locks SET seq = seq - 2 WHERE lock = $1`), run(`UPDATE locks SET seq = seq + 2 WHERE lock = $1`), true},
	}
	for _, change := range changes {
		if err := s.here.db.Do(ctx, change.do); err != nil {
			return "", fmt.Errorf("%s: %w", change.name, err)
		}
		fresh := client.New(client.Config{Origin: s.config.Origin})
		err := fresh.Recover(ctx, s.amina.Code.Text(), "Yet another")
		if _, seen := s.whole(ctx, fresh); err == nil && seen == nil {
			err = errors.New("who reads it for the first time noticed nothing")
		}
		// Who has read an entry remembers it, and does not ask for it again; but they remember how far the chart went.
		if _, seen := s.whole(ctx, s.amina.Client); err == nil && seen == nil && change.cuts {
			err = errors.New("who read it before noticed nothing")
		}
		if err = errors.Join(err, s.here.db.Do(ctx, change.undo)); err != nil {
			return "", fmt.Errorf("%s: %w", change.name, err)
		}
	}
	fresh := client.New(client.Config{Origin: s.config.Origin})
	if err := fresh.Recover(ctx, s.amina.Code.Text(), "The last"); err != nil {
		return "", err
	}
	s.amina.Client = fresh // whose keyring is the newest
	_, err := s.whole(ctx, fresh)
	return fmt.Sprintf("%d ways, all found out by her client; put back, the chart is whole", len(changes)), err
}

// spoil flips a bit of the second entry's sealed bytes; twice, and it is as it was.
func (s *story) spoil(ctx context.Context, tx *store.Tx) error {
	var sealed []byte
	if err := tx.Row(ctx, `SELECT sealed FROM entries WHERE lock = $1 AND seq = 2`, string(s.lock)).Scan(&sealed); err != nil {
		return err
	}
	sealed[len(sealed)-1] ^= 1
	_, err := tx.Exec(ctx, `UPDATE entries SET sealed = $1 WHERE lock = $2 AND seq = 2`, sealed, string(s.lock))
	return err
}

func (s *story) export(ctx context.Context, o demoOptions) (string, error) {
	keep := o.keep
	if keep == "" {
		dir, err := os.MkdirTemp("", "ward-export-*")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(dir)
		keep = dir
	}
	if err := keepExport(ctx, s.amina, keep); err != nil {
		return "", err
	}
	code, err := seal.ParseCode(s.amina.Code.Text())
	if err != nil {
		return "", err
	}
	x, err := seal.OpenExport(os.DirFS(filepath.Join(keep, "export")), code)
	if err != nil {
		return "", err
	}
	entries, err := x.Entries()
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Err != nil {
			return "", fmt.Errorf("entry %d: %w", e.Seq, e.Err)
		}
	}
	return fmt.Sprintf("%d entries open with her code and no server, every signature checked", len(entries)), nil
}

func (s *story) search(o demoOptions) (string, error) {
	search := newSearcher(append([]string{"Okafor", "Lindqvist"}, canaries...))
	hits, err := search.tree(s.config.Dir)
	if err != nil {
		return "", err
	}
	if o.keep != "" {
		if err := keepData(s.config, o.keep); err != nil {
			return "", err
		}
	}
	if len(hits) > 0 {
		return "", fmt.Errorf("%d hits, the first: %s", len(hits), hits[0])
	}
	return fmt.Sprintf("%d bytes of database, files and logs hold none of %d names, notes, numbers and file names", search.read, len(canaries)+2), nil
}

func (s *story) erase(ctx context.Context) (string, error) {
	if err := s.amina.EraseMe(ctx); err != nil {
		return "", err
	}
	left := int64(0)
	err := s.here.db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT (SELECT count(*) FROM entries WHERE lock = $1) + (SELECT count(*) FROM grants WHERE lock = $1) + (SELECT count(*) FROM epochs WHERE lock = $1)
			+ (SELECT count(*) FROM keyrings WHERE person = $2) + (SELECT count(*) FROM cards WHERE person = $2)`, string(s.lock), string(s.amina.Person())).Scan(&left)
	})
	if err == nil && left > 0 {
		err = fmt.Errorf("%d rows are left", left)
	}
	return "no entry, grant, epoch, keyring or card of hers is left", err
}
