package callcenter

// Availability says whether a call center takes calls at an instant, and under which holiday.
type Availability struct {
	Status  AvailabilityStatus
	Holiday string // its name, while one rules
}

// AvailabilityStatus is one of the four constants below.
type AvailabilityStatus string

// The availability of a call center, by the names of the API.
const (
	Open          AvailabilityStatus = "open"
	Closed        AvailabilityStatus = "closed"
	HolidayOpen   AvailabilityStatus = "holiday_open"
	HolidayClosed AvailabilityStatus = "holiday_closed"
)

// IsOpen says whether the open branch applies.
func (a Availability) IsOpen() bool { return a.Status == Open || a.Status == HolidayOpen }
