package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	files := &certificateFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	if _, err := files.get(nil); err == nil {
		t.Fatal("a certificate came from nowhere")
	}
	writeCertificate(t, files, 1, start)
	if got := serial(t, files); got != 1 {
		t.Fatalf("got certificate %d, want the first", got)
	}
	writeCertificate(t, files, 2, start.Add(time.Hour))
	if got := serial(t, files); got != 2 {
		t.Fatalf("got certificate %d, want the renewed one", got)
	}

	// Half a renewal: the certificate's file is there, its key is not yet.
	if err := os.WriteFile(files.cert, []byte("-----BEGIN CERT"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(t, files); got != 2 {
		t.Fatalf("got certificate %d, want the last good one", got)
	}
}

func serial(t *testing.T, files *certificateFiles) int64 {
	t.Helper()
	pair, err := files.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf.SerialNumber.Int64()
}

func writeCertificate(t *testing.T, files *certificateFiles, serial int64, changed time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"clinic.example"}, NotAfter: changed.AddDate(1, 0, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		files.key:  {Type: "PRIVATE KEY", Bytes: private},
		files.cert: {Type: "CERTIFICATE", Bytes: cert},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(files.cert, changed, changed); err != nil {
		t.Fatal(err)
	}
}
