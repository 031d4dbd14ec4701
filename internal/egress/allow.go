package egress

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// inside are networks that are no private ones by the book, and yet not the public internet: the special-purpose
// registries of IANA (RFC 6890) as far as they are not globally reachable.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network (RFC 791)
	netip.MustParsePrefix("100.64.0.0/10"),   // carriers' shared space (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments (RFC 6890)
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation (RFC 5737)
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4 (RFC 7526)
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks (RFC 2544)
	netip.MustParsePrefix("198.51.100.0/24"), // documentation (RFC 5737)
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation (RFC 5737)
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast (RFC 1112)
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them (RFC 2928, RFC 4380)
	netip.MustParsePrefix("2001:db8::/32"),   // documentation (RFC 3849)
	netip.MustParsePrefix("2002::/16"),       // 6to4, which leads to any IPv4 address (RFC 3056)
	netip.MustParsePrefix("3fff::/20"),       // documentation (RFC 9637)
}

// unicast is the only part of IPv6 that is given out (RFC 4291, section 2.4): what is outside of it is no public
// address, such as IPv4 behind a translator (RFC 6052, RFC 8215), in a compatible form, or site-local.
var unicast = netip.MustParsePrefix("2000::/3")

// public says whether an address, not one of IPv4 in IPv6, is on the public internet.
func public(addr netip.Addr) bool {
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is6() && !unicast.Contains(addr) {
		return false
	}
	for _, network := range inside {
		if network.Contains(addr) {
			return false
		}
	}
	return true
}

// exceptions are what the configuration allows. Port 0 stands for all ports.
type exceptions struct {
	hosts    map[string][]uint16
	networks []openNetwork
	ports    map[uint16]bool // of the public internet
}

type openNetwork struct {
	prefix netip.Prefix
	port   uint16
}

func (e *exceptions) add(text string) error {
	if prefix, ok := networkOf(text); ok {
		e.networks = append(e.networks, openNetwork{prefix, 0})
		return nil
	}
	if port, ok := strings.CutPrefix(text, ":"); ok {
		number, err := portNumber(port)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		if e.ports == nil {
			e.ports = map[uint16]bool{}
		}
		e.ports[number] = true
		return nil
	}
	host, port, number := text, "", uint16(0)
	if at := strings.LastIndexByte(text, ':'); at >= 0 {
		host, port = text[:at], text[at+1:]
		var err error
		if number, err = portNumber(port); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		if inner, ok := strings.CutPrefix(host, "["); ok {
			host = strings.TrimSuffix(inner, "]")
		}
		if prefix, ok := networkOf(host); ok {
			e.networks = append(e.networks, openNetwork{prefix, number})
			return nil
		}
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || strings.ContainsAny(host, "/: *[]@?#") || looksLikeNumber(host) {
		return fmt.Errorf("%q is no host, address or network, with or without a port, and no :port", text)
	}
	if e.hosts == nil {
		e.hosts = map[string][]uint16{}
	}
	e.hosts[host] = append(e.hosts[host], number)
	return nil
}

// networkOf reads a network, or an address as the network of just it.
func networkOf(text string) (netip.Prefix, bool) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), true
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	return netip.Prefix{}, false
}

func portNumber(text string) (uint16, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, fmt.Errorf("%q is no port, from 1 to 65535", text)
	}
	return uint16(number), nil
}

// host says whether a name as it was written is allowed at a port.
func (e *exceptions) host(name string, port uint16) bool {
	for _, open := range e.hosts[name] {
		if open == 0 || open == port {
			return true
		}
	}
	return false
}

// network says whether an address is allowed at a port; port 0: at any.
func (e *exceptions) network(addr netip.Addr, port uint16) bool {
	for _, open := range e.networks {
		if open.prefix.Contains(addr) && (port == 0 || open.port == 0 || open.port == port) {
			return true
		}
	}
	return false
}

// split takes a name, in lower case and without the dot of the root, and a port apart.
func split(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := portNumber(text)
	return strings.ToLower(strings.TrimSuffix(host, ".")), number, err
}

// looksLikeNumber says whether a host is one of the old ways to write an IPv4 address, such as 2130706433 or 0x7f.1,
// which some resolvers take for one.
func looksLikeNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil {
		return true
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
