package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"ward"
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
	here, leave, err := s.join(who)
	if err != nil {
		return err
	}
	defer leave()
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
		case <-here.full:
			return nil
		case <-ticker.C:
			text = ": still here\n\n"
		case n := <-here.notices:
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
