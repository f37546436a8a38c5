package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// tlsConfig says how to answer on the network: with certificates from files, or got and renewed by ACME, or, on this
// machine only, without TLS (nil). Start begins what works in the background and returns what ends it.
func tlsConfig(c *Config, log *slog.Logger) (config *tls.Config, start func(context.Context) (stop func(), err error), err error) {
	none := func(context.Context) (func(), error) { return func() {}, nil }
	switch {
	case c.ACME != "":
		config, start = acme(c, log)
		return config, start, nil
	case c.TLSCert != "":
		pair := &certificateFiles{cert: c.TLSCert, key: c.TLSKey}
		if _, err := pair.get(nil); err != nil {
			return nil, nil, hinted(err, "tls-cert and tls-key must name PEM files that this user may read and that belong together.")
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}, none, nil
	}
	return nil, none, nil
}

// certificateFiles reads a certificate again once its file has changed, so that a renewal needs no restart.
type certificateFiles struct {
	cert, key string

	mu      sync.Mutex
	changed time.Time // of the file that is loaded
	pair    *tls.Certificate
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	about, err := os.Stat(f.cert)
	if err == nil && f.pair != nil && about.ModTime().Equal(f.changed) {
		return f.pair, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.pair, f.changed = &pair, about.ModTime()
			return f.pair, nil
		}
	}
	if f.pair != nil {
		return f.pair, nil // half a renewal: the old one serves until the new one is whole
	}
	return nil, fmt.Errorf("load the certificate: %w", err)
}

// acme gets certificates through the TLS port alone (the TLS-ALPN challenge), so port 80 stays closed. The account and
// the certificates are kept in the data folder.
func acme(c *Config, log *slog.Logger) (*tls.Config, func(context.Context) (func(), error)) {
	origin, err := url.Parse(c.Origin)
	if err != nil {
		panic(err) // complete has checked it
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           zap.NewNop(),
	})
	magic = certmagic.New(cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: filepath.Join(c.Dir, "acme")},
		Logger:  zap.NewNop(),
		OnEvent: func(ctx context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				log.InfoContext(ctx, "certificate obtained", slog.Any("for", data["identifier"]))
			case "cert_failed":
				log.ErrorContext(ctx, "certificate not obtained; will try again", slog.Any("for", data["identifier"]), slog.Any("error", data["error"]))
			}
			return nil
		},
	})
	authority := c.ACMEURL
	if authority == "" {
		authority = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA: authority, Email: c.ACME, Agreed: true, DisableHTTPChallenge: true, Logger: zap.NewNop(),
	})}
	config := magic.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = append([]string{"h2", "http/1.1"}, config.NextProtos...)
	start := func(ctx context.Context) (func(), error) {
		if err := magic.ManageAsync(ctx, []string{origin.Hostname()}); err != nil {
			cache.Stop()
			return nil, fmt.Errorf("get a certificate: %w", err)
		}
		return cache.Stop, nil
	}
	return config, start
}
