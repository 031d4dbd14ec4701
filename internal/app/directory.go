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

// CenterOf finds the call center of a dialled number, written with or without +. It is asked with user parts of
// Request-URIs, so anything may come.
func (d directory) CenterOf(number string) (callcenter.ID, bool) {
	snapshot := d.store.Snapshot()
	n, ok := snapshot.Number("+" + strings.TrimPrefix(number, "+"))
	if ok && n.Target.Type == callcenter.TargetCallRouter {
		return callcenter.ID(n.Target.ID), true // its front desk
	}
	if !ok || n.Target.Type != callcenter.TargetCallCenter {
		return 0, false
	}
	center, ok := snapshot.Center(callcenter.ID(n.Target.ID))
	if !ok || center.State == callcenter.StateDeleted {
		return 0, false
	}
	return center.ID, true
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
