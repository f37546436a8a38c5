package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTheSecretKeyIsMadeOnceAndKept(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	c := &Config{Dir: t.TempDir()}
	first, err := secretKey(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != secretKeySize || bytes.Equal(first, make([]byte, secretKeySize)) {
		t.Fatalf("got %x, want %d random bytes", first, secretKeySize)
	}
	again, err := secretKey(t.Context(), c)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second time: %x, %v; want %x", again, err, first)
	}
	about, err := os.Stat(filepath.Join(c.Dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	if about.Mode().Perm() != 0o600 {
		t.Errorf("secret.key is %v", about.Mode())
	}
}

func TestACredentialOfSystemdOutweighsTheDataFolder(t *testing.T) {
	credentials := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	c := &Config{Dir: t.TempDir()}
	want := bytes.Repeat([]byte{7}, secretKeySize)
	text := []byte("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n") // as basenc --base64url writes it
	if err := os.WriteFile(filepath.Join(credentials, credentialName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := secretKey(t.Context(), c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v; want %x", got, err, want)
	}
	if !isMissing(filepath.Join(c.Dir, "secret.key")) {
		t.Error("a key was made that nobody asked for")
	}
}
