package api

import (
	"net/netip"
	"strconv"
	"strings"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// MaxDevices is how many phones a person may have.
const MaxDevices = 20

func (c *call) deviceBody(device *callcenter.Device) deviceBody {
	state := "offline"
	if c.reachable(device) {
		state = "online"
	}
	return deviceBody{
		ID: device.ID, UserID: device.Owner, Kind: device.Kind, Contact: device.Contact, Username: device.Username,
		State: state,
	}
}

func listDevices(c *call) (answer, error) {
	return showPage(c, c.snapshot.DevicesOf(c.user.ID),
		func(device *callcenter.Device) int64 { return device.Seq }, nil, c.deviceBody)
}

func createDevice(c *call) (answer, error) {
	body, err := decode[struct {
		Kind    callcenter.DeviceKind `json:"kind"`
		Contact string                `json:"contact"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	rules := func(records) []problem.Field { return contactRule(body.Kind, body.Contact) }
	var created *callcenter.Device
	var password string
	err = c.change(rules, func(tx *store.Tx) error {
		user, err := c.userIn(tx, c.user.ID)
		if err != nil {
			return err
		}
		if len(tx.DevicesOf(user.ID)) >= MaxDevices {
			return problem.Conflicts("This user has " + strconv.Itoa(MaxDevices) + " devices, which is the most.")
		}
		created = &callcenter.Device{
			ID: callcenter.DeviceID(tx.NewID()), Owner: user.ID, Kind: body.Kind, Contact: body.Contact,
		}
		if body.Kind == callcenter.DeviceRegistered {
			created.Username, password, created.HA1 = auth.NewPhone()
		}
		return tx.PutDevice(created)
	})
	if err != nil {
		return answer{}, err
	}
	made := c.deviceBody(created)
	made.Password = password
	return show(made)
}

// contactRule says whether a contact stands where one must, and can be called.
func contactRule(kind callcenter.DeviceKind, contact string) []problem.Field {
	message := ""
	switch {
	case kind == callcenter.DeviceRegistered && contact != "":
		message = "is only for static devices"
	case kind == callcenter.DeviceStatic && contact == "":
		message = "is required for a static device"
	case kind == callcenter.DeviceStatic && !validContact(contact):
		message = "must be sip:user@address:port, the address being that of one host in numbers"
	default:
		return nil
	}
	return []problem.Field{{Name: "contact", In: problem.InBody, Message: message}}
}

// userChars are what the user part of a SIP URI holds without escapes, letters and digits aside (RFC 3261, section
// 25.1), less what separates parts in other places.
const userChars = "-_.!~*'()+"

// validContact accepts sip:user@host and sip:user@host:port, host being an IPv4 or a bracketed IPv6 address of one
// host: signalling never asks the DNS (docs/reference/sip.md), so a name would never ring.
func validContact(contact string) bool {
	rest, ok := strings.CutPrefix(contact, "sip:")
	user, hostport, at := strings.Cut(rest, "@")
	if !ok || !at || user == "" || !only(user, userChars) {
		return false
	}
	host, port := hostport, ""
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		host, port = hostport[:colon], hostport[colon+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
			return false
		}
	}
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		if inner, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
	}
	addr, err := netip.ParseAddr(inner)
	return err == nil && addr.Is6() == bracketed && addr.Zone() == "" && !addr.IsUnspecified() && !addr.IsMulticast()
}

// only says whether text has nothing but ASCII letters, digits and those of others.
func only(text, others string) bool {
	for _, c := range []byte(text) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

func deleteDevice(c *call) (answer, error) {
	body := c.deviceBody(c.device)
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		found, err := tx.DeleteDevice(c.device.ID)
		if err == nil && !found {
			return problem.NotFound("device", c.device.ID)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return show(body)
}

func showTrunk(trunk *callcenter.Trunk) trunkBody {
	return trunkBody{trunk.ID, trunk.Name, trunk.Addresses, trunk.Outbound}
}

func listTrunks(c *call) (answer, error) {
	return showPage(c, c.snapshot.Trunks(), func(trunk *callcenter.Trunk) int64 { return trunk.Seq }, nil, showTrunk)
}

func createTrunk(c *call) (answer, error) {
	body, err := decode[struct {
		Name      string   `json:"name"`
		Addresses []string `json:"addresses"`
		Outbound  string   `json:"outbound"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	rules := func(records) []problem.Field {
		var fields []problem.Field
		if err := callcenter.CheckName(body.Name); err != nil {
			fields = append(fields, problem.Field{Name: "name", In: problem.InBody, Message: err.Error()})
		}
		if body.Outbound != "" && !validOutbound(body.Outbound) {
			fields = append(fields, problem.Field{
				Name: "outbound", In: problem.InBody,
				Message: "must be sip:address:port with an IP address, perhaps followed by ;transport=tcp",
			})
		}
		return append(fields, addressRules(body.Addresses)...)
	}
	var created *callcenter.Trunk
	err = c.change(rules, func(tx *store.Tx) error {
		for _, other := range tx.Trunks() {
			if other.Name == body.Name {
				return problem.Conflicts("Another trunk has this name.")
			}
		}
		created = &callcenter.Trunk{
			ID: callcenter.TrunkID(tx.NewID()), Name: body.Name, Addresses: body.Addresses, Outbound: body.Outbound,
		}
		return tx.PutTrunk(created)
	})
	if err != nil {
		return answer{}, err
	}
	return show(showTrunk(created))
}

// validOutbound accepts sip:address and sip:address:port, address being numeric, with or without the transport.
func validOutbound(text string) bool {
	hostport := strings.TrimSuffix(strings.TrimSuffix(text, ";transport=tcp"), ";transport=udp")
	hostport, ok := strings.CutPrefix(hostport, "sip:")
	if !ok {
		return false
	}
	if addr, err := netip.ParseAddrPort(hostport); err == nil {
		return addr.Port() != 0 && addr.Addr().Zone() == ""
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	addr, err := netip.ParseAddr(bare)
	return err == nil && addr.Zone() == "" && addr.Is6() == (bare != hostport)
}

// addressRules says which addresses of a trunk are none. IPv4 written as IPv6 would never match a caller's address.
func addressRules(addresses []string) []problem.Field {
	fields := distinct("addresses", addresses)
	for i, text := range addresses {
		addr, err := netip.ParseAddr(text)
		if prefix, e := netip.ParsePrefix(text); e == nil {
			addr, err = prefix.Addr(), nil
		}
		if err != nil || addr.Zone() != "" || addr.Is4In6() {
			fields = append(fields, problem.Field{
				Name: "addresses." + strconv.Itoa(i), In: problem.InBody,
				Message: "must be an IP address or a network such as 192.0.2.0/24",
			})
		}
	}
	return fields
}

func deleteTrunk(c *call) (answer, error) {
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		found, err := tx.DeleteTrunk(c.trunk.ID)
		if err == nil && !found {
			return problem.NotFound("trunk", c.trunk.ID)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return show(showTrunk(c.trunk))
}
