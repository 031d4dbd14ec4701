package sipd

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The timers of RFC 3261, table 4.
const (
	t1     = 500 * time.Millisecond
	t2     = 4 * time.Second
	t4     = 5 * time.Second
	giveUp = 64 * t1 // timers B, D, F, H, J, L, M
)

// clientTx is one request of ours until its final response is safe (RFC 3261 17.1 with RFC 6026). It lives on a lane.
type clientTx struct {
	lane   *lane
	method sip.RequestMethod
	branch string
	flow   flow
	req    *sip.Request
	wire   []byte
	ack    []byte // of a refused INVITE: sent again with each repeated refusal
	heard  bool   // any response
	final  int
	// cancelled: our CANCEL is out, and end is running whatever still rings.
	cancelled bool
	interval  time.Duration
	resend    *alarm
	end       *alarm
	on        func(res *sip.Response, status int)
}

// transact sends a request. on hears every response once, but for 2xx to an INVITE every one that comes; res is nil
// when there will be none: status then is 408, or 503 when the transport failed. on never runs within transact.
func (l *lane) transact(f flow, req *sip.Request, on func(res *sip.Response, status int)) *clientTx {
	tx := &clientTx{
		lane: l, method: req.Method, branch: param(req.Via().Params, "branch"), flow: f, req: req, wire: wire(req),
		interval: t1, on: on,
	}
	l.clients = append(l.clients, tx)
	tx.end = l.after(giveUp, func() { tx.fail(statusTimeout) })
	if err := l.srv.send(f, tx.wire); err != nil {
		l.enqueueOwn(func() { tx.fail(statusUnreachable) })
		return tx
	}
	if !f.reliable() {
		tx.resend = l.after(t1, tx.again)
	}
	return tx
}

// enqueueOwn runs f on the lane after what runs now, also while the server closes.
func (l *lane) enqueueOwn(f func()) {
	l.srv.mu.Lock()
	defer l.srv.mu.Unlock()
	l.enqueue(f)
}

// again is timer A or E.
func (tx *clientTx) again() {
	tx.lane.srv.count.retransmits.Add(1)
	if err := tx.lane.srv.send(tx.flow, tx.wire); err != nil {
		tx.fail(statusUnreachable)
		return
	}
	tx.interval *= 2
	if tx.method != sip.INVITE {
		tx.interval = min(tx.interval, t2)
	}
	tx.resend = tx.lane.after(tx.interval, tx.again)
}

// fail ends a transaction that has no final response.
func (tx *clientTx) fail(status int) {
	if tx.final != 0 || !tx.forget() {
		return
	}
	tx.on(nil, status)
}

// forget answers whether the transaction was still there.
func (tx *clientTx) forget() bool {
	l := tx.lane
	l.stop(tx.resend)
	l.stop(tx.end)
	i := slices.Index(l.clients, tx)
	if i < 0 {
		return false
	}
	l.clients = slices.Delete(l.clients, i, i+1)
	return true
}

// response finds the transaction of a response.
func (l *lane) response(res *sip.Response) {
	branch, method := param(res.Via().Params, "branch"), res.CSeq().MethodName
	i := slices.IndexFunc(l.clients, func(tx *clientTx) bool { return tx.branch == branch && tx.method == method })
	if i < 0 {
		l.srv.count.unknown.Add(1)
		return
	}
	l.clients[i].response(res)
}

func (tx *clientTx) response(res *sip.Response) {
	tx.heard = true
	switch {
	case res.StatusCode < 200:
		tx.provisional(res)
	case tx.method != sip.INVITE:
		if tx.forget() {
			tx.final = res.StatusCode
			tx.on(res, res.StatusCode)
		}
	case res.StatusCode < 300:
		tx.accepted(res)
	default:
		tx.refused(res)
	}
}

func (tx *clientTx) provisional(res *sip.Response) {
	if tx.final != 0 {
		return
	}
	if tx.method == sip.INVITE {
		tx.lane.stop(tx.resend)
		if !tx.cancelled { // a phone may ring for as long as we let it: only our own CANCEL ends the wait
			tx.lane.stop(tx.end)
		}
	} else {
		tx.interval = t2
	}
	tx.on(res, res.StatusCode)
}

func (tx *clientTx) accepted(res *sip.Response) {
	if tx.final >= 300 {
		return
	}
	if tx.final == 0 {
		tx.settle(res.StatusCode)
	}
	tx.on(res, res.StatusCode) // every 2xx wants an ACK, a repeated one and one of a fork too
}

func (tx *clientTx) refused(res *sip.Response) {
	if tx.final == 0 {
		tx.ack = tx.acknowledge(res)
	}
	if tx.ack == nil {
		return // after a 2xx
	}
	_ = tx.lane.srv.send(tx.flow, tx.ack) // a lost ACK is sent again with the next refusal
	if tx.final != 0 {
		return
	}
	tx.settle(res.StatusCode)
	if tx.flow.reliable() {
		tx.forget()
	}
	tx.on(res, res.StatusCode)
}

// settle keeps an INVITE transaction for as long as repeated final responses may come.
func (tx *clientTx) settle(status int) {
	tx.final = status
	tx.lane.stop(tx.resend)
	tx.lane.stop(tx.end)
	tx.wire = nil
	tx.end = tx.lane.after(giveUp, func() { tx.forget() })
}

// acknowledge makes the ACK of a refusal, which belongs to the transaction (RFC 3261 17.1.1.3).
func (tx *clientTx) acknowledge(res *sip.Response) []byte {
	ack := sip.NewRequest(sip.ACK, tx.req.Recipient)
	ack.AppendHeader(sip.HeaderClone(tx.req.Via()))
	hops := sip.MaxForwardsHeader(maxHops)
	ack.AppendHeader(&hops)
	sip.CopyHeaders("Route", tx.req, ack)
	ack.AppendHeader(sip.HeaderClone(tx.req.From()))
	ack.AppendHeader(sip.HeaderClone(res.To()))
	ack.AppendHeader(sip.HeaderClone(tx.req.CallID()))
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: tx.req.CSeq().SeqNo, MethodName: sip.ACK})
	ack.SetBody(nil)
	return wire(ack)
}

// serverTx is one request of a peer for as long as it may come again (RFC 3261 17.2 with RFC 6026).
type serverTx struct {
	lane     *lane
	key      string
	flow     flow
	last     []byte // the latest response
	final    int
	interval time.Duration
	resend   *alarm
	end      *alarm
	leg      *Leg // of an INVITE that begins a call
}

// serverKey is what a request and its repetitions share (RFC 3261 17.2.3). ACK and CANCEL are looked for under INVITE.
func serverKey(req *sip.Request, method sip.RequestMethod) string {
	via := req.Via()
	branch := param(via.Params, "branch")
	if !strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		branch = "2543 " + branch + " " + fromTag(req) + " " + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
	}
	return branch + " " + via.Host + ":" + strconv.Itoa(via.Port) + " " + string(method)
}

func (l *lane) serverTx(key string) *serverTx {
	i := slices.IndexFunc(l.servers, func(tx *serverTx) bool { return tx.key == key })
	if i < 0 {
		return nil
	}
	return l.servers[i]
}

func (l *lane) open(f flow, req *sip.Request) *serverTx {
	tx := &serverTx{lane: l, key: serverKey(req, req.Method), flow: f}
	l.servers = append(l.servers, tx)
	return tx
}

// repeated answers a request that came again as it was answered before.
func (tx *serverTx) repeated() {
	tx.lane.srv.count.repeated.Add(1)
	// RFC 6026 7.1: after a 2xx the dialog resends it, not the transaction.
	if tx.last != nil {
		tx.lane.srv.count.retransmits.Add(1)
		_ = tx.lane.srv.send(tx.flow, tx.last)
	}
}

// respond sends a response to anything but a 2xx to an INVITE. A final one to an INVITE is resent until its ACK.
func (tx *serverTx) respond(res *sip.Response, invite bool) {
	if tx.final != 0 {
		return
	}
	tx.last = wire(res)
	_ = tx.lane.srv.send(tx.flow, tx.last)
	if res.StatusCode < 200 {
		return
	}
	tx.final = res.StatusCode
	tx.leg = nil
	if tx.flow.reliable() && !invite {
		tx.forget()
		return
	}
	tx.end = tx.lane.after(giveUp, tx.forget)
	if invite && !tx.flow.reliable() {
		tx.interval = t1
		tx.resend = tx.lane.after(t1, tx.again)
	}
}

// accept ends an INVITE transaction with a 2xx that the leg sends and resends.
func (tx *serverTx) accept() {
	tx.final = sip.StatusOK
	tx.last = nil
	tx.leg = nil
	tx.end = tx.lane.after(giveUp, tx.forget)
}

// again is timer G.
func (tx *serverTx) again() {
	tx.lane.srv.count.retransmits.Add(1)
	_ = tx.lane.srv.send(tx.flow, tx.last)
	tx.interval = min(2*tx.interval, t2)
	tx.resend = tx.lane.after(tx.interval, tx.again)
}

// acked ends the resending of a refusal; the transaction stays for repetitions that are still on their way.
func (tx *serverTx) acked() {
	tx.lane.stop(tx.resend)
	tx.lane.stop(tx.end)
	tx.last = nil
	tx.end = tx.lane.after(t4, tx.forget)
}

func (tx *serverTx) forget() {
	l := tx.lane
	l.stop(tx.resend)
	l.stop(tx.end)
	if i := slices.Index(l.servers, tx); i >= 0 {
		l.servers = slices.Delete(l.servers, i, i+1)
	}
}
