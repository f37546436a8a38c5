package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"ward"
	"ward/seal/envelope"
)

const (
	// nonceStep is how often the server's nonce changes, and nonceSteps how many of them still count. So a proof that
	// was caught on the way is of use for at most five minutes, and only if it did not arrive.
	nonceStep  = time.Minute
	nonceSteps = 5
	// maxProof is the longest proof: a header and seven short claims are under 1 KB.
	maxProof = 4 << 10
)

// A proof is a DPoP proof (RFC 9449): a token of one request, signed by the browser's key.
type proof struct {
	key    string // the browser's, b64
	claims proofClaims
}

// proofHeader has all that a header may have: a private key (RFC 9449, section 4.3) and what a reader must understand
// (crit, RFC 7515, section 4.1.11) are refused with all other names.
type proofHeader struct {
	Type      string `json:"typ"`
	Algorithm string `json:"alg"`
	Key       struct {
		Type  string `json:"kty"`
		Curve string `json:"crv"`
		X     string `json:"x"`
	} `json:"jwk"`
}

type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Issued int64  `json:"iat"`
	Nonce  string `json:"nonce"`
	Token  string `json:"ath"` // b64 SHA-256 of the session token
}

// nonceError asks for a proof with the nonce that the answer carries.
type nonceError struct{ error }

// UseNonce marks the error for the challenge (RFC 9449, section 8).
func (nonceError) UseNonce() bool { return true }

func (e nonceError) Unwrap() error { return e.error }

// parseProof reads a proof and checks its own signature: compact JWS (RFC 7515), EdDSA (RFC 8037) and nothing else,
// so there is no algorithm to choose.
func parseProof(text string) (proof, error) {
	if len(text) > maxProof {
		return proof{}, badProof("it is too long")
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return proof{}, badProof("it is not a signed token of three parts")
	}
	var header proofHeader
	var p proof
	if err := decodePart(parts[0], &header); err != nil {
		return proof{}, badProof("its header is not the JSON of one, in base64url")
	}
	if err := decodePart(parts[1], &p.claims); err != nil {
		return proof{}, badProof("its claims are not the JSON of one, in base64url")
	}
	if header.Type != "dpop+jwt" || header.Algorithm != "EdDSA" || header.Key.Type != "OKP" || header.Key.Curve != "Ed25519" {
		return proof{}, badProof("it must be of type dpop+jwt, signed with EdDSA by an Ed25519 key")
	}
	key, err := ward.B64.DecodeString(header.Key.X)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return proof{}, badProof("its key is not 32 bytes of base64url")
	}
	signature, err := ward.B64.DecodeString(parts[2])
	if err != nil || !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		return proof{}, badProof("its signature does not match")
	}
	if id, err := ward.B64.DecodeString(p.claims.ID); err != nil || len(id) != 16 {
		return proof{}, badProof("its id is not 16 bytes of base64url")
	}
	p.key = header.Key.X
	return p, nil
}

func decodePart(part string, into any) error {
	text, err := ward.B64.DecodeString(part)
	if err != nil {
		return err
	}
	return ward.DecodeInto(text, into)
}

type proofKey struct{}

// readProof is the outcome of ReadProof.
type readProof struct {
	proof
	err error
}

// ReadProof reads a request's proof and checks its signature before there is a transaction that others wait for.
func (i *Identity) ReadProof(r *http.Request) *http.Request {
	p, err := proofOf(r)
	return r.WithContext(context.WithValue(r.Context(), proofKey{}, readProof{p, err}))
}

func proofOf(r *http.Request) (proof, error) {
	if read, ok := r.Context().Value(proofKey{}).(readProof); ok {
		return read.proof, read.err
	}
	given := r.Header.Values("DPoP")
	if len(given) != 1 {
		return proof{}, badProof("send one, in the DPoP header")
	}
	return parseProof(given[0])
}

// checkProof reads a request's proof and checks that it is for this request, now, and for this token. That it is not
// used twice is for spend.
func (i *Identity) checkProof(r *http.Request, token string) (proof, error) {
	p, err := proofOf(r)
	if err != nil {
		return proof{}, err
	}
	if err := p.isFor(r.Method, i.Origin+r.URL.EscapedPath(), token); err != nil {
		return proof{}, err
	}
	if !i.isNonce(p.claims.Nonce) {
		return proof{}, nonceError{&ward.Error{
			Kind: ward.Unauthenticated, Message: "this request's proof needs the server's current nonce",
			Hint: "Take DPoP-Nonce from this answer and send the request again.",
		}}
	}
	return p, nil
}

// isFor checks that a proof is for this method, address and token. When it was made is told by its nonce, which the
// server dates (RFC 9449, section 4.3): iat is by the clock of a phone, which may be days off.
func (p proof) isFor(method, url, token string) error {
	hash := ""
	if token != "" {
		hash = envelope.Hash([]byte(token))
	}
	switch {
	case p.claims.Method != method:
		return badProof("it is for another method")
	case p.claims.URL != url:
		return badProof("it is for another address")
	case !hmac.Equal([]byte(p.claims.Token), []byte(hash)):
		return badProof("it is for another session")
	}
	return nil
}

func badProof(why string) error {
	return ward.Errorf(ward.Unauthenticated, "this request's proof does not hold: %s", why).WithHint("Sign in again.")
}

// Nonce is what proofs must carry now: a time that only this server, or its replicas, can have signed.
func (i *Identity) Nonce() string { return i.nonceAt(i.Now().Unix() / int64(nonceStep.Seconds())) }

func (i *Identity) nonceAt(step int64) string {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(step))
	mac := hmac.New(sha256.New, i.nonceKey)
	mac.Write(at[:])
	return ward.B64.EncodeToString(append(at[:], mac.Sum(nil)[:16]...))
}

func (i *Identity) isNonce(nonce string) bool {
	now := i.Now().Unix() / int64(nonceStep.Seconds())
	for step := now - nonceSteps + 1; step <= now+1; step++ {
		if hmac.Equal([]byte(nonce), []byte(i.nonceAt(step))) {
			return true
		}
	}
	return false
}
