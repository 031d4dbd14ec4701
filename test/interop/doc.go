// Package interop proves Switchboard against programs that nobody here wrote: sipp and baresip, and the operating
// system that kills processes. It refuses to look inside the server where the network, the API or the live page can
// tell.
package interop
