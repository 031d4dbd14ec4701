package directory

import (
	"testing"
)

// typedSearches are as people type them; test/bench measures more of them.
var typedSearches = []string{
	"call center update", "github create issue", "stripe create customer", "slack post message", "get", "c",
	"google calendar insert event", "users", "PATCH /api/v2/callcenters", "twilio send sms",
}

func BenchmarkSearch(b *testing.B) {
	d := New(Config{Dir: b.TempDir()})
	d.Size()
	for b.Loop() {
		for _, words := range typedSearches {
			if _, err := d.Search(words, 20); err != nil {
				b.Fatal(err)
			}
		}
	}
}
