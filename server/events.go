package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"ward"
	"ward/store"
)

const (
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 20 * time.Second
	// streamLife is how long one stream lasts; the client opens another with a fresh proof, so a session that ended
	// is not heard for longer.
	streamLife = 10 * time.Minute
	// maxWaiting is how many notices wait for a slow reader before its stream ends; it then reads everything again.
	maxWaiting = 256
)

// events is the live stream (text/event-stream) of what the caller may know of.
func (s *Server) events(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	notices := make(chan ward.Notice, maxWaiting)
	full := make(chan struct{}, 1)
	cancel, err := s.bus.Subscribe(who.Org, func(n ward.Notice) {
		select {
		case notices <- n:
		default:
			select {
			case full <- struct{}{}:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	defer cancel()
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()

	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{})
	control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(text string) error {
		control.SetWriteDeadline(time.Now().Add(heartbeat))
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	if err := send(": listening\n\n"); err != nil {
		return nil // the reader has gone
	}
	ticker, life := time.NewTicker(heartbeat), time.NewTimer(streamLife)
	defer ticker.Stop()
	defer life.Stop()
	for {
		text := ""
		select {
		case <-ctx.Done():
			return nil
		case <-s.stopping:
			return nil
		case <-life.C:
			return nil
		case <-full:
			return nil
		case <-ticker.C:
			text = ": still here\n\n"
		case n := <-notices:
			mine, err := s.concerns(ctx, who, n)
			if err != nil {
				return nil
			}
			if !mine {
				continue
			}
			body, err := json.Marshal(n)
			if err != nil {
				return nil
			}
			text = "data: " + string(body) + "\n\n"
			if n.Kind == "session" && n.Person == who.Person {
				send(text)
				return nil
			}
		}
		if send(text) != nil {
			return nil
		}
	}
}

// concerns tells whether a notice is for this caller: about themselves, about a lock or chart that they may read, or
// about people, which staff follow.
func (s *Server) concerns(ctx context.Context, who ward.Caller, n ward.Notice) (bool, error) {
	switch {
	case n.Person == who.Person && n.Person != "":
		return true, nil
	case n.Kind == "session":
		return false, nil
	case n.Kind == "ledger":
		return who.Has(ward.Security) || who.Has(ward.Privacy), nil
	case who.Visit != "":
		return n.Visit == who.Visit, nil
	case n.Visit != "":
		return s.may(ctx, who, n, s.visits.MayHear)
	case n.Lock == "" && n.Chart == "":
		for _, role := range who.Roles {
			if role.IsStaff() {
				return true, nil
			}
		}
		return false, nil
	}
	return s.may(ctx, who, n, s.charts.MayHear)
}

// may asks a feature whether a notice is for the caller.
func (s *Server) may(ctx context.Context, who ward.Caller, n ward.Notice, hear func(context.Context, *store.Tx, ward.Caller, ward.Notice) (bool, error)) (mine bool, err error) {
	err = s.db.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		mine, err = hear(ctx, tx, who, n)
		return err
	})
	return mine, err
}
