package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// childDir names the directory in which this program, started as a child, writes until it is killed.
const childDir = "SWITCHBOARD_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever makes and changes call centers from eight goroutines and prints each id and version once acknowledged.
func writeForever(dir string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex // keeps lines whole
	failed := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			var id callcenter.ID
			for n := 0; ; n++ {
				var version int64
				err := s.Update(context.Background(), "child", func(tx *Tx) error {
					if n%4 == 0 {
						id = callcenter.ID(tx.NewID())
					}
					c := center(id, fmt.Sprintf("change %d", n), 1, 2)
					err := tx.PutCenter(c)
					version = c.Version
					return err
				})
				if err != nil {
					failed <- err
					return
				}
				s.SaveCall(route.CallRecord{Call: route.CallID(n + 1)})
				mu.Lock()
				fmt.Println(id, version)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return <-failed
}

func TestNoAcknowledgedChangeIsLostByKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[callcenter.ID]int64{}
	for round := range 10 {
		killWriter(t, dir, 20+rand.IntN(120), acknowledged)
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		for id, version := range acknowledged {
			c, ok := s.Snapshot().Center(id)
			if !ok || c.Version < version {
				t.Errorf("round %d: center %d was acknowledged at version %d and is %+v", round, id, version, c)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 10*5 {
		t.Errorf("only %d centers were acknowledged: this proves nothing", len(acknowledged))
	}
}

// killWriter starts a child, notes what it acknowledges, and kills it after so many lines; what it got to print before
// the kill counts too.
func killWriter(t *testing.T, dir string, after int, acknowledged map[callcenter.ID]int64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		var id callcenter.ID
		var version int64
		if _, err := fmt.Sscan(lines.Text(), &id, &version); err != nil {
			t.Logf("a line cut by the kill: %q", lines.Text())
			continue
		}
		acknowledged[id] = max(acknowledged[id], version)
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() >= 0 {
		t.Errorf("the child was not killed: %v", err)
	}
}
