// Package callcenter holds what a company has configured: its offices, call centers, people, phones, numbers and
// trunks, with the defaults, limits and rules of every setting, PATCH merging and opening hours.
//
// It refuses to do I/O, to know the time of day (time is an argument) and to import anything but the standard library.
package callcenter

import "time"

// CompanyID names a company. All ids are positive and below 2^52, so that they are exact in JavaScript too.
type CompanyID int64

// OfficeID names an office, a site of the company.
type OfficeID int64

// ID names a call center.
type ID int64

// OperatorID names a person. Every user of the company has one, since every user can be made an operator.
type OperatorID int64

// DeviceID names a SIP phone of one person.
type DeviceID int64

// TrunkID names a SIP peer whose calls are let in.
type TrunkID int64

// Company is the tenant. One database holds one company.
type Company struct {
	ID   CompanyID
	Name string
}

// State says whether a call center, office or person takes part: see the State constants.
type State string

// The states of the API (docs/reference/api.md); only active centers take calls.
const (
	StateActive    State = "active"
	StateCancelled State = "cancelled"
	StateDeleted   State = "deleted"
	StatePending   State = "pending"
	StateSuspended State = "suspended"
)

// Record is what every stored thing carries. Seq orders a listing (oldest first), Version counts its changes and is
// its ETag.
type Record struct {
	Seq       int64
	Version   int64
	CreatedAt time.Time
}

// Office is a site: the time zone and country of its call centers.
type Office struct {
	Record
	ID       OfficeID
	Name     string
	Country  string // ISO 3166-1 alpha-2, lower case
	Timezone string // tz database name
	State    State
}

// Center is one call center with its settings and its operators in list order.
type Center struct {
	Record
	ID       ID
	OfficeID OfficeID
	State    State
	Settings Settings
	Extras   Extras
	Holidays []Holiday // by first day
	Members  []Member  // list order: the order of adding
}

// Role is what a person may do in one call center.
type Role string

// The roles of a call center. All of them can be rung.
const (
	RoleOperator   Role = "operator"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
)

// Member is one person's place in one call center.
type Member struct {
	Operator     OperatorID
	Role         Role
	SkillLevel   int // 0..100
	DoNotDisturb bool
}

// User is a person of the company.
type User struct {
	Record
	ID             OperatorID
	OfficeID       OfficeID
	FirstName      string
	LastName       string
	Emails         []string // the first is the primary one
	Extension      string
	IsCompanyAdmin bool
	AdminOffices   []OfficeID // those that the person administers, with their call centers
	License        string
	State          State
	DoNotDisturb   bool
	Duty           Duty
}

// Duty says whether a person is on duty, since when and why. It holds in all call centers of that person.
type Duty struct {
	On        bool
	Reason    string
	Since     time.Time // when On or Reason last changed
	OnSince   time.Time // when the person last went on duty; zero: never
	ChangedBy string    // the actor in words: "api key sb_..", "missed call"
}

// DeviceKind says how a phone is reached.
type DeviceKind string

// The kinds of device.
const (
	DeviceRegistered DeviceKind = "registered" // REGISTERs with digest; reached by the flow it registered over
	DeviceStatic     DeviceKind = "static"     // reached at a fixed contact
)

// Device is one SIP phone of a person.
type Device struct {
	Record
	ID       DeviceID
	Owner    OperatorID
	Kind     DeviceKind
	Contact  string // static only: sip:user@host:port
	Username string // registered only, unique
	HA1      Digest // registered only
}

// Digest is a password as SIP digest authentication needs it (RFC 7616, section 3.4.2): hex of H(user:realm:password).
type Digest struct {
	MD5    string
	SHA256 string
}

// NumberStatus says who a number belongs to.
type NumberStatus string

// The statuses of a number that we use.
const (
	NumberReserved   NumberStatus = "available" // in the pool
	NumberCallCenter NumberStatus = "call_center"
	NumberUser       NumberStatus = "user"
	NumberOffice     NumberStatus = "office"
	NumberCallRouter NumberStatus = "call_router"
)

// Number is a phone number of the company, E.164 with +.
type Number struct {
	Record
	E164       string
	Status     NumberStatus
	Target     Target // zero: in the pool
	OfficeID   OfficeID
	AssignedAt time.Time
	Rank       int // among the numbers of its Target; the lowest is the primary one
}

// Trunk is a SIP peer whose calls are let in by source address, and over which numbers can be called.
type Trunk struct {
	Record
	ID        TrunkID
	Name      string
	Addresses []string // IP addresses or CIDR networks
	Outbound  string   // sip:host:port with a numeric host, perhaps ;transport=tcp; "": no calls go out over it
}
