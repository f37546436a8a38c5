package client

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"

	"ward"
)

// PushKey is what a browser opens web push with: an ECDH key on P-256, and a secret that it shares with who writes to it.
type PushKey struct {
	Key  *ecdh.PrivateKey
	Auth []byte // 16 bytes
}

// NewPushKey makes one.
func NewPushKey() (PushKey, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	auth := make([]byte, 16)
	rand.Read(auth)
	return PushKey{key, auth}, err
}

// At is the subscription that a browser gives of itself, whose push service has an endpoint.
func (k PushKey) At(endpoint string) ward.PushSubscription {
	return ward.PushSubscription{Endpoint: endpoint, P256DH: ward.B64.EncodeToString(k.Key.PublicKey().Bytes()), Auth: ward.B64.EncodeToString(k.Auth)}
}

// Open opens a message (RFC 8291; its one record as in RFC 8188).
func (k PushKey) Open(body []byte) ([]byte, error) {
	const header = 16 + 4 + 1 + 65 // salt, record size, length of the key, the sender's key
	if len(body) <= header || body[20] != 65 || uint64(len(body)-header) > uint64(binary.BigEndian.Uint32(body[16:])) {
		return nil, errors.New("this is no push message of one record")
	}
	salt, theirs := body[:16], body[21:header]
	sender, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, err
	}
	shared, err := k.Key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	input, err := hkdf.Key(sha256.New, shared, k.Auth, "WebPush: info\x00"+string(k.Key.PublicKey().Bytes())+string(theirs), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := aead.Open(nil, nonce, body[header:], nil)
	if err != nil {
		return nil, err
	}
	message, last := bytes.CutSuffix(bytes.TrimRight(padded, "\x00"), []byte{2})
	if !last {
		return nil, errors.New("the message is not whole")
	}
	return message, nil
}

// SetReminders says how the person wants to be told of visits.
func (c *Client) SetReminders(ctx context.Context, r ward.Reminders) error {
	return do(ctx, c, http.MethodPut, "/api/reminders", r)
}

// RemindHere has the person told by web push.
func (c *Client) RemindHere(ctx context.Context, s ward.PushSubscription) error {
	return do(ctx, c, http.MethodPut, "/api/reminders/push", s)
}
