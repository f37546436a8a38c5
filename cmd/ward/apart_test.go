package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// divide serves pages and echoes of what goes to the relay, on one TLS port.
func divide(t *testing.T) (address string, trust *tls.Config) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // of a certificate
	defer lender.Close()
	pool := x509.NewCertPool()
	pool.AddCert(lender.Certificate())
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pages, relay := apart(tls.NewListener(inner, &tls.Config{Certificates: lender.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}}))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	ended := make(chan struct{}, 2)
	go func() { server.Serve(pages); ended <- struct{}{} }()
	go func() {
		defer func() { ended <- struct{}{} }()
		for {
			conn, err := relay.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	t.Cleanup(func() {
		pages.Close()
		for range 2 {
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("a part of the listener does not end")
			}
		}
	})
	return inner.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com"}
}

func TestOneTLSPortHasPagesAndTheRelay(t *testing.T) {
	address, trust := divide(t)
	// Someone who says nothing keeps nobody waiting.
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, version2 := range []bool{true, false} {
		transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: version2}
		answer, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[version2]; string(text) != want {
			t.Errorf("pages by %q, want %s", text, want)
		}
		transport.CloseIdleConnections()
	}
	for message, want := range map[string]string{
		"\x00\x01\x00\x08\x21\x12\xa4\x42": "\x00\x01\x00\x08\x21\x12\xa4\x42", // a STUN binding request comes back as it went
		"GET / HTTP/1.0\r\n\r\n":           "HTTP/1.0 200 OK",                  // a browser without ALPN
	} {
		conn, err := tls.Dial("tcp", address, trust)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(conn, message)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Errorf("%q is answered with %q, %v", message, got, err)
		}
		conn.Close()
	}
}

func TestWhoOnlyDawdlesKeepsNobodyElseOut(t *testing.T) {
	address, trust := divide(t)
	for range maxUndecidedEach + 50 {
		silent, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	from := func(ip string) error {
		dialer := &tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 2 * time.Second}, Config: trust}
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := from("127.0.0.1"); err == nil {
		t.Error("one address has as many handshakes going as it likes")
	}
	if err := from("127.0.0.2"); err != nil {
		t.Errorf("another address is kept out: %v", err)
	}
}
