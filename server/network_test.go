package server

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"ward"
)

func TestNetworks(t *testing.T) {
	for address, network := range map[string]string{
		"192.0.2.1:80":                "192.0.2.1",
		"192.0.2.1":                   "192.0.2.1",
		"[2001:db8:1:2::1]:80":        "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:1":    "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:80":        "2001:db8:1:3::/64",
		"[::ffff:192.0.2.1]:80":       "192.0.2.1",
		"[fe80::1%eth0]:80":           "fe80::/64",
		"[::ffff:192.0.2.1%eth0]:443": "192.0.2.1",
		"pipe":                        "pipe",
	} {
		if got := Network(address); got != network {
			t.Errorf("%s is of %q; want %q", address, got, network)
		}
	}
}

// Who is behind proxies is what the nearest known ones say; what a client writes itself is not believed.
func TestForwardedClients(t *testing.T) {
	known := proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ from, forwarded, client string }{
		{"203.0.113.1:5", "198.51.100.1", "203.0.113.1:5"}, // no proxy at all
		{"203.0.113.1:5", "", "203.0.113.1:5"},
		{"127.0.0.1:5", "", "127.0.0.1:5"},
		{"127.0.0.1:5", "198.51.100.1", "198.51.100.1:5"},
		{"127.0.0.1:5", "198.51.100.1, 10.0.0.9", "198.51.100.1:5"},
		{"127.0.0.1:5", "192.0.2.66, 198.51.100.1, 10.0.0.9", "198.51.100.1:5"}, // the first is the client's own lie
		{"127.0.0.1:5", "127.0.0.1, 198.51.100.1", "198.51.100.1:5"},
		{"127.0.0.1:5", "10.0.0.1, 10.0.0.2", "10.0.0.1:5"}, // a client beside the proxies
		{"127.0.0.1:5", "198.51.100.1, nonsense", "127.0.0.1:5"},
		{"127.0.0.1:5", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2:5"},
		{"127.0.0.1:5", "198.51.100.1,", "127.0.0.1:5"},
		{"127.0.0.1:5", "198.51.100.1:4711", "198.51.100.1:5"},
		{"[fd00::1]:5", "2001:db8::7", "[2001:db8::7]:5"},
		{"[fd00::1]:5", "[2001:db8::7]:4711", "[2001:db8::7]:5"},
		{"[::ffff:127.0.0.1]:5", "::ffff:198.51.100.1", "198.51.100.1:5"},
		{"pipe", "198.51.100.1", "pipe"},
	} {
		if got := known.client(c.from, strings.Split(c.forwarded, ";")); got != c.client {
			t.Errorf("from %s for %q: %s; want %s", c.from, c.forwarded, got, c.client)
		}
	}
	two := known.client("127.0.0.1:5", []string{"192.0.2.66", "198.51.100.1"}) // headers in their order
	if two != "198.51.100.1:5" {
		t.Errorf("of two headers: %s", two)
	}
}

func FuzzForwardedClients(f *testing.F) {
	f.Add("127.0.0.1:5", "198.51.100.1, 10.0.0.9")
	f.Add("[::1]:5", ",,[::]:1,%")
	f.Fuzz(func(t *testing.T, from, forwarded string) {
		known := proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
		client := known.client(from, []string{forwarded})
		if address, err := netip.ParseAddrPort(from); client != from && (err != nil || !known.include(address.Addr())) {
			t.Errorf("%q is no proxy and forwards %q", from, client)
		}
		Network(client)
	})
}

// A public clinic's server, of which only the door matters.
func publicDoor(t *testing.T, config Config) (*Server, *journal) {
	t.Helper()
	log := &journal{}
	config.Origin, config.Log = "https://clinic.example", log.logger()
	s, err := newServer(config, func(*Server) []Route { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

func (s *Server) askFrom(address, path string, header http.Header) int {
	r := httptest.NewRequest("POST", path, strings.NewReader("{}"))
	r.RemoteAddr = address
	for name, values := range header {
		r.Header[name] = values
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer.Code
}

// Whoever has an IPv6 network, or writes headers, has no more attempts than others.
func TestOneNetworkIsLimitedHoweverItsAddressesChange(t *testing.T) {
	const door = "/api/invitations/aaaaaaaaaaaaaaaaaaaaaaaaaa/open"
	proxied := Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	for name, c := range map[string]struct {
		config  Config
		address func() string
		header  func() http.Header
		limited bool
	}{
		"one address": {address: func() string { return "198.51.100.1:1" }, limited: true},
		"a host that changes its address within its /64": {address: func() string {
			return fmt.Sprintf("[2001:db8:1:2:%x:%x::1]:1", rand.Uint32()&0xffff, rand.Uint32()&0xffff)
		}, limited: true},
		"hosts of many networks": {address: func() string { return fmt.Sprintf("[2001:db8:%x:%x::1]:1", rand.Uint32()&0xffff, rand.Uint32()&0xffff) }},
		"an address that says it forwards": {
			address: func() string { return "198.51.100.1:1" },
			header: func() http.Header {
				return http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.%d.%d", rand.Uint32()&0xff, rand.Uint32()&0xff)}}
			},
			limited: true,
		},
		"one client of a known proxy, who writes headers too": {
			config: proxied, address: func() string { return "127.0.0.1:1" },
			header: func() http.Header {
				return http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.%d.%d, 198.51.100.1", rand.Uint32()&0xff, rand.Uint32()&0xff)}}
			},
			limited: true,
		},
		"many clients of a known proxy": {
			config: proxied, address: func() string { return "127.0.0.1:1" },
			header: func() http.Header {
				return http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.%d.%d", rand.Uint32()&0xff, rand.Uint32()&0xff)}}
			},
		},
		"clients of a proxy that Ward was not told of": {
			address: func() string { return "127.0.0.1:1" },
			header: func() http.Header {
				return http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.%d.%d", rand.Uint32()&0xff, rand.Uint32()&0xff)}}
			},
			limited: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := publicDoor(t, c.config)
			refused := 0
			for range 2 * doorBurst {
				var header http.Header
				if c.header != nil {
					header = c.header()
				}
				if s.askFrom(c.address(), door, header) == http.StatusTooManyRequests {
					refused++
				}
			}
			if (refused > doorBurst/2) != c.limited || !c.limited && refused > 0 {
				t.Errorf("%d of %d attempts were turned away", refused, 2*doorBurst)
			}
		})
	}
}

// What is remembered of networks has an end, and who was away longest is forgotten.
func TestLimitsForgetWhoWasAwayLongest(t *testing.T) {
	l := newLimits(3)
	for _, name := range []string{"a", "b", "c"} {
		l.of(name, 1, 1).requests.Allow()
	}
	l.of("a", 1, 1)
	for n := range 100 {
		l.of(fmt.Sprint("new ", n), 1, 1)
		l.of("a", 1, 1)
		if len(l.known) != l.recent.Len() || len(l.known) > 3 {
			t.Fatalf("%d are known and %d in order", len(l.known), l.recent.Len())
		}
	}
	if l.of("a", 1, 1).requests.Allow() {
		t.Error("who always asks was forgotten")
	}
	if !l.of("b", 1, 1).requests.Allow() {
		t.Error("who was away is remembered")
	}
}

// A proxy that Ward was not told of is said once; what anybody on the network can write makes no noise.
func TestAProxyThatWardWasNotToldOfIsSaid(t *testing.T) {
	forwarded := http.Header{"X-Forwarded-For": {"198.51.100.1"}}
	for name, c := range map[string]struct {
		config  Config
		address string
		path    string
		header  http.Header
		said    bool
	}{
		"this machine asks":                         {address: "127.0.0.1:1", path: "/api/clinic", said: true},
		"this machine asks whether it is ready":     {address: "127.0.0.1:1", path: "/api/ready"},
		"the same for somebody":                     {address: "127.0.0.1:1", path: "/api/ready", header: forwarded, said: true},
		"this machine looks at pages":               {address: "127.0.0.1:1", path: "/"},
		"a private network, for somebody":           {address: "10.1.2.3:1", path: "/api/clinic", header: forwarded, said: true},
		"a private network, by the newer header":    {address: "[fd00::1]:1", path: "/api/clinic", header: http.Header{"Forwarded": {"for=198.51.100.1"}}, said: true},
		"a private network, for itself":             {address: "10.1.2.3:1", path: "/api/clinic"},
		"the world, which says so":                  {address: "203.0.113.1:1", path: "/api/clinic", header: forwarded},
		"a proxy that is known":                     {Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, "127.0.0.1:1", "/api/clinic", forwarded, false},
		"a clinic behind a proxy that is not known": {Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "203.0.113.1:1", "/api/clinic", forwarded, false},
	} {
		s, log := publicDoor(t, c.config)
		for range 3 {
			s.askFrom(c.address, c.path, c.header)
		}
		if n := strings.Count(log.String(), "a proxy stands before Ward"); n > 1 || (n == 1) != c.said || s.stranger.seen.Load() != c.said {
			t.Errorf("%s: said %d times", name, n)
		}
	}
}

// Metrics are not on the clinic's address, where a proxy on this machine would show them to the world.
func TestMetricsHaveAnAddressOfTheirOwn(t *testing.T) {
	s, _ := publicDoor(t, Config{})
	for _, header := range []http.Header{nil, {"Authorization": {"Bearer secret"}}} {
		if status := s.askFrom("127.0.0.1:1", "/metrics", header); status != http.StatusNotFound {
			t.Errorf("on the clinic's address: %d", status)
		}
	}
	for _, c := range []struct {
		token, path, given string
		status             int
	}{
		{"", "/metrics", "", http.StatusOK},
		{"", "/", "", http.StatusNotFound},
		{"secret", "/metrics", "", http.StatusNotFound},
		{"secret", "/metrics", "Bearer secre", http.StatusNotFound},
		{"secret", "/metrics", "Bearer secret", http.StatusOK},
	} {
		r, answer := httptest.NewRequest("GET", c.path, nil), httptest.NewRecorder()
		r.Header.Set("Authorization", c.given)
		s.Metrics(ward.Secret(c.token)).ServeHTTP(answer, r)
		if answer.Code != c.status {
			t.Errorf("%s with %q: %d", c.path, c.given, answer.Code)
		}
	}
}
