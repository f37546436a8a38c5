package charts_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// summary is what one answer says of a lock.
func (w *town) summary(h handler, who *someone, m made, values ...string) ward.LockSummary {
	w.t.Helper()
	answer, err := w.call(h, who, nil, values...)
	w.must(err)
	for _, s := range summariesIn(answer) {
		if s.Lock == m.id {
			return s
		}
	}
	w.t.Fatalf("the lock is not in %+v", answer)
	return ward.LockSummary{}
}

// summariesIn finds the locks in an answer of any of the routes that tell of them.
func summariesIn(answer any) []ward.LockSummary {
	switch a := answer.(type) {
	case struct {
		Locks []ward.LockSummary `json:"locks"`
	}:
		return a.Locks
	case struct {
		Charts []ward.Chart `json:"charts"`
	}:
		var all []ward.LockSummary
		for _, c := range a.Charts {
			all = append(all, c.Locks...)
		}
		return all
	case ward.Chart:
		return a.Locks
	case ward.Lock:
		return []ward.LockSummary{a.LockSummary}
	case ward.LockSummary:
		return []ward.LockSummary{a}
	}
	return nil
}

func TestAllAnswersAgreeOnWhichLocksAreDue(t *testing.T) {
	type part struct {
		*town
		pat, proxy, doc, nurse *someone
		chart                  ward.ChartID
		m, team, em            made
	}
	cases := []struct {
		name string
		due  bool
		then func(p part)
	}{
		{"nothing happened", false, func(part) {}},
		{"a grant was taken back", true, func(p part) {
			p.must(p.do(func(ctx context.Context, tx *store.Tx) error {
				return p.c.EndPerson(ctx, tx, p.org, p.proxy.Person, p.pat.Person)
			}))
		}},
		{"it turned after a grant was taken back", false, func(p part) {
			p.must(p.do(func(ctx context.Context, tx *store.Tx) error {
				return p.c.EndPerson(ctx, tx, p.org, p.proxy.Person, p.pat.Person)
			}))
			_, _, err := p.turn(p.pat, p.m, p.to(p.pat, p.pat, envelope.ForSelf, ""),
				p.toLock(p.pat, p.team, envelope.ForCare), p.toLock(p.pat, p.em, envelope.ForEmergency))
			p.must(err)
		}},
		{"a grant's time is over", true, func(p part) {
			p.must(p.grants(p.pat, p.m, p.to(p.pat, p.proxy, envelope.ForProxy, ward.FormatTime(p.now.Add(time.Hour)))(p.m)))
			p.now = p.now.Add(2 * time.Hour)
		}},
		{"a grant took another's place", false, func(p part) {
			p.must(p.grants(p.pat, p.m, p.to(p.pat, p.proxy, envelope.ForProxy, ward.FormatTime(p.now.Add(time.Hour)))(p.m)))
		}},
		{"a team that holds it turned", true, func(p part) {
			p.leave(p.doc, p.team)
			_, _, err := p.turn(p.doc, p.team, p.to(p.doc, p.doc, envelope.ForWork, ""), p.to(p.doc, p.nurse, envelope.ForWork, ""))
			p.must(err)
		}},
		{"the glass is broken", false, func(p part) {
			_, err := p.call(p.c.PostBreakGlass, p.nurse, ward.BreakGlass{Code: "other"}, "chart", string(p.chart))
			p.must(err)
		}},
		{"the hour of the broken glass is over", true, func(p part) {
			_, err := p.call(p.c.PostBreakGlass, p.nurse, ward.BreakGlass{Code: "other"}, "chart", string(p.chart))
			p.must(err)
			p.now = p.now.Add(2 * time.Hour)
		}},
		{"the emergency was ended by hand", true, func(p part) {
			_, err := p.call(p.c.PostBreakGlass, p.nurse, ward.BreakGlass{Code: "other"}, "chart", string(p.chart))
			p.must(err)
			p.now = p.now.Add(time.Minute)
			_, err = p.call(p.c.EndEmergency, p.nurse, nil, "chart", string(p.chart))
			p.must(err)
		}},
		{"it has turned since", false, func(p part) {
			_, err := p.call(p.c.PostBreakGlass, p.nurse, ward.BreakGlass{Code: "other"}, "chart", string(p.chart))
			p.must(err)
			p.now = p.now.Add(2 * time.Hour)
			_, _, err = p.turn(p.pat, p.m, p.to(p.pat, p.pat, envelope.ForSelf, ""), p.to(p.pat, p.proxy, envelope.ForProxy, ""),
				p.toLock(p.pat, p.team, envelope.ForCare), p.toLock(p.pat, p.em, envelope.ForEmergency))
			p.must(err)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			p := part{town: w, pat: w.person(ward.Patient), proxy: w.person(ward.Proxy), doc: w.person(ward.Clinician), nurse: w.person(ward.Clinician)}
			work := func(who *someone) func(made) ward.NewGrant { return w.to(p.doc, who, envelope.ForWork, "") }
			var team, emergency ward.NewLock
			p.team, team = w.lock(p.doc, envelope.LockTeam, "", work(p.doc), work(p.nurse))
			p.em, emergency = w.lock(p.doc, envelope.LockEmergency, "", work(p.doc), work(p.nurse))
			w.must(w.create(p.doc, team, emergency))
			p.chart, p.m = w.chart(p.pat, w.to(p.pat, p.proxy, envelope.ForProxy, ""), w.toLock(p.pat, p.team, envelope.ForCare), w.toLock(p.pat, p.em, envelope.ForEmergency))
			c.then(p)
			for name, s := range map[string]ward.LockSummary{
				"GET /api/locks":          w.summary(w.c.ListLocks, p.pat, p.m),
				"GET /api/charts":         w.summary(w.c.ListCharts, p.pat, p.m),
				"GET /api/charts/{chart}": w.summary(w.c.FindChart, p.pat, p.m, "chart", string(p.chart)),
				"GET /api/locks/{lock}":   w.summary(w.c.GetLock, p.pat, p.m, "lock", string(p.m.id)),
			} {
				if s.Due != c.due {
					t.Errorf("%s says due: %v", name, s.Due)
				}
			}
		})
	}
}

func TestListsHaveEachLockOnceWithItsWholeLineOfKeys(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	var all []made
	lines := map[ward.LockID][]string{}
	for turns := range 4 {
		_, m := w.chart(pat)
		all = append(all, m)
		lines[m.id] = []string{string(m.epoch.Text)}
		for range turns {
			w.leave(pat, m)
			next, _, err := w.turn(pat, m, w.to(pat, pat, envelope.ForSelf, ""))
			w.must(err)
			m = next
			lines[m.id] = append(lines[m.id], string(m.epoch.Text))
		}
	}
	for name, h := range map[string]handler{"locks": w.c.ListLocks, "charts": w.c.ListCharts} {
		answer, err := w.call(h, pat, nil)
		w.must(err)
		listed := summariesIn(answer)
		if len(listed) != len(all) {
			t.Errorf("%s: %d are listed, want %d", name, len(listed), len(all))
		}
		for _, s := range listed {
			if !s.Readable || !slices.Equal(s.Epochs, lines[s.Lock]) {
				t.Errorf("%s: a lock with %d epochs is listed with %d, readable: %v", name, len(lines[s.Lock]), len(s.Epochs), s.Readable)
			}
		}
		answer, err = w.call(h, proxy, nil)
		w.must(err)
		if listed := summariesIn(answer); len(listed) != 0 {
			t.Errorf("%s: someone who holds nothing is shown %d", name, len(listed))
		}
	}
}

func TestAChartIsFoundByWhoMayWriteToItWithoutATellOfWhatIsHidden(t *testing.T) {
	w := newTown(t)
	pat, proxy, desk := w.person(ward.Patient), w.person(ward.Proxy), w.person(ward.FrontDesk)
	chart, general := w.chart(pat, w.to(pat, proxy, envelope.ForProxy, ""))
	restricted := w.restricted(pat, chart)
	w.must(w.post(pat, general, w.entry(pat, general, 10)))
	w.must(w.post(pat, restricted, w.entry(pat, restricted, 10)))
	find := func(who *someone) []ward.LockSummary {
		answer, err := w.call(w.c.FindChart, who, nil, "chart", string(chart))
		w.must(err)
		return summariesIn(answer)
	}
	if s := find(pat); len(s) != 2 || s[0].Lock != general.id || s[1].Lock != restricted.id || s[0].Seq != 1 || s[1].Seq != 1 || !s[0].Readable || !s[1].Readable {
		t.Errorf("the patient finds %+v, want both parts with an entry each", s)
	}
	if s := find(proxy); len(s) != 1 || s[0].Lock != general.id || s[0].Seq != 1 || !s[0].Readable {
		t.Errorf("a proxy for the general part finds %+v, want it alone", s)
	}
	if s := find(desk); len(s) != 1 || s[0].Lock != general.id || s[0].Seq != 0 || s[0].Chain != envelope.Start(general.id).Chain || s[0].Readable {
		t.Errorf("the front desk finds %+v, want the keys of the general part alone", s)
	}
}

// restricted makes the restricted part of a patient's chart.
func (w *town) restricted(pat *someone, chart ward.ChartID) made {
	w.t.Helper()
	key, epoch, err := pat.NewLock(envelope.LockChart, chart, envelope.Restricted, w.now)
	w.must(err)
	m := made{key, epoch, key.Lock}
	w.must(w.create(pat, ward.NewLock{Epoch: string(epoch.Text), Grants: []ward.NewGrant{w.to(pat, pat, envelope.ForSelf, "")(m)}}))
	return m
}
