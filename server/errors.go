package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"ward"
)

// statuses is the one place where a kind of error becomes an HTTP status.
var statuses = map[ward.Kind]int{
	ward.Invalid:         http.StatusBadRequest,
	ward.Unauthenticated: http.StatusUnauthorized,
	ward.Refused:         http.StatusForbidden,
	ward.Missing:         http.StatusNotFound,
	ward.Conflict:        http.StatusConflict,
	ward.Gone:            http.StatusGone,
	ward.TooLarge:        http.StatusRequestEntityTooLarge,
	ward.TooMany:         http.StatusTooManyRequests,
	ward.Unavailable:     http.StatusServiceUnavailable,
	ward.Internal:        http.StatusInternalServerError,
}

// answerError tells the caller what went wrong: its kind, a sentence and a next step. What is for the log only, or
// not known to be safe, stays here.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error, policies []string) {
	kind := ward.KindOf(err)
	var problem ward.Problem
	problem.Error.Kind, problem.Error.Policies = kind, policies
	var known *ward.Error
	if errors.As(err, &known) {
		problem.Error.Message, problem.Error.Hint = known.Message, known.Hint
	}
	switch {
	case kind == ward.Internal:
		s.log.ErrorContext(r.Context(), "request failed", slog.String("route", r.Pattern), slog.String("error", err.Error()))
		problem.Error.Message = "something went wrong on our side"
		problem.Error.Hint = "Try again; if it stays, tell the clinic the request's id, " + w.Header().Get("Request-Id") + "."
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		problem.Error.Message, problem.Error.Hint = "the request took too long", "Try again."
	}
	status := statuses[kind]
	if kind == ward.Unauthenticated && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", challenge(err))
	}
	answerJSON(w, status, problem)
}

// challenge says what kind of proof is missing (RFC 9449, sections 7.1 and 9), or that a touch is (RFC 9470).
func challenge(err error) string {
	var nonce interface{ UseNonce() bool }
	if errors.As(err, &nonce) && nonce.UseNonce() {
		return `DPoP error="use_dpop_nonce", algs="EdDSA"`
	}
	var touch interface{ MaxAge() time.Duration }
	if errors.As(err, &touch) {
		return fmt.Sprintf(`DPoP error="insufficient_user_authentication", max_age=%d`, int(touch.MaxAge().Seconds()))
	}
	return `DPoP error="invalid_token", algs="EdDSA"`
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a caller who has gone cannot be told
}
