package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// A spoiled snapshot hid an allergy from every new device (finding 12). What somebody says of others' entries is used
// only as far as every entry confirms it.
func TestSpoiledSnapshotHidesNothing(t *testing.T) {
	for name, bend := range map[string]func(*seal.Snapshot){
		"nothing is wrong":           func(*seal.Snapshot) {},
		"a body is left out":         func(s *seal.Snapshot) { s.Entries[noteOf(s)].Body = "" },
		"a body is another's":        func(s *seal.Snapshot) { s.Entries[noteOf(s)].Body = s.Entries[0].Body },
		"a content is altered":       func(s *seal.Snapshot) { s.Entries[noteOf(s)].Content = s.Entries[0].Content },
		"an entry is left out":       func(s *seal.Snapshot) { s.Entries = slices.Delete(s.Entries, noteOf(s), noteOf(s)+1) },
		"a statement is another's":   func(s *seal.Snapshot) { s.Entries[noteOf(s)].Statement = s.Entries[0].Statement },
		"the last entry is left out": func(s *seal.Snapshot) { s.Entries = s.Entries[:len(s.Entries)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			c, ctx := founded(t), t.Context()
			patient, code, invited := c.join(c.founder, amina, ward.Patient)
			_, err := c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "Penicillin", "Anaphylaxis in 2019."))
			c.must(err)
			_, err = c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "Long", strings.Repeat("A letter of many pages. ", 10_000)))
			c.must(err)
			lock := leaveSpoiled(c, ctx, c.founder, invited.Chart, bend)

			fresh := New(Config{Now: c.now, Origin: c.origin})
			c.must(fresh.Recover(ctx, code.Text(), "Other phone"))
			chart, err := fresh.OpenChart(ctx, invited.Chart)
			c.must(err)
			for _, title := range []string{"Penicillin", "Long"} {
				i := slices.IndexFunc(chart.Entries, func(e Entry) bool { return e.Header.Title == title })
				if i < 0 {
					t.Fatalf("%s is hidden; troubles %v", title, chart.Troubles)
				}
				if _, err := chart.Entries[i].Resources(); err != nil {
					t.Errorf("%s cannot be read: %v", title, err)
				}
			}
			spoiled := slices.IndexFunc(chart.Troubles, func(t Trouble) bool { return errors.Is(t.Err, ErrSnapshot) })
			switch {
			case len(chart.Troubles) == 0 && (name == "nothing is wrong" || name == "the last entry is left out"):
			case len(chart.Troubles) != 1 || spoiled < 0 || chart.Troubles[spoiled].By != c.founder.Person() || chart.Troubles[spoiled].Lock != lock:
				t.Errorf("who left it is not named: %v", chart.Troubles)
			}
			c.must(patient.SignOut(ctx, true))
		})
	}
}

func noteOf(s *seal.Snapshot) int {
	return slices.IndexFunc(s.Entries, func(e seal.SnapshotEntry) bool { return strings.Contains(e.Content, "Penicillin") })
}

// leaveSpoiled leaves a snapshot as a member's own client can make it, of which something is not so.
func leaveSpoiled(c *clinic, ctx context.Context, by *Client, chart ward.ChartID, bend func(*seal.Snapshot)) ward.LockID {
	opened, err := by.OpenChart(ctx, chart)
	c.must(err)
	lock := opened.Lock(envelope.General)
	log, err := by.Read(ctx, lock.Lock)
	c.must(err)
	var entries []seal.Opened
	for _, e := range log.Entries {
		entries = append(entries, e.Opened)
	}
	snapshot, err := seal.NewSnapshot(lock.Lock, entries)
	c.must(err)
	bend(snapshot)
	head := envelope.Start(lock.Lock)
	for i, e := range snapshot.Entries {
		if e.Seq == int64(i)+1 {
			head = head.Next([]byte(e.Statement))
		}
	}
	snapshot.UpTo = head
	item := Item{seal.Draft{Kind: "snapshot", Type: seal.SnapshotType, Encoding: "gzip"}, compress(marshalJSON(snapshot))}
	_, err = by.write(ctx, &target{lock: log.Lock.LockSummary, epoch: log.Lock.Current(), seen: log.Head}, []Item{item})
	c.must(err)
	return lock.Lock
}
