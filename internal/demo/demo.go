// Package demo runs a server with a make-believe company: operators and callers who are real SIP phones over loopback,
// with real audio, in the same process.
//
// It refuses shortcuts into the server: its people register, ring, answer, talk and hang up over the network, and its
// operators go back on duty through the API, as a program of an integrator would.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/audio"
	"switchboard/internal/media"
	"switchboard/internal/softphone"
)

// Config is a demo. Speed compresses the day: at the default of 144 a day of arrivals takes ten minutes.
type Config struct {
	Server   app.Config
	Out      io.Writer
	Terminal bool // Out is watched by a person: the status line moves in place
	Seed     uint64
	Speed    float64
	Quiet    bool // no callers: for those who want to call by themselves
}

// callbacksAnHour is how many calls out the demo allows itself: none of them leaves the computer.
const callbacksAnHour = 2000

// DefaultSpeed makes a day of arrivals take ten minutes.
const DefaultSpeed = 144

// world is a running demo.
type world struct {
	cfg     Config
	server  *app.App
	company *company
	voice   *media.Track
	key     string

	mu     sync.Mutex
	random *rand.Rand
	wg     sync.WaitGroup
}

// Run starts the server and its people, prints how to use it, and goes on until the context ends.
func Run(ctx context.Context, cfg Config) (err error) {
	if cfg.Speed == 0 {
		cfg.Speed = DefaultSpeed
	}
	cfg.Server.DialCap = max(cfg.Server.DialCap, callbacksAnHour)
	started := time.Now()
	server, err := app.New(ctx, cfg.Server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	w := &world{
		cfg: cfg, server: server, voice: media.NewTrack(audio.Music()),
		random: rand.New(rand.NewPCG(cfg.Seed, 1)),
	}
	if !server.FirstStart() {
		return errors.New("this data directory already holds a company; the demo wants an empty one (--data DIR)")
	}
	people, err := softphone.Open(softphone.Config{Server: server.SIPAddr()})
	if err != nil {
		return err
	}
	living, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		err = errors.Join(err, people.Close())
		w.wg.Wait()
	}()
	people.Others(func(call *softphone.Call) { w.calledBack(living, call) })
	if w.company, err = found(ctx, server.Store(), server.Networks(), people.Addr()); err != nil {
		return fmt.Errorf("found the demo company: %w", err)
	}
	if w.key, err = server.NewAdminKey(ctx, "demo"); err != nil {
		return err
	}
	if err := w.staff(living, people); err != nil {
		return err
	}
	if !cfg.Quiet {
		w.wg.Go(func() { w.arrivals(living, people) })
	}
	if err := w.greet(ctx, time.Since(started)); err != nil {
		return err
	}
	w.wg.Go(func() { w.report(living) })
	return server.Run(ctx)
}

// chance draws from the demo's generator, which its goroutines share.
func (w *world) chance(probability float64) bool { return w.uniform() < probability }

func (w *world) uniform() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.Float64()
}

// about draws an exponential time with the mean given, at least least.
func (w *world) about(mean, least time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return least + time.Duration(w.random.ExpFloat64()*float64(mean-least))
}

// sleep waits; false when the context ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
