package callcenter

import "strings"

// Problem is one bad field of a Patch. Field is its dotted path in the request, places in lists as numbers from 0
// (routing_options.open.dtmf.1.input); Message is a sentence without subject ("must be from 10 to 45").
type Problem struct{ Field, Message string }

// Problems are all bad fields of a Patch, in the order of the settings. Empty: none. As an error use Err, since an
// error that holds an empty Problems is not nil.
type Problems []Problem

// Error lists every field with its message.
func (p Problems) Error() string {
	parts := make([]string, 0, len(p))
	for _, one := range p {
		parts = append(parts, one.Field+" "+one.Message)
	}
	return strings.Join(parts, "; ")
}

// Err is p as an error, nil when there is no problem.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
