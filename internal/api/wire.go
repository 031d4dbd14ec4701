package api

import (
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// centerBody is a CallCenter of the document. Every setting is shown with its effective value.
type centerBody struct {
	ID       callcenter.ID       `json:"id"`
	OfficeID callcenter.OfficeID `json:"office_id"`
	State    callcenter.State    `json:"state"`
	Country  string              `json:"country,omitzero"`
	callcenter.Patch
	PhoneNumbers       []string                      `json:"phone_numbers"`
	AvailabilityStatus callcenter.AvailabilityStatus `json:"availability_status"`
	FirstAction        string                        `json:"first_action"`
	NoOperatorsAction  callcenter.Action             `json:"no_operators_action"`
}

// statusBody is a CallCenterStatus of the document.
type statusBody struct {
	Availability struct {
		Status callcenter.AvailabilityStatus `json:"status"`
		Name   string                        `json:"name,omitzero"`
	} `json:"availability"`
	Capacity            int   `json:"capacity"`
	OnDutyOperators     int   `json:"on_duty_operators"`
	Pending             int   `json:"pending"`
	LongestCallWaitTime int64 `json:"longest_call_wait_time"` // seconds
}

// dutyBody is a DutyStatus of the document.
type dutyBody struct {
	UserID    callcenter.OperatorID `json:"user_id"`
	OnDuty    bool                  `json:"on_duty"`
	Status    string                `json:"on_duty_status"`
	Reason    string                `json:"duty_status_reason,omitzero"`
	Started   int64                 `json:"duty_status_started"`
	OnStarted int64                 `json:"on_duty_started,omitzero"`
}

// skillBody is a Skill of the document.
type skillBody struct {
	CenterID   callcenter.ID         `json:"call_center_id"`
	UserID     callcenter.OperatorID `json:"user_id"`
	SkillLevel int                   `json:"skill_level"`
}

// officeBody is an Office of the document.
type officeBody struct {
	ID           callcenter.OfficeID  `json:"id"`
	OfficeID     callcenter.OfficeID  `json:"office_id"`
	CompanyID    callcenter.CompanyID `json:"company_id"`
	Name         string               `json:"name"`
	Country      string               `json:"country,omitzero"`
	Timezone     string               `json:"timezone"`
	State        callcenter.State     `json:"state"`
	IsPrimary    bool                 `json:"is_primary_office"`
	PhoneNumbers []string             `json:"phone_numbers"`
}

// userBody is a User of the document.
type userBody struct {
	ID             callcenter.OperatorID `json:"id"`
	CompanyID      callcenter.CompanyID  `json:"company_id"`
	OfficeID       callcenter.OfficeID   `json:"office_id"`
	FirstName      string                `json:"first_name,omitzero"`
	LastName       string                `json:"last_name,omitzero"`
	DisplayName    string                `json:"display_name,omitzero"`
	Emails         []string              `json:"emails"`
	Extension      string                `json:"extension,omitzero"`
	Country        string                `json:"country,omitzero"`
	Timezone       string                `json:"timezone,omitzero"`
	License        string                `json:"license,omitzero"`
	State          callcenter.State      `json:"state"`
	IsAdmin        bool                  `json:"is_admin"`
	IsCompanyAdmin bool                  `json:"is_super_admin"`
	AdminOffices   []callcenter.OfficeID `json:"admin_office_ids"`
	DoNotDisturb   bool                  `json:"do_not_disturb"`
	IsOnDuty       bool                  `json:"is_on_duty"`
	OnDutyStatus   string                `json:"on_duty_status"`
	Reason         string                `json:"duty_status_reason,omitzero"`
	DutyStarted    string                `json:"duty_status_started"`
	OnDutyStarted  string                `json:"on_duty_started,omitzero"`
	IsAvailable    bool                  `json:"is_available"`
	IsOnline       bool                  `json:"is_online"`
	DateAdded      string                `json:"date_added"`
	DateActive     string                `json:"date_active"`
	PhoneNumbers   []string              `json:"phone_numbers"`
	Groups         []groupBody           `json:"group_details"`
}

// groupBody is a GroupDetails of the document.
type groupBody struct {
	ID           callcenter.ID         `json:"group_id"`
	Type         callcenter.TargetType `json:"group_type"`
	Role         callcenter.Role       `json:"role"`
	DoNotDisturb bool                  `json:"do_not_disturb"`
}

// userOrRoomBody is a UserOrRoom of the document.
type userOrRoomBody struct {
	ID           callcenter.OperatorID `json:"id"`
	Name         string                `json:"name,omitzero"`
	CompanyID    callcenter.CompanyID  `json:"company_id"`
	OfficeID     callcenter.OfficeID   `json:"office_id"`
	Country      string                `json:"country,omitzero"`
	State        callcenter.State      `json:"state"`
	IsOnDuty     bool                  `json:"is_on_duty"`
	PhoneNumbers []string              `json:"phone_numbers"`
}

// numberBody is a Number of the document.
type numberBody struct {
	Number     string                  `json:"number"`
	Status     callcenter.NumberStatus `json:"status"`
	TargetID   int64                   `json:"target_id,omitzero"`
	TargetType callcenter.TargetType   `json:"target_type,omitzero"`
	Type       string                  `json:"type"`
	AreaCode   string                  `json:"area_code,omitzero"`
	OfficeID   callcenter.OfficeID     `json:"office_id,omitzero"`
	CompanyID  callcenter.CompanyID    `json:"company_id"`
	Deleted    bool                    `json:"deleted,omitzero"`
}

// deviceBody is a Device of the document.
type deviceBody struct {
	ID       callcenter.DeviceID   `json:"id"`
	UserID   callcenter.OperatorID `json:"user_id"`
	Kind     callcenter.DeviceKind `json:"kind"`
	Contact  string                `json:"contact,omitzero"`
	Username string                `json:"username,omitzero"`
	Password string                `json:"password,omitzero"` // in the answer that makes the device, never again
	State    string                `json:"state"`
}

// trunkBody is a Trunk of the document.
type trunkBody struct {
	ID        callcenter.TrunkID `json:"id"`
	Name      string             `json:"name"`
	Addresses []string           `json:"addresses"`
	Outbound  string             `json:"outbound,omitzero"`
}

// messageBody is a Voicemail of the document.
type messageBody struct {
	ID         int64                   `json:"id"`
	Call       route.CallID            `json:"call_id"`
	TargetID   int64                   `json:"target_id"`
	TargetType callcenter.TargetType   `json:"target_type"`
	From       string                  `json:"external_number,omitzero"`
	Date       int64                   `json:"date"`
	Duration   int64                   `json:"duration"` // milliseconds
	Reason     string                  `json:"reason,omitzero"`
	ListenedBy []callcenter.OperatorID `json:"listened_by"`
}

// revisionBody is a Revision of the document.
type revisionBody struct {
	ID     int64        `json:"id"`
	Date   int64        `json:"date"`
	Actor  string       `json:"actor"`
	Before *historyBody `json:"before,omitzero"`
	After  *historyBody `json:"after,omitzero"`
}

// historyBody is a call center as the history shows it: what a PATCH can set, and its operators.
type historyBody struct {
	ID       callcenter.ID       `json:"id"`
	OfficeID callcenter.OfficeID `json:"office_id"`
	State    callcenter.State    `json:"state"`
	callcenter.Patch
	Operators []memberBody `json:"operators"`
}

// memberBody is an operator in a historyBody.
type memberBody struct {
	UserID       callcenter.OperatorID `json:"user_id"`
	Role         callcenter.Role       `json:"role"`
	SkillLevel   int                   `json:"skill_level"`
	DoNotDisturb bool                  `json:"do_not_disturb"`
}

// page is one page of a list. Cursor is empty on the last one.
type page[T any] struct {
	Cursor string `json:"cursor,omitzero"`
	Items  []T    `json:"items"`
}

// millis is a time as most of the API writes it; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// naive is a time as users' objects write it: UTC, without saying so.
func naive(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}

func displayName(user *callcenter.User) string {
	name := strings.TrimSpace(user.FirstName + " " + user.LastName)
	if name == "" && len(user.Emails) > 0 {
		name = user.Emails[0]
	}
	return name
}

// shown is the settings as answers show them: every value is there, empty texts are not.
func shown(settings callcenter.Settings, timezone string) callcenter.Patch {
	patch := settings.Patch()
	if settings.GroupDescription == "" {
		patch.GroupDescription = nil
	}
	patch.Timezone = &timezone
	return patch
}
