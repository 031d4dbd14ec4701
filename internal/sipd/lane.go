package sipd

import (
	"slices"
	"time"
)

// lane is what happens to one Call-ID, one thing after the other: messages, timers and orders of our own. Its fields
// below queue belong to the goroutine that runs it. That goroutine ends when there is nothing to do, and a lane
// without legs and transactions is forgotten. A goroutine per message would let a BYE overtake its ACK.
type lane struct {
	srv     *Server
	callID  string
	queue   []func() // guarded by srv.mu, as running is
	spare   []func()
	running bool

	legs    []*Leg
	clients []*clientTx
	servers []*serverTx
	alarms  []*alarm
	timer   *time.Timer
}

// alarm is a function to be run on its lane at a time.
type alarm struct {
	at time.Time
	do func()
}

// laneOf finds or makes the lane of a Call-ID. It answers nil when there are too many, or when make is false and there
// is none.
func (s *Server) laneOf(callID string, create bool) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.laneOfLocked(callID, create)
}

func (s *Server) laneOfLocked(callID string, create bool) *lane {
	l := s.lanes[callID]
	if l == nil && create && !s.closed && len(s.lanes) < s.maxLanes {
		l = &lane{srv: s, callID: callID}
		s.lanes[callID] = l
	}
	return l
}

// route runs f on the lane of a Call-ID; false: there is no such lane and none was to be made.
func (s *Server) route(callID string, create bool, f func(*lane)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	l := s.laneOfLocked(callID, create)
	if l == nil {
		return false
	}
	l.enqueue(func() { f(l) })
	return true
}

// post runs f on the lane, after all that was posted before. After Close it does nothing.
func (l *lane) post(f func()) {
	l.srv.mu.Lock()
	defer l.srv.mu.Unlock()
	if !l.srv.closed {
		l.enqueue(f)
	}
}

// enqueue is post for a caller who holds srv.mu.
func (l *lane) enqueue(f func()) {
	l.queue = append(l.queue, f)
	if !l.running {
		l.running = true
		l.srv.work.Go(l.run)
	}
}

func (l *lane) run() {
	s := l.srv
	for {
		s.mu.Lock()
		if len(l.queue) == 0 {
			l.running = false
			if l != s.bells && l.idle() && s.lanes[l.callID] == l {
				delete(s.lanes, l.callID)
			}
			s.mu.Unlock()
			return
		}
		batch := l.queue
		l.queue = l.spare[:0]
		s.mu.Unlock()
		for i, f := range batch {
			f()
			batch[i] = nil
		}
		l.spare = batch
	}
}

func (l *lane) idle() bool {
	return len(l.legs) == 0 && len(l.clients) == 0 && len(l.servers) == 0 && len(l.alarms) == 0
}

// after runs do on the lane once d has passed, unless the alarm is stopped first.
func (l *lane) after(d time.Duration, do func()) *alarm {
	a := &alarm{at: time.Now().Add(d), do: do}
	l.alarms = append(l.alarms, a)
	l.arm()
	return a
}

// stop forgets an alarm. A nil one is fine.
func (l *lane) stop(a *alarm) {
	if i := slices.Index(l.alarms, a); i >= 0 {
		l.alarms = slices.Delete(l.alarms, i, i+1)
	}
}

// arm sets the lane's one timer to its earliest alarm. A timer that fires too early only looks and sets itself again.
func (l *lane) arm() {
	if len(l.alarms) == 0 {
		return
	}
	first := l.alarms[0].at
	for _, a := range l.alarms[1:] {
		if a.at.Before(first) {
			first = a.at
		}
	}
	d := max(time.Until(first), 0)
	if l.timer == nil {
		l.timer = time.AfterFunc(d, func() { l.post(l.ring) })
		return
	}
	l.timer.Reset(d)
}

func (l *lane) ring() {
	now := time.Now()
	for {
		i := slices.IndexFunc(l.alarms, func(a *alarm) bool { return !a.at.After(now) })
		if i < 0 {
			break
		}
		a := l.alarms[i]
		l.alarms = slices.Delete(l.alarms, i, i+1)
		a.do()
	}
	l.arm()
}

// shut ends the lane for Close: legs hang up with one message, and nothing will ring any more.
func (l *lane) shut() {
	for _, leg := range slices.Clone(l.legs) {
		leg.drop()
	}
	l.clients, l.servers, l.alarms = nil, nil, nil
	if l.timer != nil {
		l.timer.Stop()
	}
}

// streamLost tells the lane that a TCP connection is gone: what waited for an answer over it fails at once.
func (l *lane) streamLost(st *stream) {
	for _, tx := range slices.Clone(l.clients) {
		if tx.flow.stream == st {
			tx.fail(statusUnreachable)
		}
	}
}
