package sim

import "math"

// Queue is a line with Poisson arrivals and exponential service, whose figures theory knows: Erlang C, and Erlang A
// with patience. Rates are per second (docs/reference/routing.md, "What theory says").
type Queue struct {
	Arrivals float64
	Service  float64 // per operator
	Leaving  float64 // per waiting caller; 0: nobody leaves
	Servers  int
}

// Theory is what a Queue comes to in the long run.
type Theory struct {
	Waits     float64 // share who wait at all
	Abandons  float64 // share who leave
	Wait      float64 // mean seconds, of all callers
	Occupancy float64 // of the operators
	Stable    bool    // otherwise the line grows for ever and the rest is zero
}

// statesPastServers bounds the chain of states: more callers waiting than that have no weight in any queue that we ask
// about (below 1e-12 of the whole).
const statesPastServers = 4000

// Theory solves the birth-death chain of the queue.
func (q Queue) Theory() Theory {
	load := q.Arrivals / q.Service
	if q.Leaving == 0 && load >= float64(q.Servers) {
		return Theory{}
	}
	weight, total, waiting, queued, busy := 1.0, 1.0, 0.0, 0.0, 0.0
	for n := 1; n <= q.Servers+statesPastServers; n++ {
		serving := math.Min(float64(n), float64(q.Servers))
		weight *= q.Arrivals / (serving*q.Service + math.Max(0, float64(n-q.Servers))*q.Leaving)
		total += weight
		busy += weight * serving
		if n >= q.Servers {
			waiting += weight
			queued += weight * float64(n-q.Servers)
		}
	}
	return Theory{
		Waits:     waiting / total,
		Abandons:  q.Leaving * queued / total / q.Arrivals,
		Wait:      queued / total / q.Arrivals,
		Occupancy: busy / total / float64(q.Servers),
		Stable:    true,
	}
}

// Level is the share answered within seconds where nobody leaves (Erlang C).
func (q Queue) Level(seconds float64) float64 {
	t := q.Theory()
	if !t.Stable {
		return 0
	}
	return 1 - t.Waits*math.Exp(-(float64(q.Servers)*q.Service-q.Arrivals)*seconds)
}
