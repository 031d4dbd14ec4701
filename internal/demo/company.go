package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// colleague is one operator of the make-believe company.
type colleague struct {
	first, last    string
	support, sales int // skill levels; 0: not in that center
	id             callcenter.OperatorID
	username       string
	password       string
}

// company is what the demo founds.
type company struct {
	support, sales, desk callcenter.ID
	numbers              map[callcenter.ID]string // E.164
	staff                []*colleague
	reach                string // from where anybody may call, in words
}

// Numbers of the reserved 555-01xx block, which belongs to nobody.
const (
	supportNumber = "+12025550110"
	salesNumber   = "+12025550120"
	deskNumber    = "+12025550100"
	spareNumber   = "+12025550130"
)

func colleagues() []*colleague {
	return []*colleague{
		{first: "Ada", last: "Marsh", support: 90},
		{first: "Ben", last: "Okoro", support: 70},
		{first: "Chloe", last: "Duval", support: 60, sales: 80},
		{first: "Dev", last: "Rana", support: 80},
		{first: "Elif", last: "Aydin", support: 50, sales: 60},
		{first: "Femi", last: "Adeyemi", sales: 90},
		{first: "Grace", last: "Lindqvist", sales: 70},
		{first: "Hugo", last: "Berger", support: 40, sales: 50},
	}
}

// found writes the company into a database that was just created.
// Calls are let in from this computer and from the networks given, and go out to the telephone network at outside.
func found(
	ctx context.Context, db *store.Store, networks []netip.Prefix, outside netip.AddrPort,
) (*company, error) {
	c := &company{staff: colleagues(), numbers: map[callcenter.ID]string{}, reach: "on this computer"}
	trunk := &callcenter.Trunk{
		Name: c.reach, Addresses: []string{"127.0.0.0/8"}, Outbound: "sip:" + outside.String(),
	}
	for _, network := range networks {
		trunk.Addresses = append(trunk.Addresses, network.String())
		trunk.Name, c.reach = "this computer and its networks", "in this computer's networks"
	}
	err := db.Update(ctx, "demo", func(tx *store.Tx) error {
		offices := tx.Offices()
		if len(offices) == 0 {
			return fmt.Errorf("the company has no office")
		}
		office := offices[0].ID
		trunk.ID = callcenter.TrunkID(tx.NewID())
		if err := tx.PutTrunk(trunk); err != nil {
			return err
		}
		for _, person := range c.staff {
			if err := hire(tx, office, person); err != nil {
				return err
			}
		}
		return c.open(tx, office)
	})
	return c, err
}

// hire adds a person with a phone, on duty.
func hire(tx *store.Tx, office callcenter.OfficeID, person *colleague) error {
	person.id = callcenter.OperatorID(tx.NewID())
	person.username = strings.ToLower(person.first)
	person.password = rand.Text()
	err := tx.PutUser(&callcenter.User{
		ID: person.id, OfficeID: office, FirstName: person.first, LastName: person.last,
		Emails: []string{person.username + "@fernwood.example"}, License: "talk", State: callcenter.StateActive,
		Duty: callcenter.Duty{On: true, Since: tx.Now(), OnSince: tx.Now(), ChangedBy: "demo"},
	})
	if err != nil {
		return err
	}
	return tx.PutDevice(&callcenter.Device{
		ID: callcenter.DeviceID(tx.NewID()), Owner: person.id, Kind: callcenter.DeviceRegistered,
		Username: person.username, HA1: auth.DigestOf(person.username, person.password),
	})
}

// open adds the call centers and their numbers.
func (c *company) open(tx *store.Tx, office callcenter.OfficeID) (err error) {
	inSupport, inSales := func(p *colleague) int { return p.support }, func(p *colleague) int { return p.sales }
	if c.support, err = c.add(tx, office, supportSettings(), supportNumber, inSupport); err != nil {
		return err
	}
	if c.sales, err = c.add(tx, office, salesSettings(), salesNumber, inSales); err != nil {
		return err
	}
	nobody := func(*colleague) int { return 0 }
	if c.desk, err = c.add(tx, office, deskSettings(c.support, c.sales), deskNumber, nobody); err != nil {
		return err
	}
	return tx.PutNumber(&callcenter.Number{
		E164: spareNumber, Status: callcenter.NumberReserved, OfficeID: office, AssignedAt: tx.Now(),
	})
}

// supportSettings: many callers, who may be called back, and a goal that the busy hours miss.
func supportSettings() callcenter.Settings {
	s := callcenter.Defaults("Support")
	s.GroupDescription = "Travellers with a question about a booking"
	s.RingSeconds = 15
	s.HoldQueue.MaxHoldSeconds = 180
	s.HoldQueue.AnnouncementIntervalSeconds = 20
	s.HoldQueue.AllowQueueCallback = true
	s.HoldQueue.QueueCallbackDTMF = string(callbackKey)
	s.HoldQueue.QueueCallbackThreshold = 1
	s.Alerts = callcenter.Alerts{ServiceLevelPercent: 80, ServiceLevelSeconds: 20}
	s.AdvancedSettings.MaxWrapUpSeconds = 8
	return s
}

// salesSettings: the best seller first, and every call recorded once the caller was told.
func salesSettings() callcenter.Settings {
	s := callcenter.Defaults("Sales")
	s.GroupDescription = "Travellers who would like to book"
	s.RingSeconds = 12
	s.RoutingOptions.Open.OperatorRouting = callcenter.MostSkilled
	s.HoldQueue.MaxHoldCount = 5
	s.Alerts = callcenter.Alerts{ServiceLevelPercent: 90, ServiceLevelSeconds: 15}
	s.AdvancedSettings.MaxWrapUpSeconds = 5
	s.AdvancedSettings.AutoCallRecording = callcenter.AutoCallRecording{Inbound: true, Outbound: true, AllowPause: true}
	return s
}

// The keys that the demo's callers press.
const (
	menuSupport = '1'
	menuSales   = '2'
	menuHours   = '3'
	menuNames   = '0'
	callbackKey = '9'
	confirmKey  = '1'
	escapeKey   = '*'
)

// deskSettings: nobody rings here; a menu leads to the others.
func deskSettings(support, sales callcenter.ID) callcenter.Settings {
	to := func(id callcenter.ID) callcenter.Target {
		return callcenter.Target{ID: int64(id), Type: callcenter.TargetCallCenter}
	}
	s := callcenter.Defaults("Travel desk")
	s.GroupDescription = "The number on the posters: a menu"
	s.Alerts = callcenter.Alerts{ServiceLevelSeconds: 60}
	s.RoutingOptions.Open = callcenter.Branch{
		Action: callcenter.ActionMenu, OperatorRouting: callcenter.LongestIdle, DTMF: []callcenter.MenuKey{
			{Input: string(menuSupport), Action: callcenter.ActionBridgeTarget, Target: to(support)},
			{Input: string(menuSales), Action: callcenter.ActionBridgeTarget, Target: to(sales)},
			{Input: string(menuHours), Action: callcenter.ActionMessage},
			{Input: string(menuNames), Action: callcenter.ActionCompanyDirectory},
		},
	}
	return s
}

// extras: alerts may judge after a few calls, since a demo is short.
func extras() callcenter.Extras {
	e := callcenter.DefaultExtras()
	e.AlertMinCalls = 5
	e.WrapUpExtensionSeconds = 30
	return e
}

func (c *company) add(
	tx *store.Tx, office callcenter.OfficeID, settings callcenter.Settings, number string, skill func(*colleague) int,
) (callcenter.ID, error) {
	center := &callcenter.Center{
		ID: callcenter.ID(tx.NewID()), OfficeID: office, State: callcenter.StateActive, Settings: settings,
		Extras: extras(),
	}
	for _, person := range c.staff {
		if level := skill(person); level > 0 {
			center.Members = append(center.Members,
				callcenter.Member{Operator: person.id, Role: callcenter.RoleOperator, SkillLevel: level})
		}
	}
	c.numbers[center.ID] = number
	if err := tx.PutCenter(center); err != nil {
		return 0, err
	}
	return center.ID, tx.PutNumber(&callcenter.Number{
		E164: number, Status: callcenter.NumberCallCenter, OfficeID: office, AssignedAt: tx.Now(),
		Target: callcenter.Target{ID: int64(center.ID), Type: callcenter.TargetCallCenter},
	})
}
