package httptask

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"switchboard/internal/egress"
	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// BenchmarkDo performs HTTP tasks against a server on loopback, 64 at once, with and without a secret in a header.
func BenchmarkDo(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":5,"name":"Support","ring_seconds":20}`)
	}))
	defer server.Close()
	guard, err := egress.New([]string{"127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := vault.Open(b.Context(), b.TempDir(), "", memory{}, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	if err := secrets.Put(b.Context(), "KEY", secret, nil); err != nil {
		b.Fatal(err)
	}
	c := New(Config{Transport: guard.Transport(), Secrets: secrets, Version: "1"})
	for name, authorization := range map[string]string{"plain": "none", "secret": "Bearer ${workflow.secrets.KEY}"} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(32)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					report := c.Do(b.Context(), run, attempt(flow.Map{
						"uri": server.URL + "/x", "method": "PATCH", "body": flow.Map{"ring_seconds": int64(20)},
						"headers": flow.Map{"X-Auth": authorization},
					}))
					if report.Status != flow.TaskCompleted {
						b.Error(report.Reason)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
