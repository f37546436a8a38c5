package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"ward"
)

// The secret key seals what the server itself must keep secret: it is not a key to any chart, and whoever has it and
// the database can at most pretend to be the server. It comes from a command (a KMS), from a file that was named, from
// systemd's credentials, or from secret.key in the data folder, which is made on first use.

const (
	secretKeySize  = 32 // AES-256
	credentialName = "ward-secret-key"
)

func secretKey(ctx context.Context, c *Config) ([]byte, error) {
	if c.SecretKeyCommand != "" {
		return keyFromCommand(ctx, c.SecretKeyCommand)
	}
	if c.SecretKeyFile != "" {
		return keyFromFile(c.SecretKeyFile)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if file := filepath.Join(dir, credentialName); !isMissing(file) {
			return keyFromFile(file)
		}
	}
	file := filepath.Join(c.Dir, "secret.key")
	if isMissing(file) {
		if err := newSecretKey(file); err != nil {
			return nil, err
		}
	}
	return keyFromFile(file)
}

func keyFromCommand(ctx context.Context, command string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "sh", "-c", command).Output()
	if err != nil {
		return nil, hinted(fmt.Errorf("secret-key-command: %w", err), "Run the command by hand as this user and see what it says.")
	}
	return parseKey("what secret-key-command prints", out)
}

func keyFromFile(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, hinted(fmt.Errorf("read the secret key: %w", err), "The file must be readable by this user, and by no other.")
	}
	return parseKey(file, text)
}

func parseKey(from string, text []byte) ([]byte, error) {
	key, err := ward.B64.DecodeString(strings.TrimRight(strings.TrimSpace(string(text)), "="))
	if err != nil || len(key) != secretKeySize {
		return nil, hinted(fmt.Errorf("%s is not a key", from), "A key is 32 random bytes in base64url: `head -c 32 /dev/urandom | basenc --base64url`.")
	}
	return key, nil
}

// newSecretKey writes a key that no power cut can lose once the server has used it.
func newSecretKey(file string) error {
	key := make([]byte, secretKeySize)
	rand.Read(key)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the secret key: %w", err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, ward.B64.EncodeToString(key)); err != nil {
		return fmt.Errorf("make the secret key: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("make the secret key: %w", err)
	}
	return f.Close()
}
