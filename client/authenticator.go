package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"ward"
)

// An Authenticator is a passkey provider in software: discoverable ES256 credentials, user verification, and the PRF
// extension (WebAuthn level 3), whose secret per credential answers to HMAC as CTAP's hmac-secret does. It stands for
// the phone or the security key of someone whom a program plays; real people's are in hardware.
type Authenticator struct {
	mu          sync.Mutex
	credentials []*credential
}

type credential struct {
	id     []byte
	rp     string
	user   []byte
	key    *ecdsa.PrivateKey
	random [32]byte // the PRF's secret
}

// NewAuthenticator makes one without passkeys.
func NewAuthenticator() *Authenticator { return &Authenticator{} }

// Flags of authenticator data (WebAuthn, section 6.1).
const (
	flagPresent  = 0x01
	flagVerified = 0x04
	flagAttested = 0x40
)

type creationOptions struct {
	Challenge string `json:"challenge"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Params []struct {
		Algorithm int `json:"alg"`
	} `json:"pubKeyCredParams"`
	Exclude []struct {
		ID string `json:"id"`
	} `json:"excludeCredentials"`
	Extensions prfExtension `json:"extensions"`
}

type requestOptions struct {
	Challenge string `json:"challenge"`
	RP        string `json:"rpId"`
	Allow     []struct {
		ID string `json:"id"`
	} `json:"allowCredentials"`
	Extensions prfExtension `json:"extensions"`
}

type prfExtension struct {
	PRF struct {
		Eval struct {
			First string `json:"first"`
		} `json:"eval"`
	} `json:"prf"`
}

// credentialResponse is RegistrationResponseJSON or AuthenticationResponseJSON, without the PRF's results.
type credentialResponse struct {
	ID         string         `json:"id"`
	RawID      string         `json:"rawId"`
	Type       string         `json:"type"`
	Attachment string         `json:"authenticatorAttachment"`
	Response   map[string]any `json:"response"`
	Results    map[string]any `json:"clientExtensionResults"`
}

// es256 is ECDSA on P-256 with SHA-256 (RFC 9053).
const es256 = -7

// Create makes a passkey as the options ask, for a page of origin. It gives the credential for the server and the
// 32 bytes of the PRF, which stay here.
func (a *Authenticator) Create(options json.RawMessage, origin string) (json.RawMessage, []byte, error) {
	var o creationOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, nil, fmt.Errorf("make passkey: %w", err)
	}
	if !slices.ContainsFunc(o.Params, func(p struct {
		Algorithm int `json:"alg"`
	},
	) bool {
		return p.Algorithm == es256
	}) {
		return nil, nil, errors.New("make passkey: the clinic does not take ES256")
	}
	user, err := ward.B64.DecodeString(o.User.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("make passkey: user id: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range o.Exclude {
		if slices.ContainsFunc(a.credentials, func(c *credential) bool { return ward.B64.EncodeToString(c.id) == e.ID }) {
			return nil, nil, errors.New("make passkey: this authenticator has one already")
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make passkey: %w", err)
	}
	made := &credential{id: make([]byte, 32), rp: o.RP.ID, user: user, key: key}
	rand.Read(made.id)
	rand.Read(made.random[:])
	prf, err := made.prf(o.Extensions)
	if err != nil {
		return nil, nil, err
	}
	data, err := made.attested()
	if err != nil {
		return nil, nil, fmt.Errorf("make passkey: %w", err)
	}
	client := clientData("webauthn.create", o.Challenge, origin)
	answer, err := json.Marshal(made.response(map[string]any{
		"clientDataJSON": ward.B64.EncodeToString(client), "attestationObject": ward.B64.EncodeToString(attestationNone(data)),
		"transports": []string{"internal"},
	}, map[string]any{"prf": map[string]any{"enabled": true}, "credProps": map[string]any{"rk": true}}))
	if err != nil {
		return nil, nil, fmt.Errorf("make passkey: %w", err)
	}
	a.credentials = append(a.credentials, made)
	return answer, prf, nil
}

// Get signs in with the newest passkey for the page's clinic, or the newest of those that it allows.
func (a *Authenticator) Get(options json.RawMessage, origin string) (json.RawMessage, []byte, error) {
	var o requestOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, nil, fmt.Errorf("use passkey: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range slices.Backward(a.credentials) {
		allowed := len(o.Allow) == 0
		for _, a := range o.Allow {
			allowed = allowed || a.ID == ward.B64.EncodeToString(c.id)
		}
		if c.rp != o.RP || !allowed {
			continue
		}
		var prf []byte
		if len(o.Allow) == 0 || o.Extensions.PRF.Eval.First != "" { // a touch opens nothing
			var err error
			if prf, err = c.prf(o.Extensions); err != nil {
				return nil, nil, err
			}
		}
		client, data := clientData("webauthn.get", o.Challenge, origin), c.data(flagPresent|flagVerified)
		clientHash := sha256.Sum256(client)
		digest := sha256.Sum256(append(slices.Clone(data), clientHash[:]...))
		signature, err := ecdsa.SignASN1(rand.Reader, c.key, digest[:])
		if err != nil {
			return nil, nil, fmt.Errorf("use passkey: %w", err)
		}
		answer, err := json.Marshal(c.response(map[string]any{
			"clientDataJSON": ward.B64.EncodeToString(client), "authenticatorData": ward.B64.EncodeToString(data),
			"signature": ward.B64.EncodeToString(signature), "userHandle": ward.B64.EncodeToString(c.user),
		}, map[string]any{}))
		return answer, prf, err
	}
	return nil, nil, errors.New("use passkey: there is none for this clinic")
}

// prf evaluates the credential's pseudo-random function as a browser does (WebAuthn, section 10.1.4).
func (c *credential) prf(extension prfExtension) ([]byte, error) {
	salt, err := ward.B64.DecodeString(extension.PRF.Eval.First)
	if err != nil || len(salt) == 0 {
		return nil, errors.New("the clinic does not ask for the passkey's secret function, which opens the keyring")
	}
	hashed := sha256.Sum256(append([]byte("WebAuthn PRF\x00"), salt...))
	mac := hmac.New(sha256.New, c.random[:])
	mac.Write(hashed[:])
	return mac.Sum(nil), nil
}

func (c *credential) response(response, results map[string]any) credentialResponse {
	id := ward.B64.EncodeToString(c.id)
	return credentialResponse{ID: id, RawID: id, Type: "public-key", Attachment: "platform", Response: response, Results: results}
}

// data is authenticator data: whose page, what the person did, and a counter that stays 0 as synced passkeys' does.
func (c *credential) data(flags byte) []byte {
	rp := sha256.Sum256([]byte(c.rp))
	return append(append(rp[:], flags), 0, 0, 0, 0)
}

// attested is authenticator data with the new credential: an all-zero model, its id, its public key in COSE.
func (c *credential) attested() ([]byte, error) {
	point, err := c.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	data := append(c.data(flagPresent|flagVerified|flagAttested), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(c.id)))
	data = append(data, c.id...)
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01) // map of 5: kty EC2, alg ES256, crv P-256
	data = append(append(data, 0x21, 0x58, 32), point[1:33]...)   // x
	return append(append(data, 0x22, 0x58, 32), point[33:]...), nil
}

// attestationNone is the CBOR map {fmt: "none", attStmt: {}, authData: …}.
func attestationNone(data []byte) []byte {
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(append(object, 0x67), "attStmt"...), 0xa0)
	object = append(append(object, 0x68), "authData"...)
	object = append(object, 0x58, byte(len(data))) // under 256 bytes: 37 + 16 + 2 + 32 + 77
	return append(object, data...)
}

func clientData(kind, challenge, origin string) []byte {
	data, err := json.Marshal(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}{kind, challenge, origin, false})
	if err != nil {
		panic("client data: " + err.Error()) // strings and a bool always marshal
	}
	return data
}
