package seal

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"ward"
)

// A Proof is a DPoP proof (RFC 9449): that a request is by the holder of a key. Each is good once.
type Proof struct {
	ID     string // 16 random bytes, b64
	Method string
	URL    string // origin and path, no query
	Time   time.Time
	Nonce  string // the server's last; empty before there was one
	Token  string // the session's; empty before there is one
}

// NewProof makes a proof for one request.
func NewProof(method, url, nonce, token string, now time.Time) Proof {
	var id [16]byte
	rand.Read(id[:])
	return Proof{ward.B64.EncodeToString(id[:]), method, url, now, nonce, token}
}

type proofHeader struct {
	Type      string   `json:"typ"`
	Algorithm string   `json:"alg"`
	Key       proofKey `json:"jwk"`
}

type proofKey struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
}

type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Issued int64  `json:"iat"`
	Nonce  string `json:"nonce,omitempty"`
	Token  string `json:"ath,omitempty"`
}

// Sign makes the proof's text, for the DPoP header.
func (p Proof) Sign(key SigningKey) (string, error) {
	claims := proofClaims{ID: p.ID, Method: p.Method, URL: p.URL, Issued: p.Time.Unix(), Nonce: p.Nonce}
	if p.Token != "" {
		claims.Token = Hash([]byte(p.Token))
	}
	header, err := json.Marshal(proofHeader{"dpop+jwt", "EdDSA", proofKey{"OKP", "Ed25519", key.Public()}})
	if err != nil {
		return "", fmt.Errorf("write proof: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write proof: %w", err)
	}
	signed := ward.B64.EncodeToString(header) + "." + ward.B64.EncodeToString(body)
	signature, err := key.Sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("sign proof: %w", err)
	}
	return signed + "." + ward.B64.EncodeToString(signature), nil
}
