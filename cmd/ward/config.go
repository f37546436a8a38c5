package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"

	"ward"
	"ward/names"
	"ward/store"
)

// Config is everything an operator can set. A setting has one name: `smtp-server` in the file, WARD_SMTP_SERVER in the
// environment, --smtp-server as a flag. Flags outweigh the environment, which outweighs the file. Everything works when
// left out: that is a clinic on this machine only, in the folder ward-data.
type Config struct {
	Name    string
	Dir     string
	Listen  string
	Origin  string
	TLSCert string
	TLSKey  string
	ACME    string
	ACMEURL string

	SecretKeyFile    string
	SecretKeyCommand string

	Database string
	Objects  string
	S3Key    ward.Secret
	S3Secret ward.Secret
	NATS     []string

	MediaAddress string
	MediaUDP     int
	MediaTCP     int
	MediaTURN    int
	MediaURL     string
	MediaKey     string
	MediaSecret  ward.Secret

	LedgerListen  string
	LedgerAddress string
	LedgerKeys    string
	LedgerOff     bool

	SMTPServer   string
	SMTPUser     string
	SMTPPassword ward.Secret
	SMTPFrom     string

	Proxies       []string
	ProxyProtocol bool
	Metrics       string
	MetricsToken  ward.Secret

	LogLevel  string
	LogFormat string

	push *http.Client // to push services, for who proves what they are sent; nil: to public addresses
}

// flags binds the settings. Secrets are not flags: a command line shows in the list of processes.
func (c *Config) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("ward", pflag.ContinueOnError)
	f.StringVar(&c.Name, "name", "Ward clinic", "what the `clinic` is called, when it is founded")
	f.StringVar(&c.Dir, "dir", defaultDir(), "the `folder` of the clinic's data")
	f.StringVar(&c.Listen, "listen", "localhost:8080", "`address` to answer on; without TLS only on this machine")
	f.StringVar(&c.Origin, "origin", "", "the `URL` that people type to reach the clinic, as in https://clinic.example; by default http://localhost and the port. Passkeys are bound to it: do not change it later")
	f.StringVar(&c.TLSCert, "tls-cert", "", "`file` of the certificate chain; read again when it changes")
	f.StringVar(&c.TLSKey, "tls-key", "", "`file` of its key")
	f.StringVar(&c.ACME, "acme", "", "get certificates by ACME, with this `e-mail` for notices; needs port 443")
	f.StringVar(&c.ACMEURL, "acme-url", "", "`URL` of the ACME directory, if not Let's Encrypt")
	f.StringSliceVar(&c.Proxies, "trusted-proxies", nil, "`networks` of the proxies before Ward, as in 127.0.0.1/32,10.0.0.0/24: they are believed whom they forward (X-Forwarded-For), so that limits count by client")
	f.BoolVar(&c.ProxyProtocol, "proxy-protocol", false, "these proxies begin each connection with the PROXY protocol, version 2, instead")
	f.StringVar(&c.Metrics, "metrics", "", "`address` to show metrics on, as in 127.0.0.1:9090; by default none. Anywhere but on this machine it needs metrics-token")
	f.StringVar(&c.SecretKeyFile, "secret-key-file", "", "`file` of the key that seals what the server itself keeps secret; by default the systemd credential ward-secret-key, or secret.key in the folder, made on first use")
	f.StringVar(&c.SecretKeyCommand, "secret-key-command", "", "`command` that prints that key, 32 bytes in base64url, such as a call to a KMS")
	f.StringVar(&c.Database, "database", "", "`URL` of PostgreSQL, as in postgres://ward@db/ward; by default SQLite in the folder")
	f.StringVar(&c.Objects, "objects", "", "`URL` for large sealed files, as in s3://bucket/prefix?endpoint=…&region=…; by default the folder")
	f.StringSliceVar(&c.NATS, "nats", nil, "`servers` of a NATS cluster, when several Wards serve one database")
	f.StringVar(&c.MediaAddress, "media-address", "", "`IP` address that browsers reach the ports for visits at; by default only browsers on this machine")
	f.IntVar(&c.MediaUDP, "media-udp", 0, "UDP `port` for visits' sound and pictures; by default any free one, which a firewall does not know")
	f.IntVar(&c.MediaTCP, "media-tcp", 0, "TCP `port` for the same, where a network blocks UDP; by default none")
	f.IntVar(&c.MediaTURN, "media-turn", 0, "UDP `port` of the relay for people whose network lets little through; by default 3478 if media-address is set, and with TLS the port of the clinic's pages as well; -1: none")
	f.StringVar(&c.MediaURL, "media-url", "", "`URL` of an outside LiveKit, as in wss://livekit.example, instead of the one in Ward; with media-key and media-secret")
	f.StringVar(&c.MediaKey, "media-key", "", "`name` of the key of its API")
	f.StringVar(&c.LedgerListen, "ledger-listen", "", "`address` to answer other organisations' ledgers on, as in 0.0.0.0:26656; by default nobody's, as a Ward alone needs")
	f.StringVar(&c.LedgerAddress, "ledger-address", "", "`host:port` that they reach it at")
	f.StringVar(&c.LedgerKeys, "ledger-keys", "ed25519", "`kind` of the key that signs blocks, when it is made: ed25519, or mldsa65, which a quantum computer cannot forge and which makes receipts larger")
	f.BoolVar(&c.LedgerOff, "ledger-off", false, "run no ledger here, because another Ward that serves the same database does")
	f.StringVar(&c.SMTPServer, "smtp-server", "", "`host:port` to send invitations by; without it the inviter passes on the link")
	f.StringVar(&c.SMTPUser, "smtp-user", "", "`name` to log in there with")
	f.StringVar(&c.SMTPFrom, "smtp-from", "", "`address` that letters are from")
	f.StringVar(&c.LogLevel, "log-level", "info", "`level`: debug, info, warn or error")
	f.StringVar(&c.LogFormat, "log-format", "text", "`format`: text or json")
	return f
}

// secrets are the settings that only the file and the environment may hold.
func (c *Config) secrets() map[string]*ward.Secret {
	return map[string]*ward.Secret{
		"s3-key": &c.S3Key, "s3-secret": &c.S3Secret, "smtp-password": &c.SMTPPassword, "metrics-token": &c.MetricsToken,
		"media-secret": &c.MediaSecret,
	}
}

const configAbout = `Every flag is also a setting of the TOML file given by --config (or WARD_CONFIG), and a variable of the
environment: --smtp-server is smtp-server = "…" and WARD_SMTP_SERVER. Flags outweigh the environment, which outweighs
the file. Secrets are set there only: s3-key, s3-secret, smtp-password, media-secret, metrics-token
(which a collector must show as a bearer).`

// readConfig reads flags, environment and file; it returns the arguments that are left.
func readConfig(t terminal, c command, more func(*pflag.FlagSet), args []string) (Config, []string, error) {
	var config Config
	flags := config.flags()
	file := flags.String("config", os.Getenv("WARD_CONFIG"), "the `file` of settings, in TOML")
	if more != nil {
		more(flags)
	}
	c.about = strings.TrimSpace(c.about + "\n\n" + configAbout)
	if err := parse(t, c, flags, args); err != nil {
		return Config{}, nil, err
	}
	settings, err := readSettings(*file)
	if err != nil {
		return Config{}, nil, err
	}
	if err := config.apply(flags, settings); err != nil {
		return Config{}, nil, err
	}
	return config, flags.Args(), config.complete()
}

// readSettings reads a TOML file of plain values and lists, as text by name.
func readSettings(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, hinted(fmt.Errorf("read the settings: %w", err), "Give --config a file that this user may read.")
	}
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("read the settings in %s: %w", file, err)
	}
	settings := map[string]string{}
	for name, value := range tree {
		switch value := value.(type) {
		case string:
			settings[name] = value
		case bool, int64:
			settings[name] = fmt.Sprint(value)
		case []any:
			var items []string
			for _, item := range value {
				items = append(items, fmt.Sprint(item))
			}
			settings[name] = strings.Join(items, ",")
		default:
			return nil, fmt.Errorf("settings in %s: %s is not text, a number, true or false, or a list", file, name)
		}
	}
	return settings, nil
}

// apply fills what the command line left open from the environment, then from the file.
func (c *Config) apply(flags *pflag.FlagSet, settings map[string]string) (err error) {
	value := func(name string) (string, bool) {
		if v := os.Getenv("WARD_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))); v != "" {
			return v, true
		}
		v, ok := settings[name]
		return v, ok
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" {
			return
		}
		v, ok := value(f.Name)
		delete(settings, f.Name)
		if !ok || f.Changed {
			return
		}
		if e := flags.Set(f.Name, v); e != nil {
			err = errors.Join(err, fmt.Errorf("setting %s: %w", f.Name, e))
		}
	})
	for name, secret := range c.secrets() {
		v, _ := value(name)
		delete(settings, name)
		*secret = ward.Secret(v)
	}
	for name := range settings {
		err = errors.Join(err, hinted(fmt.Errorf("there is no setting %q", name), "`ward serve --help` lists them."))
	}
	return err
}

// complete derives what follows from other settings and refuses what cannot work.
func (c *Config) complete() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return hinted(fmt.Errorf("listen %q: %w", c.Listen, err), "Give a host and a port, as in localhost:8080 or :443.")
	}
	if c.Origin == "" && isLoopback(host) && !c.tls() {
		c.Origin = "http://localhost:" + port
	}
	origin, err := url.Parse(c.Origin)
	if err != nil || origin.Host == "" || origin.Path != "" || (origin.Scheme != "https" && origin.Scheme != "http") {
		return hinted(fmt.Errorf("origin %q is not an address of the form https://clinic.example", c.Origin),
			"Set origin to what people type into their browser, without a path.")
	}
	if origin.Scheme == "http" && origin.Hostname() != "localhost" && !isLoopback(origin.Hostname()) {
		return hinted(fmt.Errorf("origin %q is not https, and browsers allow passkeys only there", c.Origin),
			"Use https, with acme or tls-cert and tls-key, or with a proxy on this machine that does TLS.")
	}
	if !isLoopback(host) && !c.tls() {
		return hinted(fmt.Errorf("listen %q is open to the network without TLS", c.Listen),
			"Set acme, or tls-cert and tls-key, or listen on localhost behind a proxy that does TLS.")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return hinted(errors.New("tls-cert and tls-key go together"), "Set both or neither.")
	}
	if c.TLSCert != "" && c.ACME != "" {
		return hinted(errors.New("certificates are either files or got by ACME"), "Set acme, or tls-cert and tls-key.")
	}
	if shown := names.Shown(c.Name); strings.ContainsRune(shown, names.Unseen) {
		return hinted(fmt.Errorf("name %q has characters that cannot be seen, or that turn what stands beside it", c.Name), "Type it again: people read it wherever the clinic is named.")
	}
	if _, err := c.trusted(); err != nil {
		return err
	}
	if c.ProxyProtocol && len(c.Proxies) == 0 {
		return hinted(errors.New("proxy-protocol is for the proxies in trusted-proxies, and there are none"), "Set trusted-proxies to the networks they are in.")
	}
	if at, _, err := net.SplitHostPort(c.Metrics); c.Metrics != "" && (err != nil || !isLoopback(at) && c.MetricsToken == "") {
		return hinted(fmt.Errorf("metrics %q is not an address of this machine, as 127.0.0.1:9090 is", c.Metrics), "Set metrics-token to show them elsewhere.")
	}
	if (c.SMTPServer == "") != (c.SMTPFrom == "") {
		return hinted(errors.New("smtp-server and smtp-from go together"), "Set both or neither.")
	}
	if (c.MediaURL == "") != (c.MediaKey == "") || (c.MediaURL == "") != (c.MediaSecret == "") {
		return hinted(errors.New("media-url, media-key and media-secret go together"), "Set all of them, as in LiveKit's own settings, or none.")
	}
	if media, err := url.Parse(c.MediaURL); err != nil || c.MediaURL != "" && (media.Scheme != "wss" && media.Scheme != "ws" || c.MediaURL != media.Scheme+"://"+media.Host) {
		return hinted(fmt.Errorf("media-url %q is not an address of the form wss://livekit.example", c.MediaURL), "Give it without a path.")
	}
	if c.MediaURL != "" && c.MediaAddress != "" {
		return hinted(errors.New("media goes through media-url or through media-address"), "Set one of them.")
	}
	if c.LedgerKeys != "ed25519" && c.LedgerKeys != "mldsa65" {
		return hinted(fmt.Errorf("ledger-keys %q is unknown", c.LedgerKeys), "Use ed25519 or mldsa65.")
	}
	if c.LedgerAddress != "" && c.LedgerListen == "" {
		return hinted(errors.New("ledger-address is where others reach ledger-listen"), "Set ledger-listen too.")
	}
	if _, err := c.logLevel(); err != nil {
		return err
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return hinted(fmt.Errorf("log-format %q is unknown", c.LogFormat), "Use text or json.")
	}
	return nil
}

// trusted are the networks of known proxies.
func (c *Config) trusted() (all []netip.Prefix, err error) {
	for _, text := range c.Proxies {
		prefix, err := netip.ParsePrefix(text)
		if ip, e := netip.ParseAddr(text); e == nil {
			prefix, err = ip.Prefix(ip.BitLen())
		}
		if err != nil {
			return nil, hinted(fmt.Errorf("trusted-proxies: %q is no network", text), "Give addresses or networks, as in 127.0.0.1 or 10.0.0.0/24.")
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}

func (c *Config) tls() bool { return c.TLSCert != "" || c.ACME != "" }

// store says where the clinic's data is.
func (c *Config) store() store.Config {
	return store.Config{Database: c.Database, Dir: c.Dir, Objects: c.Objects, S3Key: c.S3Key, S3Secret: c.S3Secret}
}

func (c *Config) logLevel() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return level, hinted(fmt.Errorf("log-level %q is unknown", c.LogLevel), "Use debug, info, warn or error.")
	}
	return level, nil
}

// logger logs as configured. Logs hold ids, kinds, sizes and durations, never what a person wrote.
func (c *Config) logger(t terminal) *slog.Logger {
	level, _ := c.logLevel() // complete has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(t.err, options))
	}
	return slog.New(slog.NewTextHandler(t.err, options))
}

// exists refuses a folder without a clinic, so that a mistyped dir is not taken for an empty one.
func (c *Config) exists() error {
	if c.Database == "" && isMissing(filepath.Join(c.Dir, "ward.db")) {
		return hinted(fmt.Errorf("there is no clinic in %s", c.Dir), "Give the settings that `ward serve` has.")
	}
	return nil
}

// prepare makes the data folder, closed to other users.
func (c *Config) prepare() error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return hinted(fmt.Errorf("make the data folder: %w", err), "Set dir to a folder that this user may write to.")
	}
	return nil
}

// defaultDir is systemd's state folder for the service, else ward-data beside where the command runs.
func defaultDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	return "ward-data"
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// isMissing tells whether a file is not there.
func isMissing(path string) bool {
	_, err := os.Stat(filepath.Clean(path))
	return errors.Is(err, fs.ErrNotExist)
}
