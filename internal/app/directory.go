package app

import (
	"net/netip"
	"strings"

	"switchboard/internal/callcenter"
	"switchboard/internal/sipd"
	"switchboard/internal/store"
)

// directory answers who is reached how, from the settings as they stand.
type directory struct{ store *store.Store }

// CenterOf finds the call center of a dialled number, written with or without +: that of the number, the front desk of
// its router or person, or the first call center of its office. It is asked with user parts of Request-URIs, so
// anything may come.
func (d directory) CenterOf(number string) (callcenter.ID, bool) {
	snapshot := d.store.Snapshot()
	n, ok := snapshot.Number("+" + strings.TrimPrefix(number, "+"))
	if !ok {
		return 0, false
	}
	id := callcenter.ID(n.Target.ID)
	switch n.Target.Type {
	case callcenter.TargetCallRouter:
		return id, true
	case callcenter.TargetUser:
		if _, ok := person(snapshot, callcenter.OperatorID(id)); ok {
			return id, true
		}
	case callcenter.TargetOffice:
		return mainCenter(snapshot, callcenter.OfficeID(id))
	case callcenter.TargetCallCenter:
		if center, ok := snapshot.Center(id); ok && center.State != callcenter.StateDeleted {
			return id, true
		}
	}
	return 0, false
}

// person finds a person who is not gone.
func person(snapshot *store.Snapshot, id callcenter.OperatorID) (*callcenter.User, bool) {
	user, ok := snapshot.User(id)
	return user, ok && user.State != callcenter.StateDeleted
}

// mainCenter is the oldest active call center of an office: an office has no flow of its own.
func mainCenter(snapshot *store.Snapshot, office callcenter.OfficeID) (callcenter.ID, bool) {
	for _, center := range snapshot.Centers() { // the oldest first
		if center.OfficeID == office && center.State == callcenter.StateActive {
			return center.ID, true
		}
	}
	return 0, false
}

// Contact says whether a device is static, and where it is then; "" for one that is gone.
func (d directory) Contact(id callcenter.DeviceID) (contact string, static bool) {
	device, ok := d.store.Snapshot().Device(id)
	if !ok {
		return "", true
	}
	return device.Contact, device.Kind == callcenter.DeviceStatic
}

// account finds the digest credentials of a registering phone.
func (d directory) account(username string) (sipd.Account, bool) {
	device, ok := d.store.Snapshot().DeviceByUsername(username)
	if !ok {
		return sipd.Account{}, false
	}
	return sipd.Account{Owner: device.Owner, Device: device.ID, HA1: device.HA1}, true
}

// trunk says whether calls from an address are let in.
func (d directory) trunk(addr netip.Addr) bool {
	for _, trunk := range d.store.Snapshot().Trunks() {
		for _, text := range trunk.Addresses {
			if prefix, err := netip.ParsePrefix(text); err == nil && prefix.Contains(addr) {
				return true
			}
			if one, err := netip.ParseAddr(text); err == nil && one == addr {
				return true
			}
		}
	}
	return false
}
