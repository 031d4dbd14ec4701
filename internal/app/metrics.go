package app

import (
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"switchboard/internal/auth"
)

// metricsPath is where counters are read, in the format of Prometheus, with an API key (docs/reference/metrics.md).
const metricsPath = "/metrics"

// metrics answers all that the parts count: what came, what was dropped and why.
func (a *App) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{parts: map[string]func() any{
		"sip":   func() any { return a.sip.Stats() },
		"media": func() any { return a.pool.Stats() },
		"store": func() any { return a.store.Stats() },

		"workflows": func() any { return a.runner.Stats() },
		"triggers":  func() any { return a.triggers.Stats() },
	}})
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.hasKey(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "An API key is needed: Authorization: Bearer KEY", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// hasKey says whether a request carries a valid key.
func (a *App) hasKey(r *http.Request) bool {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	id, secret, ok := auth.Parse(strings.TrimSpace(text))
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return false
	}
	key, ok, err := a.store.Key(r.Context(), id)
	return err == nil && ok && auth.Verify(key, secret, time.Now())
}

// collector turns the counting structs of the parts into metrics: switchboard_PART_FIELD, one for each number in them.
type collector struct{ parts map[string]func() any }

// Describe implements prometheus.Collector. The metrics follow the structs, so none are promised ahead.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for part, stats := range c.parts {
		collect(out, "switchboard_"+part, reflect.ValueOf(stats()))
	}
}

func collect(out chan<- prometheus.Metric, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field, name := v.Field(i), prefix+"_"+snake(v.Type().Field(i).Name)
		var value float64
		switch {
		case field.CanInt():
			value = float64(field.Int())
		case field.CanUint():
			value = float64(field.Uint())
		case field.Kind() == reflect.Struct:
			collect(out, prefix, field)
			continue
		default:
			continue
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, "", nil, nil), prometheus.UntypedValue, value)
	}
}

// snake writes RTCPPackets as rtcp_packets.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		after := i > 0 && unicode.IsLower(runes[i-1])
		before := i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && (after || before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
