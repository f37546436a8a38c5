package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// A Route is one row of the table in routes.go. About loads what the request is about; without it, it is about the
// clinic. Exactly one of Do and Stream answers.
type Route struct {
	Pattern string // method and path, as http.ServeMux takes them
	Action  string // what policy decides; every route names one
	About   func(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error)

	// Touch says of which requests the caller must have touched a passkey lately (touchAge).
	Touch func(who ward.Caller, about policy.Resource, r *http.Request) bool
	// Proven says of a public route that its request must carry a proof: its key becomes the key of a session.
	Proven bool
	// Body is how many bytes of a body are read, if it is less than of who is signed in (ward.MaxBody) or not (smallBody).
	Body int64

	// Read does beforehand what needs neither the transaction nor the caller, such as checking signatures, and keeps it
	// in the request. What it finds wrong is for About and Do to tell, once the transaction says who asks.
	Read func(r *http.Request) *http.Request

	// Do answers in the same transaction as the decision. The body is in memory and is rewound if Do runs again.
	Do func(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error)

	// Stream reads or writes at the caller's pace, after the decision was made and recorded.
	Stream func(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error
}

// public is the action of routes that anyone may use.
const public = "public"

// guard knows who asks by the headers alone, and turns away whoever may not ask now. Then it reads and checks the body,
// decides, records the decision, and has the request answered.
func (s *Server) guard(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("DPoP-Nonce", s.identity.Nonce())
		w.Header().Set("Cache-Control", "no-store")
		r = pace(w, r)
		who, r, err := s.recognise(route, r)
		if err == nil {
			err = s.askedTooMuch(who, r)
		}
		if err != nil {
			s.metrics.decided(route, policy.Decision{}, err)
			s.turnAway(w, r, err)
			return
		}
		if route.Stream != nil {
			s.stream(route, w, r)
			return
		}
		if who.Person != "" {
			give, err := s.turns.take(r.Context(), who.Person)
			if err != nil {
				s.answerError(w, r, err, nil)
				return
			}
			defer give()
		}
		held := s.bodies.of(who, r)
		defer held.give()
		var body body
		if r.Method != http.MethodGet {
			if body, err = readBody(r, route.bodyLimit(), held); err != nil {
				s.turnAway(w, r, err)
				return
			}
		}
		s.answer(route, w, r, who, body)
	}
}

// recognise finds who asks, or asks for nothing that says so. No transaction waits for it, and the one that follows decides
// again: it also spends the proof.
func (s *Server) recognise(route Route, r *http.Request) (who ward.Caller, _ *http.Request, err error) {
	switch {
	case route.Action != public:
		r = s.identity.ReadProof(r)
		who, err = s.identity.Recognise(r.Context(), r)
	case route.Proven:
		r = s.identity.ReadProof(r)
		err = s.identity.CheckProof(r)
	}
	return who, r, err
}

// bodyLimit is how many bytes of a body are read.
func (r Route) bodyLimit() int64 {
	switch {
	case r.Body > 0:
		return r.Body
	case r.Action == public:
		return smallBody
	}
	return ward.MaxBody
}

// turnAway answers a request whose body is not wanted. Clients of HTTP/1 send it all the same, and some read no answer before
// they are done: it is read and thrown away, at the pace of every body.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	if ward.KindOf(err) == ward.TooMany {
		w.Header().Set("Retry-After", retryAfter)
	}
	if body, ok := r.Body.(*paced); ok {
		body.unwanted()
		if r.ProtoMajor == 1 && mayTryAgain(err) {
			io.CopyN(io.Discard, body, ward.MaxBody)
		}
	}
	s.answerError(w, r, err, nil)
}

// mayTryAgain tells whether the same request may be right in a moment.
func mayTryAgain(err error) bool {
	var nonce interface{ UseNonce() bool }
	return ward.KindOf(err) == ward.TooMany || errors.As(err, &nonce) && nonce.UseNonce()
}

// answer has a request whose body was read answered.
func (s *Server) answer(route Route, w http.ResponseWriter, r *http.Request, who ward.Caller, body body) {
	if route.Read != nil {
		r.Body = body.reader()
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
		if err := s.write(w, r, who, answer); err != nil {
			s.turnAway(w, r, err)
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
func (s *Server) decide(r *http.Request, route Route, body body,
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
	body    body
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
	case a.route.Touch != nil && a.needsTouch(about):
		a.answer = touchError{ward.Errorf(ward.Unauthenticated, "this needs your passkey again").WithHint("Confirm with your passkey that it is you.")}
		return nil // a question and no decision yet: the proof is spent, and the record waits for the answer
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

// needsTouch tells whether what is asked needs a touch, and the last one is too old.
func (a *asking) needsTouch(about policy.Resource) bool {
	if a.identity.Now().Sub(a.who.Touched) <= touchAge {
		return false
	}
	defer a.rewind()
	return a.route.Touch(a.who, about, a.r)
}

// always says of a route that each of its requests needs a touch.
func always(ward.Caller, policy.Resource, *http.Request) bool { return true }

// sharing tells whether a chart is given to another person, who does not have it. Renewals, which devices make by
// themselves, are none.
func sharing(who ward.Caller, about policy.Resource, _ *http.Request) bool {
	return slices.ContainsFunc(append([]policy.Resource{about}, about.Also...), func(one policy.Resource) bool {
		return one.Kind == envelope.LockChart && one.Grantee != "" && one.Grantee != who.Person && !one.Renewal
	})
}

// touchError asks for a touch (RFC 9470).
type touchError struct{ error }

// MaxAge is how old it may be.
func (touchError) MaxAge() time.Duration { return touchAge }

func (e touchError) Unwrap() error { return e.error }

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
		a.r.Body = a.body.reader()
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

// aboutOf names a resource in the record.
func aboutOf(about policy.Resource) string {
	if about.ID == "" {
		return ""
	}
	return strings.ToLower(about.Type) + ":" + about.ID
}
