package sipd

import (
	"net/netip"

	"switchboard/internal/callcenter"
)

// Facing says to which address an invitation would go, so that the session description of its INVITE can name an
// address of ours that is reached from there. The zero Addr: it would go nowhere.
func (s *Server) Facing(device callcenter.DeviceID, to string) netip.Addr {
	f, _, status := s.resolve(&outbound{inv: Invitation{Device: device, To: to}})
	if status != 0 {
		return netip.Addr{}
	}
	return f.remote.Addr()
}
