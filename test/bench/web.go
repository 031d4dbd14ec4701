package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// measureStart starts the server on an empty directory, and again on one that is there.
func measureStart(ctx context.Context, r *report) error {
	info, err := os.Stat(program)
	if err != nil {
		return err
	}
	r.add("size of the binary", "< 40 MB", "%.1f MB", float64(info.Size())/1e6)
	const starts = 5
	var took times
	var idle int64
	for range starts {
		s, err := startServer(ctx)
		if err != nil {
			return err
		}
		took, idle = append(took, s.ready), s.usage().rss
		if err := s.stop(); err != nil {
			return err
		}
	}
	r.add("start on an empty directory to ready", "< 1 s", "%s (median of %d)", ms(took.at(0.5)), starts)
	r.add("RSS when idle", "peer 72 MB", "%s", megabytes(idle))
	return nil
}

// webTime is how long each rate of requests is measured.
const webTime = 4 * time.Second

// measureHTTP sends requests from clients that each wait for the answer; every 200 of a PATCH is on disk. The
// server has all processors here: on a single one, more clients were served less.
func measureHTTP(ctx context.Context, r *report) error {
	s, err := startServerOn(ctx, allCores)
	if err != nil {
		return err
	}
	const centers = 100
	paths := make([]string, centers)
	for i := range paths {
		c, err := s.openCenter(fmt.Sprintf("Center %d", i), nil)
		if err != nil {
			return err
		}
		paths[i] = "/api/v2/callcenters/" + c.id
	}
	for _, clients := range []int{1, 16, 64} {
		took, rate, err := s.requests(ctx, clients, func(client, n int) (string, string, any) {
			return "PATCH", paths[(client*7+n)%centers], object{"ring_seconds": 10 + n%36}
		})
		if err != nil {
			return err
		}
		r.add(fmt.Sprintf("durable PATCHes, clients: %d", clients), "no peer has them", "%.0f/s, %s", rate, took.spread())
	}
	took, rate, err := s.requests(ctx, 16, func(client, n int) (string, string, any) {
		return "GET", paths[(client*7+n)%centers], nil
	})
	if err != nil {
		return err
	}
	r.add("GETs, clients: 16", "", "%.0f/s, %s", rate, took.spread())
	return s.stop()
}

// requests sends what next says from each client in turn, for webTime.
func (s *server) requests(
	ctx context.Context, clients int, next func(client, n int) (method, path string, body any),
) (times, float64, error) {
	ctx, stop := context.WithTimeoutCause(ctx, webTime, nil)
	defer stop()
	var mu sync.Mutex
	var took times
	var failed error
	var wg sync.WaitGroup
	began := time.Now()
	for client := range clients {
		wg.Go(func() {
			var own times
			var err error
			for n := 0; ctx.Err() == nil && err == nil; n++ {
				method, path, body := next(client, n)
				sent := time.Now()
				_, err = s.api(method, path, body)
				own = append(own, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return took, float64(len(took)) / time.Since(began).Seconds(), failed
}
