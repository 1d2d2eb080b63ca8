package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"konto/domain"
)

// longestURL is how long an address may be, in bytes: what all senders and
// receivers can be expected to take (RFC 9110 section 4.1 asks for 8,000).
const longestURL = 2048

// Site is the fact of where this system runs. Its key is empty.
type Site struct {
	// Development allows calls without TLS, and to this machine.
	Development bool
}

// site is the need for the fact.
func site() domain.Need { return domain.Of[Site]("") }

// address returns why raw is nothing that may be called, or nil. What a host
// name stands for is looked at when it is called.
func address(raw string, m Meta) *domain.Error {
	development := domain.Fact[Site](m, "").Development
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > longestURL || u.Hostname() == "" || u.Opaque != "" || u.User != nil || strings.Contains(raw, "#"):
		return ErrURL
	case !hasPort(u):
		return ErrPort
	case u.Scheme != "https" && u.Scheme != "http":
		return ErrNotHTTPS
	case u.Scheme != "https" && !development:
		return ErrNotHTTPS
	case !development && private(u.Hostname()):
		return ErrPrivate
	}
	return nil
}

// hasPort reports whether the port that an address names, if it names one, is
// one of TCP's (RFC 9293 section 3.1) that somebody can listen on.
func hasPort(u *url.URL) bool {
	if u.Port() == "" {
		return true // also for "host:", which means the scheme's own (RFC 3986 section 3.2.3)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// private reports whether a host can only be one that is not public: a special
// name (RFC 6761, RFC 6762, RFC 9476), a name without a dot, or an address
// that is not [Public].
func private(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return !Public(ip)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch last {
	case host, "localhost", "local", "internal", "home", "lan", "alt", "onion", "invalid", "arpa":
		return true
	}
	// A last label of digits, or 0x…, is an address in another way of writing
	// (WHATWG URL, "ends in a number"), which resolvers may take for a private one.
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

// Public reports whether an address is one of the public internet. The others
// are those that the IANA's registries of special-purpose addresses (RFC 6890)
// do not call globally reachable, and ways to write one inside another.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// special are the ranges that netip does not know by itself.
var special = prefixes(
	"0.0.0.0/8",       // this network (RFC 791)
	"100.64.0.0/10",   // carrier-grade NAT (RFC 6598)
	"192.0.0.0/24",    // protocol assignments (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.88.99.0/24",  // 6to4 relays (RFC 7526)
	"198.18.0.0/15",   // benchmarks (RFC 2544)
	"198.51.100.0/24", // documentation (RFC 5737)
	"203.0.113.0/24",  // documentation (RFC 5737)
	"240.0.0.0/4",     // reserved (RFC 1112)
	"64:ff9b::/96",    // IPv4 inside (RFC 6052)
	"64:ff9b:1::/48",  // IPv4 inside (RFC 8215)
	"100::/64",        // discarded (RFC 6666)
	"2001::/23",       // protocol assignments, Teredo among them (RFC 2928)
	"2001:db8::/32",   // documentation (RFC 3849)
	"2002::/16",       // 6to4, IPv4 inside (RFC 3056)
	"3fff::/20",       // documentation (RFC 9637)
	"5f00::/16",       // segment routing (RFC 9602)
	"fec0::/10",       // site-local (RFC 3879)
	"::/96",           // IPv4 inside, long given up (RFC 4291)
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Host returns the host of an address, which may be shown where the rest, which
// may have a secret in it, may not.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
