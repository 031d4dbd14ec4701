package sipd

import "sync/atomic"

// Stats counts since the start, but for Legs, Lanes and Registered, which are now.
type Stats struct {
	Received    int64 // datagrams, and reads of TCP connections
	Sent        int64 // messages
	Malformed   int64 // dropped: no SIP message, or too long, or without what every message has
	Flooded     int64 // dropped unread: an address beyond its rate, a connection beyond the limit
	Unknown     int64 // responses to nothing we asked, ACKs of nothing we answered
	Rejected    int64 // calls refused with 403
	Challenged  int64 // 401 sent
	AuthFailed  int64 // wrong credentials
	Blocked     int64 // refused: the address guessed passwords
	Overloaded  int64 // calls refused with 503
	Retransmits int64 // messages sent again
	Repeated    int64 // requests received again
	CallsIn     int64
	CallsOut    int64
	Legs        int64
	Lanes       int64 // Call-IDs remembered
	Registered  int64 // devices
}

type counters struct {
	received, sent, malformed, flooded, unknown, rejected, challenged, authFailed, blocked, overloaded,
	retransmits, repeated, callsIn, callsOut, legs atomic.Int64
}

// Stats answers the counters.
func (s *Server) Stats() Stats {
	c := &s.count
	s.mu.Lock()
	lanes := len(s.lanes)
	s.mu.Unlock()
	return Stats{
		Received: c.received.Load(), Sent: c.sent.Load(), Malformed: c.malformed.Load(), Flooded: c.flooded.Load(),
		Unknown: c.unknown.Load(), Rejected: c.rejected.Load(), Challenged: c.challenged.Load(),
		AuthFailed: c.authFailed.Load(), Blocked: c.blocked.Load(), Overloaded: c.overloaded.Load(),
		Retransmits: c.retransmits.Load(), Repeated: c.repeated.Load(), CallsIn: c.callsIn.Load(),
		CallsOut: c.callsOut.Load(), Legs: c.legs.Load(), Lanes: int64(lanes), Registered: s.registrar.size(),
	}
}
