package sipd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/emiago/sipgo/sip"
	"github.com/go-json-experiment/json"
)

// Keeper remembers dialogs for the process after this one, so that a crash leaves nobody in a call with nobody. It must
// not block. The state is for Orphan.
type Keeper interface {
	SaveDialog(id string, state []byte)
	DropDialog(id string)
}

// orphanGap is how far the CSeq of an orphan's BYE is past the last one that was saved: requests since then may have
// used the numbers between (RFC 3261 12.2.2 wants only that it is higher).
const orphanGap = 1 << 16

// dialogState is what another process needs to end a dialog.
type dialogState struct {
	CallID    string
	Tag       string // ours
	RemoteTag string
	Local     string
	LocalName string
	Remote    string
	Target    string
	Routes    []string
	Seq       uint32
	Peer      netip.AddrPort
	TCP       bool
	Branch    string // of our INVITE, while that is not answered; Seq is its CSeq then
}

// keep saves the dialog as it is now.
func (l *Leg) keep() {
	keeper := l.srv.cfg.Keeper
	if keeper == nil || l.hung || l.state == legOver {
		return
	}
	d := dialogState{
		CallID: l.lane.callID, Tag: l.id, RemoteTag: l.remoteTag, Local: l.local.String(), LocalName: l.localName,
		Remote: l.remote.String(), Target: l.target.String(), Seq: l.localSeq, Peer: l.flow.remote,
		TCP: l.flow.stream != nil,
	}
	for i := range l.routes {
		d.Routes = append(d.Routes, l.routes[i].String())
	}
	if l.state != legUp {
		d.RemoteTag, d.Branch = "", l.outbound.tx.branch
	}
	state, err := json.Marshal(d)
	if err != nil { // it is plain data
		panic("sipd: a dialog cannot be written down: " + err.Error())
	}
	l.kept = true
	keeper.SaveDialog(l.id, state)
}

// letGo forgets what keep saved.
func (l *Leg) letGo() {
	if l.kept && l.srv.cfg.Keeper != nil {
		l.kept = false
		l.srv.cfg.Keeper.DropDialog(l.id)
	}
}

// Orphan ends a dialog of a process before this one: BYE where it was up, CANCEL where our INVITE still rang. It does
// not block. The Keeper is told when the far side answered, or never did.
func (s *Server) Orphan(state []byte) error {
	var d dialogState
	if err := json.Unmarshal(state, &d); err != nil {
		return fmt.Errorf("read a dialog: %w", err)
	}
	leg, err := s.adoptLeg(d)
	if err != nil {
		return fmt.Errorf("read a dialog: %w", err)
	}
	if leg.lane = s.laneOf(d.CallID, true); leg.lane == nil {
		return errors.New("end a dialog: too many calls, or closed")
	}
	leg.lane.post(func() {
		if d.TCP {
			s.spawn(func() { leg.redial(d) })
			return
		}
		leg.dissolve(d)
	})
	return nil
}

// adoptLeg is a leg without a lane.
func (s *Server) adoptLeg(d dialogState) (*Leg, error) {
	leg := &Leg{
		srv: s, id: d.Tag, remoteTag: d.RemoteTag, localName: d.LocalName, localSeq: d.Seq, flow: flow{remote: d.Peer},
		state: legUp, hung: true, kept: true,
	}
	if d.CallID == "" || d.Tag == "" || !d.Peer.IsValid() || d.Seq > 1<<31-2*orphanGap {
		return nil, errors.New("it is not whole")
	}
	uris := map[string]*sip.Uri{d.Local: &leg.local, d.Remote: &leg.remote}
	for text, uri := range uris {
		if err := sip.ParseUri(text, uri); err != nil {
			return nil, err
		}
	}
	if err := sip.ParseUri(d.Target, &leg.target); err != nil {
		return nil, err
	}
	leg.routes = make([]sip.Uri, len(d.Routes))
	for i, text := range d.Routes {
		if err := sip.ParseUri(text, &leg.routes[i]); err != nil {
			return nil, err
		}
	}
	return leg, nil
}

// redial finds a new connection in place of the one that ended with the process. Where a phone had opened that, its
// Contact may be a port that it listens on.
func (l *Leg) redial(d dialogState) {
	ctx, cancel := context.WithTimeout(l.srv.ctx, dialTimeout)
	defer cancel()
	f, err := l.srv.dial(ctx, d.Peer)
	if addr, tcp, ok := numericTarget(&l.target); err != nil && ok && tcp && addr != d.Peer {
		f, err = l.srv.dial(ctx, addr)
	}
	l.lane.post(func() {
		if err != nil {
			l.letGo() // whoever lost the connection knows by now
			return
		}
		l.flow = f
		l.dissolve(d)
	})
}

// dissolve ends the dialog.
func (l *Leg) dissolve(d dialogState) {
	if d.Branch == "" {
		l.localSeq += orphanGap
		l.ask(l.inDialogRequest(sip.BYE), func(*sip.Response, int) { l.letGo() })
		return
	}
	// The INVITE's transaction goes on where it was: a refusal gets its ACK, and a phone that answers an ACK and BYE.
	l.state = legRinging
	l.outbound = &outbound{uri: l.target}
	invite := l.dialogRequest(sip.INVITE, d.Seq)
	invite.Via().Params.Remove("branch")
	invite.Via().Params.Add("branch", d.Branch)
	l.outbound.req = invite
	l.outbound.tx = &clientTx{
		lane: l.lane, method: sip.INVITE, branch: d.Branch, flow: l.flow, req: invite, heard: true, interval: t1,
		on: func(res *sip.Response, status int) { l.inviteResponse(invite, res, status) },
	}
	l.join()
	l.lane.clients = append(l.lane.clients, l.outbound.tx)
	l.cancelInvite()
}
