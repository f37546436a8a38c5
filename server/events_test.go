package server

import (
	"errors"
	"io"
	"slices"
	"testing"

	"ward"
	"ward/client"
	"ward/seal/envelope"
)

// ears listens as everyone in a town. heard ends the streams, and tells who heard a notice like that one, as letters of
// walk: those of the town's own clinic in small letters, of the other in capitals.
type ears struct {
	w       *town
	streams map[byte]func() (ward.Notice, error)
	ends    []func()
}

func (w *town) ears(listener *pipes) *ears {
	e := &ears{w: w, streams: map[byte]func() (ward.Notice, error){}}
	for clinic, people := range map[byte]map[byte]*client.Client{0: w.here, 'a' - 'A': w.there} {
		for who, person := range people {
			_, lines := w.hand(person).stream(listener)
			e.streams[who-clinic] = func() (ward.Notice, error) { return notice(lines) }
			// The last notice of a stream is that the person's sessions changed.
			e.ends = append(e.ends, func() {
				w.must(w.server.bus.Publish(person.Org(), ward.Notice{Kind: "session", Person: person.Person()}))
			})
		}
	}
	return e
}

func (e *ears) heard(like func(ward.Notice) bool) string {
	e.w.t.Helper()
	go func() {
		for _, end := range e.ends {
			end()
		}
	}()
	var who []byte
	for letter, next := range e.streams {
		heard := false
		for {
			n, err := next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				e.w.t.Fatalf("the stream of %c does not end: %v", letter, err)
			}
			heard = heard || like(n)
		}
		if heard {
			who = append(who, letter)
		}
	}
	slices.Sort(who)
	return string(who)
}

// Nobody learns from the event stream what they could not read: not that it is there, nor when it changes.
func TestNoticesReachOnlyThoseTheyConcern(t *testing.T) {
	w := newTown(t)
	listener, stop := serve(t, w.server)
	defer stop()
	patient, org := w.here['p'], w.here['p'].Org()
	publish := func(n ward.Notice) func() { return func() { w.must(w.server.bus.Publish(org, n)) } }
	for _, c := range []struct {
		name   string
		happen func()
		like   func(ward.Notice) bool
		heard  string
	}{
		{"an entry in a chart", func() {
			_, err := patient.Write(t.Context(), w.chart, envelope.General, patient.Message(w.chart, "hello", ""))
			w.must(err)
		}, func(n ward.Notice) bool { return n.Kind == "entry" && n.Lock == w.lock }, "cp"},
		{
			"an entry in a lock that is nowhere", publish(ward.Notice{Kind: "entry", Lock: "gone"}),
			func(n ward.Notice) bool { return n.Lock == "gone" }, "",
		},
		{
			"something about one person, which staff follow", publish(ward.Notice{Kind: "person", Person: w.here['o'].Person()}),
			func(n ward.Notice) bool { return n.Person == w.here['o'].Person() && n.Kind == "person" }, "acdfos",
		},
		{
			"a person joined, which staff follow", publish(ward.Notice{Kind: "person"}),
			func(n ward.Notice) bool { return n.Kind == "person" }, "acdfs",
		},
		{
			"someone's session ended", publish(ward.Notice{Kind: "session", Person: w.here['x'].Person(), Seq: 7}),
			func(n ward.Notice) bool { return n.Kind == "session" && n.Seq == 7 }, "x",
		},
		{
			"the glass was broken", publish(ward.Notice{Kind: "grant", Chart: w.chart}),
			func(n ward.Notice) bool { return n.Kind == "grant" && n.Chart == w.chart }, "cdps",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ears := w.ears(listener)
			c.happen()
			if who := ears.heard(c.like); who != c.heard {
				t.Errorf("heard by %q, want %q", who, c.heard)
			}
		})
	}
}

// A clinician whose team is taken off a chart hears nothing of what follows, on the stream that was open before.
func TestWhoIsTakenOffAChartHearsNoMore(t *testing.T) {
	w := newTown(t)
	listener, stop := serve(t, w.server)
	defer stop()
	patient := w.here['p']
	ears := w.ears(listener)
	w.must(patient.Revoke(t.Context(), w.lock, w.grant)) // of the care team, whose member the clinician is
	before, err := patient.Read(t.Context(), w.lock)
	w.must(err)
	_, err = patient.Write(t.Context(), w.chart, envelope.General, patient.Message(w.chart, "between us", ""))
	w.must(err)
	if who := ears.heard(func(n ward.Notice) bool { return n.Kind == "entry" && n.Lock == w.lock && n.Seq > before.Head.Seq }); who != "p" {
		t.Errorf("heard by %q, want the patient alone", who)
	}
}
