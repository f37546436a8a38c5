package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/store"
)

// Real servers of what Ward can be pointed at: Pebble, with which Let's Encrypt tests ACME clients, and Versity's S3
// gateway. They are programs of other modules (e2e/engines), built by `go run ./build test`, which names them here.
const (
	pebbleProgram = "WARD_TEST_PEBBLE"
	s3Program     = "WARD_TEST_S3"
)

// engineWithin is how long a real server may take for anything.
const engineWithin = time.Minute

// program is the path of a real server, or the test is skipped.
func program(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("%s names no program; `go run ./build test engines` builds one", variable)
	}
	return path
}

// start runs a program until the test ends, and gives what it writes to its standard error, line by line.
func start(t *testing.T, path string, env []string, args ...string) *bufio.Scanner {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, args...)
	command.Env = append(os.Environ(), env...)
	said, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return bufio.NewScanner(said)
}

// answers waits until someone listens at the address.
func answers(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(engineWithin); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("nobody listens at %s", address)
}

func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// `ward serve --acme` gets a certificate from a real ACME server, through its TLS port alone, and serves it.
func TestACertificateIsGotFromARealACMEServer(t *testing.T) {
	pebble, dir := program(t, pebbleProgram), t.TempDir()
	directory, management, clinic := freeAddress(t), freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(clinic)
	trusted := write(t, filepath.Join(dir, "pebble.pem"), nil)
	key := ownCertificate(t, trusted)
	config := write(t, filepath.Join(dir, "pebble.json"), fmt.Appendf(nil, `{"pebble": {"listenAddress": %q, "managementListenAddress": %q, "certificate": %q, "privateKey": %q,
		"httpPort": 1, "tlsPort": %s, "profiles": {"default": {"description": "any", "validityPeriod": 86400}}}}`, directory, management, trusted, key, port))
	start(t, pebble, []string{"PEBBLE_VA_NOSLEEP=1"}, "-config", config)
	answers(t, directory)

	lines := start(t, "ward", []string{"SSL_CERT_FILE=" + trusted}, "serve", "--dir", filepath.Join(dir, "data"), "--listen", clinic, "--origin", "https://"+clinic,
		"--acme", "clinic@clinic.example", "--acme-url", "https://"+directory+"/dir")
	for got := false; !got; {
		if !lines.Scan() {
			t.Fatal("ward ended without a certificate")
		}
		t.Log(lines.Text())
		got = strings.Contains(lines.Text(), "certificate obtained")
	}
	go io.Copy(io.Discard, reading{lines})

	own, roots := x509.NewCertPool(), x509.NewCertPool()
	own.AppendCertsFromPEM(read(t, trusted))
	roots.AppendCertsFromPEM(fetch(t, own, "https://"+management+"/roots/0"))
	if text := fetch(t, roots, "https://"+clinic+"/api/health"); !bytes.Contains(text, []byte("ok")) {
		t.Errorf("the clinic answered %s", text)
	}
}

// reading drains a scanner that someone has begun.
type reading struct{ *bufio.Scanner }

func (r reading) Read(b []byte) (int, error) {
	if !r.Scan() {
		return 0, io.EOF
	}
	return min(len(b), 1), nil
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fetch asks a server whose certificate must be signed by one of the roots.
func fetch(t *testing.T, roots *x509.CertPool, address string) []byte {
	t.Helper()
	browser := &http.Client{Timeout: engineWithin, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	answer, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, answer.Status, err)
	}
	return text
}

// ownCertificate writes a certificate for localhost that signs itself, and gives the file of its key.
func ownCertificate(t *testing.T, to string) (keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	return write(t, to+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// A folder keeps objects as the interface says.
func TestObjectsInAFolder(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keepObjects(t, db.Objects())
}

// A real S3 server does too, and the whole story can be told with it: files streamed in parts, read in ranges, erased.
func TestObjectsOnARealS3Server(t *testing.T) {
	gateway, dir, address := program(t, s3Program), t.TempDir(), freeAddress(t)
	bucket := filepath.Join(dir, "s3", "ward")
	if err := os.MkdirAll(bucket, 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, gateway, nil, "--port", address, "--access", "clinic", "--secret", "of the clinic", "--quiet", "posix", "--nometa", filepath.Dir(bucket))
	answers(t, address)
	config := store.Config{
		Dir: filepath.Join(dir, "data"), Objects: "s3://ward/large?endpoint=" + address + "&tls=off&region=us-east-1",
		S3Key: "clinic", S3Secret: "of the clinic",
	}
	db, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keepObjects(t, db.Objects())

	story := exec.CommandContext(t.Context(), "ward", "demo", "--once", "--objects", config.Objects)
	story.Env = append(os.Environ(), "WARD_S3_KEY="+string(config.S3Key), "WARD_S3_SECRET="+string(config.S3Secret))
	if out, err := story.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// keepObjects does with objects all that Ward does.
func keepObjects(t *testing.T, objects store.Objects) {
	t.Helper()
	ctx := t.Context()
	large := bytes.Repeat([]byte("0123456789abcdef"), ward.MaxPart/16)
	put := func(key string, content []byte) {
		t.Helper()
		if err := objects.Put(ctx, key, struct{ io.Reader }{bytes.NewReader(content)}, int64(len(content))); err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
	}
	get := func(key string, offset, length int64) ([]byte, error) {
		opened, err := objects.Open(ctx, key, offset, length)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(opened)
		return text, errors.Join(err, opened.Close())
	}
	list := func() (keys []string) {
		t.Helper()
		if err := objects.List(ctx, func(key string, size int64) error { keys = append(keys, fmt.Sprint(key, " ", size)); return nil }); err != nil {
			t.Fatal(err)
		}
		return keys
	}
	put("org/lock/upload/1", []byte("first"))
	put("org/lock/upload/1", large) // again, after a connection that broke
	put("org/lock/upload/2", []byte("second"))
	put("org/locks/upload/1", []byte("another's"))
	size := int64(len(large))
	for _, part := range []struct{ offset, length int64 }{{0, -1}, {0, 10}, {5, 3}, {size - 7, 7}, {size - 7, -1}, {100, 0}, {1 << 16, 1 << 16}} {
		want := large[part.offset:]
		if part.length >= 0 {
			want = want[:part.length]
		}
		if got, err := get("org/lock/upload/1", part.offset, part.length); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes from %d: got %d, %v", part.length, part.offset, len(got), err)
		}
	}
	if got, want := list(), []string{fmt.Sprint("org/lock/upload/1 ", size), "org/lock/upload/2 6", "org/locks/upload/1 9"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	if _, err := get("org/lock/upload/3", 0, -1); ward.KindOf(err) != ward.Missing {
		t.Errorf("what is not there: %v", err)
	}
	for _, key := range []string{"", "../org", "org//1", "Org", "org/lock/"} {
		if objects.Put(ctx, key, strings.NewReader("x"), 1) == nil || objects.Delete(ctx, key) == nil {
			t.Errorf("%q is taken for a key", key)
		}
	}
	if err := objects.Put(ctx, "org/lock/upload/4", strings.NewReader("cut"), 10); err == nil {
		t.Error("an object that was cut short is kept")
	}
	for range 2 { // again, as after a power cut
		if err := objects.Delete(ctx, "org/lock"); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); !slices.Equal(got, []string{"org/locks/upload/1 9"}) {
		t.Errorf("after erasing there are %q", got)
	}
}
