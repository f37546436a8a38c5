package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"ward"
	"ward/policy"
	"ward/store"
)

// A Route is one row of the table in routes.go. About loads what the request is about; without it, it is about the
// clinic. Exactly one of Do and Stream answers.
type Route struct {
	Pattern string // method and path, as http.ServeMux takes them
	Action  string // what policy decides; every route names one
	About   func(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error)

	// Do answers in the same transaction as the decision. The body is in memory and is rewound if Do runs again.
	Do func(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error)

	// Stream reads or writes at the caller's pace, after the decision was made and recorded.
	Stream func(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error
}

// public is the action of routes that anyone may use.
const public = "public"

// guard decides a request, records the decision, and has it answered.
func (s *Server) guard(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("DPoP-Nonce", s.identity.Nonce())
		w.Header().Set("Cache-Control", "no-store")
		if route.Stream != nil {
			s.stream(route, w, r)
			return
		}
		body, err := readBody(w, r)
		if err != nil {
			s.answerError(w, r, err, nil)
			return
		}
		var answer any
		decision, err := s.decide(r, route, body, func(ctx context.Context, tx *store.Tx, who ward.Caller) (err error) {
			answer, err = route.Do(ctx, tx, who, r)
			return err
		}, nil)
		if len(decision.Policies) > 0 {
			w.Header().Set("Ward-Policies", strings.Join(decision.Policies, " "))
		}
		switch {
		case err != nil:
			s.answerError(w, r, err, decision.Policies)
		case answer == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			answerJSON(w, http.StatusOK, answer)
		}
	}
}

func (s *Server) stream(route Route, w http.ResponseWriter, r *http.Request) {
	var who ward.Caller
	decision, err := s.decide(r, route, nil, nil, func(caller ward.Caller) { who = caller })
	if len(decision.Policies) > 0 {
		w.Header().Set("Ward-Policies", strings.Join(decision.Policies, " "))
	}
	if err == nil {
		err = route.Stream(r.Context(), who, w, r)
	}
	if err != nil {
		s.answerError(w, r, err, decision.Policies)
	}
}

// decide runs one request in one transaction: who asks, what it is about, may they, do, record. If do fails its
// work is undone, while the decision and the kind of failure stay on record.
func (s *Server) decide(r *http.Request, route Route, body []byte,
	do func(context.Context, *store.Tx, ward.Caller) error, allowed func(ward.Caller),
) (policy.Decision, error) {
	var decision policy.Decision
	var answer error
	err := s.db.Do(r.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		decision, answer = policy.Decision{}, nil
		rewind := func() {
			if route.Do != nil {
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
		}
		rewind()
		who := ward.Caller{}
		if route.Action != public {
			if who, err = s.identity.Authenticate(ctx, tx, r); counts(err) {
				answer = err
				return nil
			} else if err != nil {
				return err
			}
		}
		about := policy.Resource{Type: "Clinic", Org: who.Org}
		if route.About != nil {
			about, err = route.About(ctx, tx, who, r)
			rewind()
			if err != nil {
				return keep(&answer, err)
			}
			if route.Action != public && about.Org != who.Org {
				return keep(&answer, ward.Errorf(ward.Missing, "there is no such thing here"))
			}
		}
		request := policy.Request{Caller: who, Action: route.Action, About: about}
		if route.Action != public {
			if request.Teams, err = s.charts.HeldBy(ctx, tx, who.Org, who.Person); err != nil {
				return err
			}
		}
		decision = s.policy.Decide(request)
		event := ward.Event{
			Person: who.Person, Roles: who.Roles, Action: route.Action, About: aboutOf(about), Chart: about.Chart,
			Decision: "allow", Policies: decision.Policies,
		}
		switch {
		case !decision.Allow:
			event.Decision = "deny"
			answer = &ward.Error{
				Kind: ward.Refused, Message: "you may not do this",
				Hint: "If you think you should, ask the clinic; they can see which rule decided.",
			}
		case do != nil:
			var kept error
			answer = tx.Try(ctx, func(ctx context.Context) error {
				err := do(ctx, tx, who)
				if counts(err) {
					kept = err
					return nil
				}
				return err
			})
			answer = errors.Join(answer, kept)
			if answer != nil {
				event.Outcome = string(ward.KindOf(answer))
			}
		default:
			allowed(who)
		}
		if who.Org == "" {
			return nil // an unknown visitor; what they achieve is recorded by identity
		}
		return s.ledger.Append(ctx, tx, who.Org, event)
	})
	s.metrics.decided(route, decision, errors.Join(err, answer))
	if err != nil {
		return decision, err
	}
	return decision, answer
}

// counts tells whether what was done must stay although it ended in an error, such as counting a wrong attempt.
func counts(err error) bool {
	var counted interface{ Counts() bool }
	return errors.As(err, &counted) && counted.Counts()
}

// keep makes an error the answer without undoing that the proof was spent: a refused request cannot be replayed.
func keep(answer *error, err error) error {
	if ward.KindOf(err) == ward.Internal {
		return err
	}
	*answer = err
	return nil
}

// readBody reads a JSON body whole, up to the limit.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, ward.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, ward.Errorf(ward.TooLarge, "the request is larger than %d bytes", ward.MaxBody).
			WithHint("Send fewer entries at a time, and large ones as an upload.")
	case err != nil:
		return nil, &ward.Error{Kind: ward.Invalid, Message: "the request did not arrive whole", Hint: "Try again.", Err: err}
	}
	return body, nil
}

// aboutOf names a resource in the record.
func aboutOf(about policy.Resource) string {
	if about.ID == "" {
		return ""
	}
	return strings.ToLower(about.Type) + ":" + about.ID
}
