package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ward"
	"ward/seal"
)

const (
	// maxAnswer is the longest JSON answer: a page of entries in base64, and more for statements around it.
	maxAnswer = 3 * ward.MaxBody
	// maxTries is how often a request is sent: once more for a fresh nonce, and again when the server asks to slow down.
	maxTries = 6
	// maxWait is how long the client waits at once when it is asked to slow down.
	maxWait = 10 * time.Second
)

// get asks for JSON.
func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, nil)
}

// call sends a body as JSON, unless it is nil, and reads the answer. Fields that are new to this client are let pass:
// a server may be newer.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return out, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	answer, err := c.send(ctx, method, path, "application/json", body, nil)
	if err != nil {
		return out, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&out); err != nil {
		return out, fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	return out, nil
}

// do is a call whose answer has no body.
func do(ctx context.Context, c *Client, method, path string, in any) error {
	_, err := call[json.RawMessage](ctx, c, method, path, in)
	return err
}

// send sends a request with a proof, again while the server asks for a newer nonce, for patience, or for a touch of the
// passkey (RFC 9470), which it gives. The answer is a success, and its body is the caller's to close.
func (c *Client) send(ctx context.Context, method, path, contentType string, body []byte, header http.Header) (*http.Response, error) {
	touched := false
	for try := 1; ; try++ {
		request, err := c.request(ctx, method, path, contentType, body, header)
		if err != nil {
			return nil, err
		}
		answer, err := c.http.Do(request)
		if err != nil {
			return nil, &ward.Error{Kind: ward.Unavailable, Message: "the clinic cannot be reached", Hint: "Check the connection and try again.", Err: err}
		}
		if nonce := answer.Header.Get("DPoP-Nonce"); nonce != "" {
			c.mu.Lock()
			c.nonce = nonce
			c.mu.Unlock()
		}
		if answer.StatusCode < 300 {
			return answer, nil
		}
		problem := readProblem(answer)
		answer.Body.Close()
		stale := strings.Contains(answer.Header.Get("WWW-Authenticate"), "use_dpop_nonce")
		if asksForTouch(answer) && !touched {
			if err := c.touch(ctx); err != nil {
				return nil, errors.Join(problem, err)
			}
			touched = true
			continue
		}
		busy := answer.StatusCode == http.StatusTooManyRequests
		if try == maxTries || !stale && !busy {
			return nil, problem
		}
		if busy {
			if err := pause(ctx, answer.Header.Get("Retry-After")); err != nil {
				return nil, errors.Join(problem, err)
			}
		}
	}
}

func asksForTouch(answer *http.Response) bool {
	return answer.StatusCode == http.StatusUnauthorized && strings.Contains(answer.Header.Get("WWW-Authenticate"), "insufficient_user_authentication")
}

// touch shows by the passkey that it is this person.
func (c *Client) touch(ctx context.Context) error {
	ceremony, err := call[ward.Ceremony](ctx, c, http.MethodPost, "/api/touch/options", object{})
	if err != nil {
		return err
	}
	credential, _, err := c.keys.Get(ceremony.PublicKey, c.origin)
	if err != nil {
		return err
	}
	return do(ctx, c, http.MethodPost, "/api/touch", ward.SignIn{Ceremony: ceremony.Ceremony, Credential: credential})
}

// Send sends any request as this person, and gives the answer whatever its status: for tools that look at the API
// itself. The body is JSON, or nil for none.
func (c *Client) Send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	for try := 1; ; try++ {
		request, err := c.request(ctx, method, path, "application/json", body, nil)
		if err != nil {
			return nil, err
		}
		answer, err := c.http.Do(request)
		if err != nil {
			return nil, err
		}
		if nonce := answer.Header.Get("DPoP-Nonce"); nonce != "" {
			c.mu.Lock()
			c.nonce = nonce
			c.mu.Unlock()
		}
		if try == maxTries || !strings.Contains(answer.Header.Get("WWW-Authenticate"), "use_dpop_nonce") {
			return answer, nil
		}
		answer.Body.Close()
	}
}

func (c *Client) request(ctx context.Context, method, path, contentType string, body []byte, header http.Header) (*http.Request, error) {
	address, err := url.Parse(c.origin + path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("User-Agent", "ward-client")
	c.mu.Lock()
	nonce, token := c.nonce, c.session.Token
	c.mu.Unlock()
	proof, err := seal.NewProof(method, c.origin+address.EscapedPath(), nonce, token, c.now()).Sign(c.browser)
	if err != nil {
		return nil, err
	}
	request.Header.Set("DPoP", proof)
	if token != "" {
		request.Header.Set("Authorization", "DPoP "+token)
	}
	return request, nil
}

// readProblem reads an answer that is not a success into a ward.Error.
func readProblem(answer *http.Response) error {
	var p ward.Problem
	err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&p)
	if err != nil || p.Error.Kind == "" {
		return &ward.Error{Kind: ward.Unavailable, Message: "the clinic answered with " + answer.Status, Hint: "Try again in a moment.", Err: err}
	}
	return &ward.Error{Kind: p.Error.Kind, Message: p.Error.Message, Hint: p.Error.Hint}
}

// pause waits as long as the server asks, within reason.
func pause(ctx context.Context, after string) error {
	wait := time.Second
	if n, err := strconv.Atoi(after); err == nil && n > 0 {
		wait = min(time.Duration(n)*time.Second, maxWait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// path joins the parts of a route, each escaped.
func path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/api")
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
