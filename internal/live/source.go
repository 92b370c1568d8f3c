package live

import "net/netip"

// Network is how many times as much the source of many addresses may do as one of IPv4: whoever has one
// address of IPv6 has all of its network, but a whole office may be in it, too.
const Network = 4

// SourceOf is who the remote address of a request, with its port, is counted for: see [Source]. It is the
// zero Addr where there is none to tell apart (a unix socket).
func SourceOf(hostport string) netip.Addr {
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return Source(at.Addr())
}

// Source is who an address is counted for: itself if it is one of IPv4, else the first of its /64. The
// link-local ones of a wire are one source, because anybody there may take as many of them as he likes;
// other wires than his, which differ by their zone, are others.
func Source(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	bits, zone := 64, ""
	switch {
	case !addr.Is6() || addr.IsLoopback():
		return addr.WithZone("")
	case addr.IsLinkLocalUnicast():
		bits, zone = 10, addr.Zone()
	}
	network, _ := addr.WithZone("").Prefix(bits) // fails for longer ones than addresses are
	return network.Addr().WithZone(zone)
}

// Share is how many times as much a source may do as one address of IPv4.
func Share(source netip.Addr) int {
	if source.Is6() {
		return Network
	}
	return 1
}

// IsLocal tells whether a source is this machine itself.
func IsLocal(source netip.Addr) bool { return !source.IsValid() || source.IsLoopback() }
