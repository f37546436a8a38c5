package main

import (
	"context"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ward/store"
)

const doctorAbout = `Looks at settings, data folder, secret key, clock, disk, database, objects, TLS, mail, media, the running server and whether the
ledger recorded this release, and says what is wrong and what to do. Give it the same settings as ` + "`ward serve`" + `. It changes nothing, except that it brings
a database of an older Ward up to date, as ` + "`ward serve`" + ` would. It ends with an error if something must be mended.`

func doctorCommand() command {
	c := command{name: "doctor", line: "say what is wrong with this clinic's set-up, and what to do", about: doctorAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, _, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		failed := 0
		for _, check := range checks {
			for _, f := range check.look(ctx, &config) {
				fmt.Fprintf(t.out, "%-5s %-10s %s\n", f.state, check.name, f.what)
				if f.do != "" {
					fmt.Fprintf(t.out, "%-16s do: %s\n", "", f.do)
				}
				if f.state == bad {
					failed++
				}
			}
		}
		if failed > 0 {
			return fmt.Errorf("doctor: %d to mend", failed)
		}
		return nil
	}
	return c
}

// A finding is what a check saw, and for a fault the step that mends it.
type finding struct{ state, what, do string }

const (
	good    = "ok"
	warning = "warn" // works, and should be better
	bad     = "wrong"
)

type findings []finding

func ok(format string, args ...any) findings {
	return findings{{good, fmt.Sprintf(format, args...), ""}}
}

func wrong(do, format string, args ...any) findings {
	return findings{{bad, fmt.Sprintf(format, args...), do}}
}

func warn(do, format string, args ...any) findings {
	return findings{{warning, fmt.Sprintf(format, args...), do}}
}

var checks = []struct {
	name string
	look func(context.Context, *Config) findings
}{
	{"settings", checkSettings},
	{"folder", checkFolder},
	{"secret key", checkSecretKey},
	{"clock", checkClock},
	{"disk", checkDisk},
	{"database", checkDatabase},
	{"tls", checkTLS},
	{"proxy", checkProxy},
	{"crypto", checkCrypto},
	{"mail", checkMail},
	{"nats", checkNATS},
	{"visits", checkVisits},
	{"server", checkServer},
	{"release", checkRelease},
}

func checkSettings(_ context.Context, c *Config) findings {
	return ok("%s on %s, known as %s", c.Name, c.Listen, c.Origin)
}

func checkFolder(_ context.Context, c *Config) findings {
	about, err := os.Stat(c.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return warn("nothing, if the clinic is new; else set dir", "%s is not there yet; `ward serve` makes it", c.Dir)
	}
	if err != nil {
		return wrong("run as the user that serves the clinic", "%v", err)
	}
	if open := about.Mode().Perm() & 0o077; open != 0 {
		return wrong("chmod 700 "+c.Dir, "%s is open to other users (%v)", c.Dir, about.Mode().Perm())
	}
	probe, err := os.CreateTemp(c.Dir, ".doctor-*")
	if err != nil {
		return wrong("chown the folder to the user that serves the clinic", "cannot write to %s: %v", c.Dir, err)
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return wrong("look at the disk", "cannot write to %s: %v", c.Dir, err)
	}
	return ok("%s is closed to other users, and can be written to", c.Dir)
}

func checkSecretKey(ctx context.Context, c *Config) findings {
	own := filepath.Join(c.Dir, "secret.key")
	if c.SecretKeyCommand == "" && c.SecretKeyFile == "" && os.Getenv("CREDENTIALS_DIRECTORY") == "" && isMissing(own) {
		return ok("`ward serve` makes one on first use")
	}
	if _, err := secretKey(ctx, c); err != nil {
		return wrong("mend secret-key-file or secret-key-command; without this key everyone must sign in again", "%v", err)
	}
	for _, file := range []string{c.SecretKeyFile, own} {
		about, err := os.Stat(file)
		if err == nil && about.Mode().Perm()&0o077 != 0 {
			return wrong("chmod 600 "+file, "%s is open to other users", file)
		}
	}
	if c.SecretKeyCommand == "" && c.SecretKeyFile == "" && !isMissing(own) {
		return findings{{good, "in the data folder: a copy of the folder holds it too", ""}}
	}
	return ok("there, and not in the data folder")
}

func checkDatabase(ctx context.Context, c *Config) findings {
	if c.Database == "" && isMissing(filepath.Join(c.Dir, "ward.db")) {
		return ok("SQLite; `ward serve` makes it on first use")
	}
	db, err := store.Open(ctx, c.store())
	if err != nil {
		return wrong("see that the database runs and that its address, user and password are right", "%v", err)
	}
	defer db.Close()
	if err := db.Ping(ctx); err != nil {
		return wrong("see that the database runs and that this machine may reach it", "%v", err)
	}
	return ok("%s answers and is up to date", db.Engine())
}

// expirySoon is when a certificate from a file should have been renewed: ACME clients renew a month before.
const expirySoon = 14 * 24 * time.Hour

func checkTLS(_ context.Context, c *Config) findings {
	switch {
	case c.ACME != "":
		if _, port, _ := net.SplitHostPort(c.Listen); port != "443" {
			return warn("forward port 443 of the network to it", "ACME asks on port 443, and Ward listens on %s", port)
		}
		return ok("by ACME for %s", c.Origin)
	case c.TLSCert == "" && strings.HasPrefix(c.Origin, "https://"):
		return ok("left to the proxy in front of %s", c.Listen)
	case c.TLSCert == "":
		return ok("none: only this machine can reach the clinic")
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return wrong("tls-cert and tls-key must be PEM files that belong together", "%v", err)
	}
	leaf := pair.Leaf
	origin, err := url.Parse(c.Origin)
	if err != nil {
		return wrong("set origin", "%v", err)
	}
	if err := leaf.VerifyHostname(origin.Hostname()); err != nil {
		return wrong("get a certificate for "+origin.Hostname(), "%v", err)
	}
	left := time.Until(leaf.NotAfter)
	if left < expirySoon {
		return wrong("renew it; Ward reads the file again by itself", "the certificate ends on %s", leaf.NotAfter.Format(time.DateOnly))
	}
	others := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if cert, err := x509.ParseCertificate(der); err == nil {
			others.AddCert(cert)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Intermediates: others}); err != nil {
		return warn("put the whole chain into tls-cert, or make the authority known to every browser", "this machine does not trust the certificate: %v", err)
	}
	return ok("certificate for %s until %s", origin.Hostname(), leaf.NotAfter.Format(time.DateOnly))
}

// proxyUntold is what to do about a proxy that Ward does not know of.
const proxyUntold = "set trusted-proxies to its address; until then limits count everybody as one, and one of them can use up what is for all"

// checkProxy looks whether Ward can tell its clients apart. What the running server noticed, checkServer says.
func checkProxy(_ context.Context, c *Config) findings {
	host, _, _ := net.SplitHostPort(c.Listen)
	origin, err := url.Parse(c.Origin)
	switch {
	case err != nil:
		return wrong("set origin", "%v", err)
	case c.ProxyProtocol:
		return ok("in %s, which name their clients by the PROXY protocol", strings.Join(c.Proxies, ", "))
	case len(c.Proxies) > 0:
		return ok("in %s, which name their clients in X-Forwarded-For", strings.Join(c.Proxies, ", "))
	case isLoopback(host) && !isLoopback(origin.Hostname()):
		return warn(proxyUntold, "a proxy stands before Ward that it was not told of: only this machine reaches %s, and %s is for the world", c.Listen, c.Origin)
	}
	return ok("none, as far as the settings say")
}

func checkCrypto(context.Context, *Config) findings {
	if fips140.Enabled() {
		return ok("TLS runs on Go's FIPS 140-3 module; charts are sealed with age, which is not FIPS-approved")
	}
	return ok("Go's own; for US safe harbour build with GOFIPS140 and encrypt the disk with AES (THREATS.md)")
}

// dialTimeout is how long doctor waits for another machine.
const dialTimeout = 5 * time.Second

func checkMail(_ context.Context, c *Config) findings {
	if c.SMTPServer == "" {
		return ok("none: who invites passes on the link")
	}
	host, _, err := net.SplitHostPort(c.SMTPServer)
	if err != nil {
		return wrong("set smtp-server to host:port", "%v", err)
	}
	conn, err := net.DialTimeout("tcp", c.SMTPServer, dialTimeout)
	if err != nil {
		return wrong("see that the mail server runs and that this machine may reach it", "%v", err)
	}
	conn.SetDeadline(time.Now().Add(dialTimeout))
	if strings.HasSuffix(c.SMTPServer, ":465") {
		conn = tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return wrong("see that smtp-server speaks SMTP there", "%v", err)
	}
	defer client.Close()
	if _, secure := conn.(*tls.Conn); secure {
		return ok("%s answers over TLS", c.SMTPServer)
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return wrong("use a mail server with TLS: letters hold links that open an account", "%s offers no STARTTLS", c.SMTPServer)
	}
	if err := client.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
		return wrong("mend the certificate of the mail server", "%v", err)
	}
	return ok("%s answers and offers STARTTLS", c.SMTPServer)
}

func checkNATS(_ context.Context, c *Config) (all findings) {
	if len(c.NATS) == 0 {
		return ok("embedded: one Ward serves this clinic")
	}
	for _, server := range c.NATS {
		address := server
		if u, err := url.Parse(server); err == nil && u.Host != "" {
			address = u.Host
		}
		conn, err := net.DialTimeout("tcp", address, dialTimeout)
		if err != nil {
			all = append(all, wrong("see that NATS runs there", "%v", err)...)
			continue
		}
		conn.Close()
		all = append(all, ok("%s answers", address)...)
	}
	return all
}

// checkVisits looks at the ways of sound and picture. Ports that are taken are taken by Ward itself if it runs.
func checkVisits(ctx context.Context, c *Config) (all findings) {
	m := c.media()
	if m.URL != "" {
		return checkOutsideMedia(ctx, m.URL)
	}
	origin, err := url.Parse(c.Origin)
	if err != nil {
		return wrong("set origin", "%v", err)
	}
	switch ip := net.ParseIP(m.Address); {
	case m.Address == "" && isLoopback(origin.Hostname()):
		return ok("between browsers on this machine only")
	case m.Address == "":
		return wrong("set media-address to the IP address that browsers reach this machine at, and media-udp to a port that the firewall lets through",
			"nobody outside this machine can see or hear anyone")
	case ip == nil:
		return wrong("give an IP address, not a name", "media-address %q is not an IP address", m.Address)
	case ip.IsUnspecified() || ip.IsMulticast():
		return wrong("give the address that browsers reach this machine at", "media-address %s is no machine's", m.Address)
	case ip.IsPrivate():
		all = warn("give the outer address, unless everyone is on this network", "media-address %s is reachable on its own network alone", m.Address)
	}
	if m.UDPPort == 0 {
		all = append(all, warn("set media-udp, and open it in the firewall", "media goes to another UDP port after each start")...)
	}
	for _, p := range []struct {
		name, network string
		port          int
	}{{"media-udp", "udp", m.UDPPort}, {"media-turn", "udp", m.RelayPort}, {"media-tcp", "tcp", m.TCPPort}} {
		if p.port == 0 {
			continue
		}
		if free(p.network, p.port) {
			all = append(all, ok("%s, %s port %d, is free; open it in the firewall", p.name, strings.ToUpper(p.network), p.port)...)
		} else {
			all = append(all, warn("none, if Ward runs; else choose another", "%s, %s port %d, is in use", p.name, strings.ToUpper(p.network), p.port)...)
		}
	}
	switch {
	case m.RelayPort == 0:
		all = append(all, warn("leave media-turn out", "no relay: people behind strict firewalls will not connect")...)
	case m.RelayTLS == "":
		all = append(all, warn("let Ward do TLS itself (acme, or tls-cert and tls-key)", "the relay is not on the pages' port: networks that let nothing else through are shut out")...)
	default:
		all = append(all, ok("relay over TLS at %s", m.RelayTLS)...)
	}
	return all
}

// free tells whether a port can be listened on.
func free(network string, port int) bool {
	address := net.JoinHostPort("", strconv.Itoa(port))
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func checkOutsideMedia(ctx context.Context, address string) findings {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Replace(address, "ws", "http", 1), nil)
	if err != nil {
		return wrong("set media-url", "%v", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return wrong("see that LiveKit runs there", "no answer at %s: %v", address, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	return ok("%s answers; people behind strict networks need its own turn", address)
}

// maxReady is how much is read of a server's word that it is ready, which is a line.
const maxReady = 4 << 10

func checkServer(ctx context.Context, c *Config) findings {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Origin+"/api/ready", nil)
	if err != nil {
		return wrong("set origin", "%v", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return warn("start it with `ward serve`; if it runs, look at name service, firewall and proxy", "no answer at %s: %v", c.Origin, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return wrong("look at its log", "%s answers that it is not ready (%s)", c.Origin, answer.Status)
	}
	var ready struct {
		Proxy string `json:"proxy"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxReady)).Decode(&ready); err != nil {
		return wrong("see what answers there", "%s does not answer as Ward does: %v", c.Origin, err)
	}
	if ready.Proxy == "unknown" {
		return warn(proxyUntold, "%s answers and is ready, and saw a proxy before it that it was not told of", c.Origin)
	}
	return ok("%s answers and is ready", c.Origin)
}
