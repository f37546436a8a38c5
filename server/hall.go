package server

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"ward"
	"ward/store"
)

// halls are where live streams wait for notices: one for each organisation that anybody listens to. Whom a notice concerns
// is found once for all streams of a process, so that one which is nobody's here costs the same with a thousand listeners
// as with one.
type halls struct {
	mu sync.Mutex
	of map[ward.OrgID]*hall
}

type hall struct {
	ears  map[*ear]bool
	leave func() // the bus
}

// An ear is one stream.
type ear struct {
	who     ward.Caller
	notices chan ward.Notice
	full    chan struct{} // it reads too slowly, or something could not be found out: it must read everything again
}

// findTime is how long finding out whom a notice concerns may take before all who listen must read again.
const findTime = 5 * time.Second

// join lets a caller listen until leave is called.
func (s *Server) join(who ward.Caller) (e *ear, leave func(), err error) {
	e = &ear{who: who, notices: make(chan ward.Notice, maxWaiting), full: make(chan struct{}, 1)}
	s.halls.mu.Lock()
	defer s.halls.mu.Unlock()
	h := s.halls.of[who.Org]
	if h == nil {
		h = &hall{ears: map[*ear]bool{}}
		h.leave, err = s.bus.Subscribe(who.Org, func(n ward.Notice) { s.deliver(who.Org, h, n) })
		if err != nil {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
		s.halls.of[who.Org] = h
	}
	h.ears[e] = true
	return e, func() {
		s.halls.mu.Lock()
		defer s.halls.mu.Unlock()
		delete(h.ears, e)
		if len(h.ears) == 0 && s.halls.of[who.Org] == h {
			delete(s.halls.of, who.Org)
			h.leave()
		}
	}, nil
}

// deliver gives a notice to the streams that it concerns.
func (s *Server) deliver(org ward.OrgID, h *hall, n ward.Notice) {
	about, err := s.audience(org, n)
	s.halls.mu.Lock()
	defer s.halls.mu.Unlock()
	for e := range h.ears {
		if err == nil && !concerns(e.who, n, about) {
			continue
		}
		if err == nil {
			select {
			case e.notices <- n:
				continue
			default:
			}
		}
		select {
		case e.full <- struct{}{}:
		default:
		}
	}
}

// audience finds out whom a notice about a lock, a chart or a visit concerns. Others say it themselves.
func (s *Server) audience(org ward.OrgID, n ward.Notice) (about ward.Audience, err error) {
	find := s.charts.Audience
	switch {
	case n.Kind == "session" || n.Kind == "ledger":
		return about, nil
	case n.Visit != "":
		find = s.visits.Audience
	case n.Lock == "" && n.Chart == "":
		return about, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	err = s.db.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		about, err = find(ctx, tx, org, n)
		return err
	})
	if err != nil {
		s.log.Error("a notice's audience was not found; all who listen read again", "kind", n.Kind, "err", err)
	}
	return about, err
}

// concerns tells whether a notice is for this caller: about themselves, about a lock, chart or visit that they may read, or
// about people, which staff follow.
func concerns(who ward.Caller, n ward.Notice, about ward.Audience) bool {
	isStaff := slices.ContainsFunc(who.Roles, ward.Role.IsStaff)
	switch {
	case n.Person == who.Person && n.Person != "":
		return true
	case n.Kind == "session":
		return false
	case n.Kind == "ledger":
		return who.Has(ward.Security) || who.Has(ward.Privacy)
	case who.Visit != "":
		return n.Visit == who.Visit
	case n.Visit == "" && n.Lock == "" && n.Chart == "":
		return isStaff
	}
	return slices.Contains(about.People, who.Person) || slices.ContainsFunc(about.Roles, who.Has)
}
