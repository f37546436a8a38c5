package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Sealer seals what the server itself must keep secret (the keys of nonces, its halves of session keys) under a key
// that is not in the database: AES-256-GCM with a random nonce and the thing's name as additional data, so that
// nothing can be put in the place of another. It protects against who has the database without the key, not against
// who has both. Nothing sealed this way opens a chart.
type Sealer struct{ aead cipher.AEAD }

// NewSealer takes a key of 32 bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("the server's secret key has %d bytes; it must have 32", len(key))
	}
	derived := sha256.Sum256(append([]byte("ward/server-secrets/1\n"), key...))
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead}, nil
}

// Seal seals a secret under its name.
func (s *Sealer) Seal(name string, secret []byte) []byte {
	return s.aead.Seal(nil, nil, secret, []byte(name))
}

// Open opens what Seal sealed under the same name.
func (s *Sealer) Open(name string, sealed []byte) ([]byte, error) {
	secret, err := s.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil, errors.New("a secret of the server does not open: is this the key it was sealed with?")
	}
	return secret, nil
}

// Secret gives the server's secret of this name, 32 bytes, and makes it the first time.
func (db *DB) Secret(ctx context.Context, s *Sealer, name string) ([]byte, error) {
	var sealed []byte
	err := db.Do(ctx, func(ctx context.Context, tx *Tx) error {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		if _, err := tx.Exec(ctx, `INSERT INTO server_secrets (name, sealed, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			name, s.Seal(name, fresh), time.Now().UnixMilli()); err != nil {
			return err
		}
		return tx.Row(ctx, `SELECT sealed FROM server_secrets WHERE name = $1`, name).Scan(&sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("read the server's secret %s: %w", name, err)
	}
	return s.Open(name, sealed)
}
