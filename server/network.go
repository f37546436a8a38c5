package server

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
)

// Whose a request is, on the network. A connection's other end is its client, unless it is one of the proxies that Ward
// was told of: these say in X-Forwarded-For (or by the PROXY protocol, listen.go) whom they forward. Nobody else is believed.

// ipv6Customer is the network that a provider gives one customer, whose own devices choose the rest of an address.
const ipv6Customer = 64

// Network is the network of an address with a port: what limits count by.
func Network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host // a pipe in a test, a socket of the system
	}
	ip = ip.WithZone("").Unmap()
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(ipv6Customer) // fails for no IPv6 address
	return prefix.String()
}

// proxies are the machines that may stand before Ward.
type proxies []netip.Prefix

func (p proxies) include(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	for _, prefix := range p {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// client finds who is behind proxies: X-Forwarded-For from the right, where the nearest proxy wrote, past each that is
// known. What is left of there anybody may have written. An address that cannot be read ends it: the last known proxy answers for it.
func (p proxies) client(from string, forwarded []string) string {
	host, port, err := net.SplitHostPort(from)
	if err != nil {
		return from
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !p.include(ip) {
		return from
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for n := len(hops) - 1; n >= 0 && p.include(ip); n-- {
		next, err := hopOf(strings.TrimSpace(hops[n]))
		if err != nil {
			break
		}
		ip = next.WithZone("").Unmap()
	}
	return net.JoinHostPort(ip.String(), port)
}

// hopOf reads an address; some proxies write the port too.
func hopOf(text string) (netip.Addr, error) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr(), nil
	}
	return netip.ParseAddr(text)
}

// located puts the client's address in the place of the last proxy's, and notices a proxy that Ward was not told of.
func (s *Server) located(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.proxies == nil && s.stranger.notice(r) {
			s.log.WarnContext(r.Context(), "a proxy stands before Ward that it was not told of, so limits count everybody as one",
				slog.String("do", "set trusted-proxies to its address"))
		}
		r.RemoteAddr = s.proxies.client(r.RemoteAddr, r.Header.Values("X-Forwarded-For"))
		next.ServeHTTP(w, r)
	})
}

// isOwnMachine tells whether a clinic that only this machine can reach is asked by it: there is nobody to keep apart.
func (s *Server) isOwnMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !s.local {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// isLocal tells whether an origin is of this machine alone.
func isLocal(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// strangeProxy remembers whether one was noticed.
type strangeProxy struct {
	local bool // the origin is of this machine, where anything may stand before Ward
	seen  atomic.Bool
}

// notice tells, once, that a request came through a proxy: people's requests come to a public origin from this machine, or
// a machine of a private network says that it forwards them. What a public address says of itself is not believed.
func (p *strangeProxy) notice(r *http.Request) bool {
	if p.local || p.seen.Load() || !strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	forwards := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
	asks := r.URL.Path != "/api/health" && r.URL.Path != "/api/ready" // which what watches over a server asks of this machine
	if !ip.IsLoopback() && !ip.Unmap().IsPrivate() || !forwards && !(asks && ip.IsLoopback()) {
		return false
	}
	return p.seen.CompareAndSwap(false, true)
}
