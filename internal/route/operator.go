package route

import (
	"cmp"
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// operator is the state of one person.
type operator struct {
	id                  callcenter.OperatorID
	known               bool // false: a center lists an id that no event described
	name                string
	lastKeys, firstKeys string // as the directory spells them
	extension           string
	active              bool
	dnd                 bool
	devices             []*device
	duty                callcenter.Duty
	offAfter            *DutySet // goes off duty so when the call ends

	members   []*member // in center order
	ringing   *ringing
	call      *call
	wrapping  bool
	extend    time.Duration // how much longer the wrap-up may still be made
	wrapTimer timer
	idleSince time.Time
	missed    int
	hadDevice bool

	state     OperatorState
	since     time.Time
	viewDirty bool
}

// device is one phone.
type device struct {
	id     callcenter.DeviceID
	static bool
	up     bool
	retry  timer // static and down: when it may be tried again
}

func (o *operator) join(b *member) {
	at, _ := slices.BinarySearchFunc(o.members, b.center.id, func(b *member, id callcenter.ID) int {
		return cmp.Compare(b.center.id, id)
	})
	o.members = slices.Insert(o.members, at, b)
}

func (o *operator) leave(b *member) { o.members = deleteMember(o.members, b) }

// operatorFor finds an operator or makes a place for one who is not described yet.
func (m *Machine) operatorFor(id callcenter.OperatorID) *operator {
	if o := m.operators[id]; o != nil {
		return o
	}
	o := &operator{id: id, state: OffDuty, since: m.now, idleSince: m.now}
	o.wrapTimer = timer{kind: timerWrapUp, op: o}
	m.operators[id] = o
	at, _ := slices.BinarySearchFunc(m.ops, id, func(o *operator, id callcenter.OperatorID) int {
		return cmp.Compare(o.id, id)
	})
	m.ops = slices.Insert(m.ops, at, o)
	return o
}

func (m *Machine) operatorChanged(is Operator) {
	o := m.operatorFor(is.ID)
	isNew := !o.known
	o.known = true
	if isNew {
		o.duty = is.Duty
		o.since = m.now
		if o.idleSince = m.now; !is.Duty.OnSince.IsZero() && is.Duty.OnSince.Before(m.now) {
			o.idleSince = is.Duty.OnSince
		}
	}
	o.name, o.active, o.dnd = is.Name, is.Active, is.DoNotDisturb
	o.extension = is.Extension
	o.lastKeys, o.firstKeys = is.spellings()
	m.setDevices(o, is.Devices)
	if isNew {
		o.hadDevice = o.reachable() // a static phone was there all along
	}
	if r := o.ringing; r != nil && (!o.active || o.dnd && r.call.asker == nil) {
		m.withdraw(r)
	}
	m.refresh(o)
	m.markOperator(o)
}

func (m *Machine) setDevices(o *operator, defs []Device) {
	old := o.devices
	o.devices = make([]*device, 0, len(defs))
	for _, def := range defs {
		at := slices.IndexFunc(old, func(d *device) bool { return d.id == def.ID && d.static == def.Static })
		if at >= 0 {
			o.devices = append(o.devices, old[at])
			old = slices.Delete(old, at, at+1)
			continue
		}
		d := &device{id: def.ID, static: def.Static, up: def.Static}
		d.retry = timer{kind: timerDevice, op: o, dev: d}
		o.devices = append(o.devices, d)
	}
	for _, gone := range old {
		m.stopTimer(&gone.retry)
		m.cancelDevice(o, gone.id)
	}
}

// operatorDeleted removes a person: their ringing ends, their call goes on.
func (m *Machine) operatorDeleted(id callcenter.OperatorID) {
	o := m.operators[id]
	if o == nil || !o.known {
		return
	}
	o.active = false
	o.known = false
	m.setDevices(o, nil)
	if o.ringing != nil {
		m.withdraw(o.ringing)
	}
	if o.wrapping {
		m.endWrapUp(o)
	}
	m.refresh(o)
	m.markOperator(o)
	m.forgetOperator(o)
}

// forgetOperator drops a deleted person whom nothing refers to any more.
func (m *Machine) forgetOperator(o *operator) {
	if o.known || o.call != nil || o.ringing != nil || len(o.members) > 0 || m.operators[o.id] != o {
		return
	}
	delete(m.operators, o.id)
	if i := slices.Index(m.ops, o); i >= 0 {
		m.ops = slices.Delete(m.ops, i, i+1)
	}
}

func (m *Machine) dutySet(e DutySet) {
	o := m.operators[e.Operator]
	if o == nil || !o.known {
		return
	}
	if !e.On && o.call != nil {
		o.offAfter = &e
		m.refresh(o)
		m.markOperator(o)
		return
	}
	m.setDuty(o, e)
	if !e.On && o.ringing != nil && !o.ringing.call.offer.direct {
		m.withdraw(o.ringing)
	}
	if !e.On && o.wrapping {
		m.endWrapUp(o)
	}
	m.refresh(o)
	m.markOperator(o)
}

func (m *Machine) setDuty(o *operator, e DutySet) {
	o.offAfter = nil
	if e.On {
		e.Reason = ""
		o.missed = 0
	}
	if o.duty.On != e.On || o.duty.Reason != e.Reason {
		o.duty.Since = m.now
	}
	if e.On && !o.duty.On {
		o.duty.OnSince = m.now
		o.idleSince = m.now
	}
	o.duty.On, o.duty.Reason, o.duty.ChangedBy = e.On, e.Reason, e.ChangedBy
}

// dutyByRule changes duty and tells the host to make it durable.
func (m *Machine) dutyByRule(o *operator, e DutySet, rule string) {
	m.setDuty(o, e)
	m.rule(SetDuty{Operator: o.id, Duty: o.duty}, rule)
}

func (o *operator) device(id callcenter.DeviceID) *device {
	for _, d := range o.devices {
		if d.id == id {
			return d
		}
	}
	return nil
}

func (m *Machine) deviceReachable(e DeviceReachable) {
	o := m.operators[e.Operator]
	if o == nil {
		return
	}
	d := o.device(e.Device)
	if d == nil {
		return
	}
	if e.Reachable {
		m.stopTimer(&d.retry)
		d.up = true
	} else {
		m.deviceDown(d)
	}
	m.refresh(o)
}

// deviceDown marks a device: a registered one until it is reachable again, a static one for a while.
func (m *Machine) deviceDown(d *device) {
	d.up = false
	if d.static {
		m.setTimer(&d.retry, m.now.Add(StaticDownTime))
	}
}

func (m *Machine) deviceBack(o *operator, d *device) {
	d.up = true
	m.refresh(o)
}

func (o *operator) reachable() bool {
	for _, d := range o.devices {
		if d.up {
			return true
		}
	}
	return false
}

// hasPhone says that some device is registered, or static even if a call to it just failed.
func (o *operator) hasPhone() bool {
	for _, d := range o.devices {
		if d.up || d.static {
			return true
		}
	}
	return false
}

func (o *operator) works() bool { return o.known && o.active && o.duty.On }

func (o *operator) presence() OperatorState {
	switch {
	case o.call != nil:
		return OnCall
	case o.ringing != nil:
		return Ringing
	case o.wrapping:
		return WrapUp
	case !o.works():
		return OffDuty
	case o.dnd:
		return DND
	case !o.reachable():
		return NoDevice
	}
	return Available
}

// refresh recomputes what depends on an operator after anything about them changed: presence, who may be rung, and the
// counts of their centers.
func (m *Machine) refresh(o *operator) {
	up := o.reachable()
	if up && !o.hadDevice {
		o.idleSince = m.now
	}
	o.hadDevice = up
	if is := o.presence(); is != o.state {
		o.state, o.since = is, m.now
		m.markOperator(o)
	}
	works, manned := o.works(), o.works() && o.hasPhone()
	busy := works && o.offAfter == nil && (o.call != nil || o.ringing != nil || o.wrapping)
	for _, b := range o.members {
		m.recount(b, works, manned, busy)
	}
}

func (m *Machine) recount(b *member, works, manned, busy bool) {
	c, free := b.center, b.op.state == Available && !b.dnd && !b.center.deleted
	if b.isFree == free && b.isOnDuty == works && b.isManned == manned && b.isBusy == busy {
		return
	}
	c.onDuty += count(works) - count(b.isOnDuty)
	c.busy += count(busy) - count(b.isBusy)
	c.manned += count(manned) - count(b.isManned)
	if b.isManned && !manned {
		if works {
			c.grace = later(c.grace, m.now.Add(UnattendedGrace)) // a phone that comes back soon loses nobody
		}
		c.testUnattended = true
	}
	if free && !b.isFree {
		m.epoch++
		b.epoch = m.epoch
		c.setFree(b.rank)
	}
	if !free && b.isFree {
		c.clearFree(b.rank)
	}
	b.isFree, b.isOnDuty, b.isManned, b.isBusy = free, works, manned, busy
	m.touch(c)
	m.markCenter(c)
}
