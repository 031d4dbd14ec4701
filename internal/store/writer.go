package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// How long queued entries wait for company before they are written, and how long after a commit that failed.
const (
	flushEvery = 50 * time.Millisecond
	retryEvery = time.Second
)

// maxEntries bounds the queued entries of one commit, so that a change never waits behind all of them.
const maxEntries = 2048

// PanicError is what Update returns for a change that panicked: a programmer's error, of which nothing was kept.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("a change panicked: %v", e.Value) }

// request is one change on its way to the writer: change works on the settings, raw on other tables. One with neither
// asks whether the queued entries that were taken with it are on disk.
type request struct {
	ctx    context.Context
	by     Actor
	change func(*Tx) error
	raw    func(*writer) error
	err    error
	done   chan struct{}
}

// writer owns the one connection that writes.
type writer struct {
	s       *Store
	db      *sql.DB
	conn    *sql.Conn
	stmts   statements
	failed  bool  // the last attempt to write queued entries or runs
	rawErr  error // of the queued entries, for Flush
	runErr  error // of the queued runs
	changes []Change
	wrote   bool  // in this batch
	twice   int64 // entries of this batch that were there already
}

func (w *writer) close() error {
	var errs []error
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// run takes groups until the store closes, and then what is still queued.
func (w *writer) run() {
	for {
		batch, open := w.collect()
		w.commit(batch)
		if open {
			continue
		}
		for w.s.queue.len()+w.s.runs.len() > 0 && !w.failed {
			w.commit(nil)
		}
		return
	}
}

// collect waits for work and takes all changes that wait, at most MaxBatch.
func (w *writer) collect() (batch []*request, open bool) {
	var due <-chan time.Time
	for {
		if n := w.s.queue.len(); due == nil && (n > 0 || w.failed && w.s.runs.len() > 0) {
			switch {
			case w.failed:
				due = time.After(retryEvery)
			case n >= maxEntries:
				due = time.After(0)
			default:
				due = time.After(flushEvery)
			}
		}
		select {
		case r := <-w.s.inbox:
			return w.drain(append(batch, r)), true
		case <-w.s.queue.wake:
			if w.s.queue.len() >= maxEntries && !w.failed {
				return nil, true
			}
		case <-w.s.runs.wake:
			if !w.failed {
				return w.drain(nil), true
			}
		case <-due:
			return nil, true
		case <-w.s.closing:
			w.failed = false
			return nil, false
		}
	}
}

func (w *writer) drain(batch []*request) []*request {
	for len(batch) < w.s.opts.MaxBatch {
		select {
		case r := <-w.s.inbox:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// commit writes one group and answers everyone in it.
func (w *writer) commit(batch []*request) {
	entries, runs := w.s.queue.take(maxEntries), w.s.runs.take()
	if len(batch) == 0 && len(entries) == 0 && len(runs) == 0 {
		return
	}
	next := w.s.Snapshot().next()
	w.changes, w.wrote, w.twice, w.rawErr, w.runErr = nil, false, 0, nil, nil
	err := w.transaction(batch, entries, runs, next)
	if err != nil {
		w.rawErr, w.runErr = err, err
	}
	w.failed = w.rawErr != nil || w.runErr != nil
	if w.rawErr != nil {
		w.s.queue.putBack(entries)
	}
	if w.runErr != nil {
		w.s.runs.putBack(runs)
		runs = nil
	}
	if w.s.runs.len() > 0 && !w.failed {
		w.s.runs.nudge() // one wake-up stood for all of them
	}
	w.account(batch, entries, runs, err)
	if err == nil {
		w.s.current.Store(next)
		if len(w.changes) > 0 {
			w.announce()
		}
	}
	for _, r := range batch {
		close(r.done)
	}
	for _, r := range runs {
		r.done(r.err)
	}
}

// transaction is one BEGIN to COMMIT. When it fails, every request has an error and nothing was written.
func (w *writer) transaction(batch []*request, entries []entry, runs []*runWrite, next *Snapshot) error {
	fail := func(err error) error {
		err = fmt.Errorf("write to the database: %w", err)
		for _, r := range batch {
			if r.err == nil {
				r.err = err
			}
		}
		return err
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	err := w.fill(batch, entries, runs, next)
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back by itself (disk full); then there is nothing left to end.
		_ = w.exec("ROLLBACK")
		return fail(err)
	}
	return nil
}

func (w *writer) fill(batch []*request, entries []entry, runs []*runWrite, next *Snapshot) error {
	if len(entries) > 0 {
		var err error
		if w.rawErr, err = w.nested(func() error { return w.writeEntries(entries) }); err != nil {
			return err
		}
	}
	if len(runs) > 0 {
		var err error
		if w.runErr, err = w.writeRuns(runs); err != nil {
			return err
		}
	}
	seq := int64(0)
	if err := w.stmts.lastSeq.QueryRow().Scan(&seq); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, r := range batch {
		var err error
		switch {
		case r.ctx.Err() != nil:
			r.err = r.ctx.Err()
		case r.raw != nil:
			r.err, err = w.nested(func() error { return r.raw(w) })
		case r.change == nil:
			r.err = w.rawErr
		default:
			tx := &Tx{pending: next, w: w, by: r.by, now: w.s.opts.Now().UTC().Round(0), seq: seq}
			if r.err, err = w.change(tx, r.change); r.err == nil {
				seq = tx.seq
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change runs one change in memory and then writes its ops. The first error is the change's own, the second one ends
// the group.
func (w *writer) change(tx *Tx, change func(*Tx) error) (own, fatal error) {
	own = guarded(tx, change)
	if own == nil && len(tx.ops) > 0 {
		own, fatal = w.nested(func() error { return w.writeOps(tx) })
	}
	if own != nil || fatal != nil {
		for i := len(tx.ops) - 1; i >= 0; i-- {
			tx.ops[i].undo()
		}
		return own, fatal
	}
	for _, o := range tx.ops {
		w.changes = append(w.changes, o.change)
	}
	return nil, nil
}

func guarded(tx *Tx, change func(*Tx) error) (err error) {
	defer func() {
		tx.over = true
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return change(tx)
}

// nested runs f inside a SAVEPOINT, so that its failure leaves the rest of the group alone.
func (w *writer) nested(f func() error) (own, fatal error) {
	if err := w.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	own = f()
	if own != nil {
		if err := w.exec("ROLLBACK TO one"); err != nil {
			return own, errors.Join(own, err)
		}
	}
	w.wrote = w.wrote || own == nil
	return own, w.exec("RELEASE one")
}

func (w *writer) writeOps(tx *Tx) error {
	for _, o := range tx.ops {
		if err := o.write(w); err != nil {
			return fmt.Errorf("write %s %s: %w", o.change.Kind, o.id, err)
		}
		if err := w.writeHistory(o, tx.now); err != nil {
			return fmt.Errorf("write history of %s %s: %w", o.change.Kind, o.id, err)
		}
	}
	return nil
}

func (w *writer) account(batch []*request, entries []entry, runs []*runWrite, err error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	st := &w.s.stats
	st.Batches++
	st.LastError = cmp.Or(w.rawErr, w.runErr)
	if err != nil {
		return
	}
	if w.wrote {
		st.Commits++
	}
	for _, r := range batch {
		if r.err == nil && r.change != nil {
			st.Changes++
		}
	}
	for _, r := range runs {
		if r.err == nil {
			st.RunChanges += int64(len(r.changes))
		}
	}
	if w.rawErr == nil {
		st.Entries += int64(len(entries)) - w.twice
		st.Dropped += w.twice
	}
}

func (w *writer) announce() {
	w.s.mu.Lock()
	hooks := w.s.hooks
	w.s.mu.Unlock()
	for _, f := range hooks {
		f(w.changes)
	}
}
