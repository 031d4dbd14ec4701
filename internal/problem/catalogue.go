package problem

import "net/http"

// Reason is the stable name of a kind of error. Programs may compare it; the sentence beside it may change.
type Reason string

// The reasons (docs/reference/errors.md lists them with what to do about each).
const (
	BadRequest           Reason = "badRequest"
	Unauthorized         Reason = "unauthorized"
	Forbidden            Reason = "forbidden"
	Missing              Reason = "notFound"
	MethodNotAllowed     Reason = "methodNotAllowed"
	Conflict             Reason = "conflict"
	PreconditionFailed   Reason = "preconditionFailed"
	TooLarge             Reason = "tooLarge"
	UnsupportedMediaType Reason = "unsupportedMediaType"
	RangeNotSatisfiable  Reason = "rangeNotSatisfiable"
	RateLimited          Reason = "rateLimitExceeded"
	TooManyFailures      Reason = "tooManyFailures"
	Internal             Reason = "internalError"
	Unavailable          Reason = "unavailable"
)

// Entry is one kind of error: what each protocol answers and what a person reads.
type Entry struct {
	Reason   Reason
	HTTP     int    // the HTTP status
	SIP      int    // the SIP status for the same fact, where a call or a phone meets it
	Sentence string // said when nothing more precise is known
	Remedy   string // what the reader of the error can do
}

// Catalogue lists every kind of error in the order of the reference page.
var Catalogue = []Entry{
	{
		BadRequest, http.StatusBadRequest, 400,
		"The request is not valid.",
		"Read every entry of `errors`: each names one field and what it must be. Nothing was changed.",
	},
	{
		Unauthorized, http.StatusUnauthorized, 401,
		"A valid API key is required.",
		"Send `Authorization: Bearer KEY` or `?apikey=KEY`; make a key with `switchboard key create`.",
	},
	{
		Forbidden, http.StatusForbidden, 403,
		"This key has no right to do that.",
		"Use a company admin key, or a user key of somebody who has the right.",
	},
	{
		Missing, http.StatusNotFound, 404,
		"There is no such thing.",
		"Check the path and the id; what was deleted is gone for good.",
	},
	{
		MethodNotAllowed, http.StatusMethodNotAllowed, 405,
		"This path does not take that method.",
		"Use a method that the `Allow` header names.",
	},
	{
		Conflict, http.StatusConflict, 480,
		"The request conflicts with what is there.",
		"Look at what is there first; it may be done already.",
	},
	{
		PreconditionFailed, http.StatusPreconditionFailed, 412,
		"The record changed since it was read.",
		"Read it again, take the new `ETag` and repeat the change.",
	},
	{
		TooLarge, http.StatusRequestEntityTooLarge, 513,
		"The request body is too large.",
		"Send less than 256 KiB.",
	},
	{
		UnsupportedMediaType, http.StatusUnsupportedMediaType, 415,
		"The request body must be JSON.",
		"Send `Content-Type: application/json`, or none.",
	},
	{
		RangeNotSatisfiable, http.StatusRequestedRangeNotSatisfiable, 400,
		"The file does not have that range.",
		"Ask for less; `Content-Range` says how long the file is.",
	},
	{
		RateLimited, http.StatusTooManyRequests, 503,
		"Too many requests.",
		"Wait as many seconds as `Retry-After` says. What was refused is not counted.",
	},
	{
		TooManyFailures, http.StatusTooManyRequests, 403,
		"Too many failed attempts from this address.",
		"Wait as many seconds as `Retry-After` says, and check the key or the password.",
	},
	{
		Internal, http.StatusInternalServerError, 500,
		"Something went wrong on our side.",
		"The log of the server says more; the request may be repeated.",
	},
	{
		Unavailable, http.StatusServiceUnavailable, 503,
		"The server is stopping or not ready.",
		"Try again in a moment.",
	},
}

// Lookup finds the entry of a reason. It panics on one that is not in the catalogue: reasons are written in code.
func Lookup(reason Reason) Entry {
	for _, entry := range Catalogue {
		if entry.Reason == reason {
			return entry
		}
	}
	panic("problem: no such reason: " + string(reason))
}

// Anchor is where the documentation explains the entry, relative to the repository's root.
func (e Entry) Anchor() string { return "docs/reference/errors.md#" + string(e.Reason) }
