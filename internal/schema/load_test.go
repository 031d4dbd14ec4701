package schema_test

import (
	"testing"

	"switchboard/internal/schema"
	"switchboard/openapi"
)

func TestLoadTheRealDocument(t *testing.T) {
	s, err := schema.Load(openapi.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Operations()); got < 40 {
		t.Fatalf("%d operations", got)
	}
	r := s.Check("callcenters.update", []byte(`{"name":"x","ring_seconds":"50","hold_queue":{"max_hold_seconds":20.5,"a b,":1},"routing_options":{"open":{"action":"menu","dtmf":[{"input":"1"},{"input":"*"}]}},"monday_hours":["25:00"]}`))
	for _, p := range r.Problems {
		t.Log(p)
	}
	t.Logf("%q %s", r.Ignored, r.JSON)
}
