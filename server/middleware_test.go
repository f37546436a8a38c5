package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// WebAssembly runs in one worker, which can do nothing else: no script beside itself, no markup, no other origin.
func TestOnlyTheBackgroundScriptMayRunWebAssembly(t *testing.T) {
	served := headers("https://clinic.test", "", http.NotFoundHandler())
	policy := func(path string) string {
		answer := httptest.NewRecorder()
		served.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		return answer.Header().Get("Content-Security-Policy")
	}
	for _, path := range []string{
		"/", "/index.html", "/visits/1", "/frames.js", "/sw.js", "/assets/main.js", "/api/me",
		"/background.js/", "/background.js/x", "/x/background.js", "//background.js", "/Background.js", "/?/background.js", "/background%2ejs/",
	} {
		if p := policy(path); p != contentPolicy || strings.Contains(p, "eval") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: %s", path, p)
		}
	}
	own := policy("/background.js")
	sources := map[string]string{}
	for _, directive := range strings.Split(own, "; ") {
		name, value, _ := strings.Cut(directive, " ")
		sources[name] = value
	}
	want := map[string]string{
		"default-src": "'none'", "script-src": "'wasm-unsafe-eval'", "connect-src": "'self'", "form-action": "'none'", "frame-ancestors": "'none'",
		"base-uri": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
	}
	for name, value := range want {
		if sources[name] != value {
			t.Errorf("%s of the background script is %q, not %q", name, sources[name], value)
		}
	}
	if len(sources) != len(want) {
		t.Errorf("the background script may do more: %s", own)
	}
}

// The app connects to its own origin, and to an outside media server if the operator named one.
func TestTheAppMayConnectToTheMediaServerOnly(t *testing.T) {
	answer := httptest.NewRecorder()
	headers("https://clinic.test", "wss://media.test", http.NotFoundHandler()).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	want := "connect-src 'self' wss://media.test https://media.test;"
	if got := answer.Header().Get("Content-Security-Policy"); strings.Count(got, "connect-src") != 1 || !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
}
