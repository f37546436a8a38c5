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

	// Read does beforehand what needs neither the transaction nor the caller, such as checking signatures, and keeps it
	// in the request. What it finds wrong is for About and Do to tell, once it is known who asks.
	Read func(r *http.Request) *http.Request

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
		if route.Action != public {
			r = s.identity.ReadProof(r)
		}
		if route.Stream != nil {
			s.stream(route, w, r)
			return
		}
		body, err := readBody(w, r)
		if err != nil {
			s.answerError(w, r, err, nil)
			return
		}
		if route.Read != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			r = route.Read(r)
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

// decide runs one request in one transaction: who asks, what it is about, may they, do, record. If do fails, its work
// is undone with the transaction, and another one puts on record what was decided and that it failed. A public stream,
// which nobody is known to ask for, needs none.
func (s *Server) decide(r *http.Request, route Route, body []byte,
	do func(context.Context, *store.Tx, ward.Caller) error, allowed func(ward.Caller),
) (policy.Decision, error) {
	a := asking{Server: s, r: r, route: route, body: body, do: do, allowed: allowed}
	var err error
	if route.Action == public && route.About == nil && do == nil {
		err = a.run(r.Context(), nil) // it reads nothing and puts nothing on record, and need not wait for those who do
	} else {
		err = s.db.Do(r.Context(), a.run)
	}
	if a.failed && a.who.Org != "" {
		failed := err
		a.do = func(context.Context, *store.Tx, ward.Caller) error { return counted{failed} }
		err = s.db.Do(context.WithoutCancel(r.Context()), a.run)
	}
	s.metrics.decided(route, a.decision, errors.Join(err, a.answer))
	if err != nil {
		return a.decision, err
	}
	return a.decision, a.answer
}

// asking is one request on its way.
type asking struct {
	*Server
	r       *http.Request
	route   Route
	body    []byte
	do      func(context.Context, *store.Tx, ward.Caller) error
	allowed func(ward.Caller)

	who      ward.Caller
	decision policy.Decision
	answer   error // a refusal, or a failure that stays on record
	failed   bool  // do failed or panicked, and the transaction was undone
}

// run is the transaction, which may run more than once. Of a public stream there is none.
func (a *asking) run(ctx context.Context, tx *store.Tx) (err error) {
	a.who, a.decision, a.answer, a.failed = ward.Caller{}, policy.Decision{}, nil, false
	a.rewind()
	if a.route.Action != public {
		if a.who, err = a.identity.Authenticate(ctx, tx, a.r); counts(err) {
			a.answer = err
			return nil
		} else if err != nil {
			return err
		}
	}
	if err := checkPath(a.r); err != nil {
		return keep(&a.answer, err)
	}
	about := policy.Resource{Type: "Clinic", Org: a.who.Org}
	if a.route.About != nil {
		about, err = a.route.About(ctx, tx, a.who, a.r)
		a.rewind()
		if err != nil {
			return keep(&a.answer, err)
		}
		if a.route.Action != public && about.Org != a.who.Org {
			return keep(&a.answer, ward.Errorf(ward.Missing, "there is no such thing here"))
		}
	}
	a.decision = a.policy.Decide(policy.Request{Caller: a.who, Teams: about.ReaderLocks, Action: a.route.Action, About: about})
	event := ward.Event{
		Person: a.who.Person, Roles: a.who.Roles, Action: a.route.Action, About: aboutOf(about), Chart: about.Chart,
		Decision: "allow", Policies: a.decision.Policies,
	}
	switch {
	case !a.decision.Allow:
		event.Decision = "deny"
		a.answer = &ward.Error{
			Kind: ward.Refused, Message: "you may not do this",
			Hint: "If you think you should, ask the clinic; they can see which rule decided.",
		}
	case a.do != nil:
		a.failed = true // until it has not; store makes an error of a panic
		a.answer = a.do(ctx, tx, a.who)
		if a.answer != nil && !counts(a.answer) {
			return a.answer
		}
		a.failed = false
		if a.answer != nil {
			event.Outcome = string(ward.KindOf(a.answer))
		}
	default:
		a.allowed(a.who)
	}
	if a.who.Org == "" {
		return nil // an unknown visitor; what they achieve is recorded by identity
	}
	return a.ledger.Append(ctx, tx, a.who.Org, event)
}

// checkPath refuses a path whose values are no ids: they name nothing here, and some, such as a NUL, a database cannot
// even be asked for. The number of a part, the path of a tile and the secret address of a calendar are for their handlers.
func checkPath(r *http.Request) error {
	for _, step := range strings.Split(r.Pattern, "/") {
		name, ok := strings.CutPrefix(step, "{")
		if name = strings.TrimSuffix(name, "}"); ok && name != "part" && name != "file" && name != "tile..." && !ward.IsID(r.PathValue(name)) {
			return ward.Errorf(ward.Missing, "there is no such thing here")
		}
	}
	return nil
}

// rewind gives the body to whoever reads it next.
func (a *asking) rewind() {
	if a.route.Do != nil {
		a.r.Body = io.NopCloser(bytes.NewReader(a.body))
	}
}

// counted is a failure of work that was undone already: it is put on record.
type counted struct{ error }

func (counted) Counts() bool { return true }

func (c counted) Unwrap() error { return c.error }

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
	case holdsNUL(body):
		return nil, ward.Errorf(ward.Invalid, "the request has a NUL in a text").WithHint("Nothing that Ward is sent has one. See docs/api.md.")
	}
	return body, nil
}

// holdsNUL tells whether a text in JSON has the character that PostgreSQL can neither keep nor compare with: its
// escape, that is, with a backslash which is not itself escaped.
func holdsNUL(body []byte) bool {
	escape := []byte(`\u0000`)
	for at := 0; ; at += len(escape) {
		next := bytes.Index(body[at:], escape)
		if next < 0 {
			return false
		}
		at += next
		before := len(body[:at]) - len(bytes.TrimRight(body[:at], `\`))
		if before%2 == 0 {
			return true
		}
	}
}

// aboutOf names a resource in the record.
func aboutOf(about policy.Resource) string {
	if about.ID == "" {
		return ""
	}
	return strings.ToLower(about.Type) + ":" + about.ID
}
