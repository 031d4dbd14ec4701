package route

import (
	"fmt"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// benchMachine has one center with so many operators, all free.
func benchMachine(operators int, strategy callcenter.Strategy) *Machine {
	m := New(Config{Company: 1, Seed: 1})
	benchCenter(m, 1, operators, strategy)
	return m
}

// benchCenter adds a center with operators of its own.
func benchCenter(m *Machine, at callcenter.ID, operators int, strategy callcenter.Strategy) {
	c := &callcenter.Center{ID: at, State: callcenter.StateActive, Settings: callcenter.Defaults("Bench")}
	c.Extras = callcenter.DefaultExtras()
	c.Settings.Timezone = "UTC"
	c.Settings.RoutingOptions.Open.OperatorRouting = strategy
	c.Settings.HoldQueue.MaxHoldCount = 1000
	c.Settings.HoldQueue.MaxHoldSeconds = 18000
	for i := range operators {
		id := callcenter.OperatorID(int(at-1)*operators + i + 1)
		m.Step(scriptStart, OperatorChanged{Operator{
			ID: id, Name: fmt.Sprintf("Op %d", i), Active: true,
			Devices: []Device{{ID: callcenter.DeviceID(id), Static: true}}, Duty: callcenter.Duty{On: true},
		}})
		c.Members = append(c.Members, callcenter.Member{Operator: id, SkillLevel: i % 100})
	}
	m.Step(scriptStart, CenterChanged{Center: c})
}

// BenchmarkStepCrowd is the same as BenchmarkStepWaiting with 10,000 callers in the lines of ten centers, each of which
// has ten operators. The time is of one step.
func BenchmarkStepCrowd(b *testing.B) {
	const lines, staff, waiting = 10, 10, 1000
	m := New(Config{Company: 1, Seed: 1})
	now, next := scriptStart, CallID(1)
	arrive := func() {
		now = now.Add(time.Millisecond)
		at := callcenter.ID(next%lines) + 1
		m.Step(now, CallArrived{Call: next, Center: at, From: "+15550100"})
		next++
	}
	for at := range callcenter.ID(lines) {
		benchCenter(m, at+1, staff, callcenter.LongestIdle)
	}
	for range lines * staff {
		arrive()
		m.Step(now, LegAnswered{LegID{next - 1, 1}})
	}
	for range lines * waiting {
		arrive()
	}
	oldest := CallID(1)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 3 {
		now = now.Add(time.Millisecond)
		m.Step(now, CallerHungUp{Call: oldest})
		m.Step(now, LegAnswered{LegID{oldest + lines*staff, 1}})
		arrive()
		oldest++
		if i%999 == 0 {
			m.Changed()
		}
	}
	if v, _ := m.Center(1); v.Waiting != waiting {
		b.Fatalf("%d callers wait", v.Waiting)
	}
}

// BenchmarkStep is the life of a call: arrival, answer, hangup. The time is of one step.
func BenchmarkStep(b *testing.B) {
	m := benchMachine(100, callcenter.LongestIdle)
	now := scriptStart
	b.ReportAllocs()
	for i := 0; i < b.N; i += 3 {
		id := CallID(i + 1)
		now = now.Add(time.Second)
		m.Step(now, CallArrived{Call: id, Center: 1, From: "+15550100"})
		m.Step(now, LegAnswered{LegID{id, 1}})
		m.Step(now, CallerHungUp{Call: id})
		if i%999 == 0 {
			m.Changed()
		}
	}
}

// BenchmarkStepWaiting is the life of a call with 1,000 callers waiting and 100 operators talking: an operator turns
// free, the longest waiting is rung and answered, and a new caller joins the line. The time is of one step.
func BenchmarkStepWaiting(b *testing.B) {
	for _, s := range strategies[:5] {
		b.Run(string(s), func(b *testing.B) {
			m := benchMachine(100, s)
			now := scriptStart
			next := CallID(1)
			arrive := func() {
				m.Step(now, CallArrived{Call: next, Center: 1, From: "+15550100"})
				next++
			}
			for range 100 {
				arrive()
				m.Step(now, LegAnswered{LegID{next - 1, 1}})
			}
			for range 1000 {
				now = now.Add(time.Millisecond)
				arrive()
			}
			oldest := CallID(1)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += 3 {
				now = now.Add(time.Millisecond)
				m.Step(now, CallerHungUp{Call: oldest})
				m.Step(now, LegAnswered{LegID{oldest + 100, 1}})
				arrive()
				oldest++
				if i%999 == 0 {
					m.Changed()
				}
			}
			if v, _ := m.Center(1); v.Waiting != 1000 {
				b.Fatalf("%d callers wait", v.Waiting)
			}
		})
	}
}
