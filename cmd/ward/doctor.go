package main

import (
	"context"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ward/store"
)

const doctorAbout = `Looks at settings, data folder, secret key, clock, disk, database, objects, TLS, mail and the running server, and
says what is wrong and what to do. Give it the same settings as ` + "`ward serve`" + `. It changes nothing, except that it brings
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
	{"crypto", checkCrypto},
	{"mail", checkMail},
	{"nats", checkNATS},
	{"server", checkServer},
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
	return ok("%s answers and is ready", c.Origin)
}
