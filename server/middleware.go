package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"ward"
)

// watched gives each request an id, times and logs it, and keeps a panic from ending the program. Logs hold the
// route's pattern, never the path, a query or a body.
func (s *Server) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ward.NewID[string]()
		w.Header().Set("Request-Id", id)
		recorder := &statusRecorder{ResponseWriter: w}
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				// The value could hold what the request carried, so only its type and the stack are told.
				s.log.ErrorContext(r.Context(), "panic", slog.String("request", id), slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
				if recorder.status == 0 {
					s.answerError(recorder, r, ward.Errorf(ward.Internal, "panic while serving"), nil)
				}
			}
			s.metrics.served(r, recorder.status, time.Since(start))
			s.log.DebugContext(r.Context(), "request", slog.String("request", id), slog.String("route", r.Pattern),
				slog.Int("status", recorder.status), slog.Duration("took", time.Since(start)))
		}()
		next.ServeHTTP(recorder, r)
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusRecorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach deadlines and flushing.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// contentPolicy is what the app may do in a browser: run its own scripts and styles, talk to this origin, and
// nothing else. Script can reach the page's dangerous functions only through the one Trusted Types policy, ward.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; media-src blob:; " +
	"worker-src 'self'; manifest-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types ward"

// backgroundScript is the worker that puts a background behind someone in a visit, and backgroundPolicy is what it may do:
// run the small WebAssembly module inside it, and fetch its model here. Of all that the page may it can do only this,
// and the page may not run WebAssembly.
const (
	backgroundScript = "/background.js"
	backgroundPolicy = "default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
		"base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

// headers sets what every answer says. The app may connect to an outside media server, if there is one: by WebSocket, and
// by HTTP, with which it asks why that failed.
func headers(origin, media string, next http.Handler) http.Handler {
	https := strings.HasPrefix(origin, "https:")
	pages := contentPolicy
	if media != "" {
		pages = strings.Replace(pages, "connect-src 'self'", "connect-src 'self' "+media+" "+strings.Replace(media, "ws", "http", 1), 1)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyOf(r.URL.Path, pages))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), interest-cohort=()")
		if https {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		control := http.NewResponseController(w)
		now, whole := time.Now(), timeoutOf(r.URL.Path)
		control.SetReadDeadline(now.Add(whole))
		if r.ContentLength != 0 {
			control.SetReadDeadline(now.Add(bodyGrace)) // until someone reads the body
		}
		control.SetWriteDeadline(now.Add(whole))
		next.ServeHTTP(w, r)
	})
}

// timeoutOf is how long a request of a path may take, with its answer.
func timeoutOf(path string) time.Duration {
	if strings.Contains(path, "/uploads/") || strings.HasSuffix(path, "/sealed") {
		return partTimeout
	}
	return bodyTimeout
}

// policyOf is the content policy of a path: that of the app's pages, but for the one script that has a narrower one of its
// own.
func policyOf(path, pages string) string {
	if path == backgroundScript {
		return backgroundPolicy
	}
	return pages
}
