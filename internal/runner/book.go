package runner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// keptSnapshots bounds the snapshots that are kept in memory beside those that runs in memory have.
const keptSnapshots = 512

// book is what is registered: definitions and task definitions, all of it in memory. What is in it is never written to.
type book struct {
	mu       sync.RWMutex
	defs     map[string]map[int]*flow.Definition
	taskDefs map[string]*flow.TaskDef
	current  map[*flow.Definition]*snapshot // of registered definitions, with the task definitions as they are now
	byHash   map[string]*snapshot
	turn     int        // counts changes of task definitions
	writing  sync.Mutex // held by whoever changes what is on disk
}

func (b *book) read(ctx context.Context, s *store.Store) error {
	b.defs, b.taskDefs = map[string]map[int]*flow.Definition{}, map[string]*flow.TaskDef{}
	b.current, b.byHash = map[*flow.Definition]*snapshot{}, map[string]*snapshot{}
	programs, err := s.Programs(ctx)
	if err != nil {
		return err
	}
	for _, p := range programs {
		def := &flow.Definition{}
		if err := json.Unmarshal(p.Doc, def, flow.JSON); err != nil {
			return fmt.Errorf("decode definition %s, version %d: %w", p.Name, p.Version, err)
		}
		b.add(def)
	}
	docs, err := s.TaskDefs(ctx)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		def := &flow.TaskDef{}
		if err := json.Unmarshal(doc, def, flow.JSON); err != nil {
			return fmt.Errorf("decode a task definition: %w", err)
		}
		b.taskDefs[def.Name] = def
	}
	return nil
}

func (b *book) add(def *flow.Definition) {
	if b.defs[def.Name] == nil {
		b.defs[def.Name] = map[int]*flow.Definition{}
	}
	b.defs[def.Name][def.Version] = def
}

// definition finds one; version 0 is the latest.
func (b *book) definition(name string, version int) (*flow.Definition, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	versions := b.defs[name]
	if version == 0 && len(versions) > 0 {
		version = slices.Max(slices.Collect(maps.Keys(versions)))
	}
	def, ok := versions[version]
	return def, ok
}

// snapshot is def as a run that begins now takes it.
func (b *book) snapshot(def *flow.Definition) (*snapshot, error) {
	b.mu.RLock()
	snap, ok := b.current[def]
	var needed map[string]*flow.TaskDef
	if !ok {
		needed = b.needed(def)
	}
	turn := b.turn
	b.mu.RUnlock()
	if ok {
		return snap, nil
	}
	snap, err := newSnapshot(def, needed)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.byHash[string(snap.hash)]; known != nil {
		snap = known
	}
	b.keep(snap)
	if turn == b.turn && b.defs[def.Name][def.Version] == def {
		b.current[def] = snap
	}
	return snap, nil
}

// needed are the task definitions that tasks of def may look for. Which task a dynamic one becomes is not known yet.
func (b *book) needed(def *flow.Definition) map[string]*flow.TaskDef {
	needed, all := map[string]*flow.TaskDef{}, false
	eachTask(def.Tasks, func(t *flow.Task) {
		all = all || t.Type == flow.TypeDynamic || t.Type == flow.TypeForkDynamic
		if td, ok := b.taskDefs[t.Name]; ok {
			needed[t.Name] = td
		}
	})
	if all {
		return maps.Clone(b.taskDefs)
	}
	return needed
}

func (b *book) keep(snap *snapshot) {
	for hash := range b.byHash {
		if len(b.byHash) < keptSnapshots {
			break
		}
		delete(b.byHash, hash)
	}
	b.byHash[string(snap.hash)] = snap
}

// kept finds the snapshot that a run on disk has.
func (b *book) kept(ctx context.Context, s *store.Store, hash []byte) (*snapshot, error) {
	b.mu.RLock()
	snap := b.byHash[string(hash)]
	b.mu.RUnlock()
	if snap != nil {
		return snap, nil
	}
	doc, err := s.RunSnapshot(ctx, hash)
	if err != nil {
		return nil, err
	}
	if snap, err = readSnapshot(hash, doc); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.byHash[string(hash)]; known != nil {
		return known, nil
	}
	b.keep(snap)
	return snap, nil
}

// PutDefinition registers a definition, or with overwrite replaces the one of its name and version. What is wrong with
// it is an ErrInvalid with all problems; one that is there already an ErrConflict. def must not be written to
// afterwards. Runs under way keep the definition that they began with.
func (r *Runner) PutDefinition(ctx context.Context, by string, def *flow.Definition, overwrite bool) error {
	return r.PutDefinitions(ctx, by, []*flow.Definition{def}, overwrite)
}

// PutDefinitions is PutDefinition for several, all or none.
func (r *Runner) PutDefinitions(ctx context.Context, by string, defs []*flow.Definition, overwrite bool) error {
	r.book.writing.Lock()
	defer r.book.writing.Unlock()
	now := time.Now().UnixMilli()
	programs := make([]store.Program, 0, len(defs))
	for _, def := range defs {
		if err := r.checked(def, defs); err != nil {
			return err
		}
		old, exists := r.book.definition(def.Name, max(def.Version, 1))
		if exists && !overwrite {
			return conflict("workflow %s, version %d, exists already", def.Name, old.Version)
		}
		def.Version = max(def.Version, 1)
		stamp(&def.CreateTime, &def.UpdateTime, &def.CreatedBy, &def.UpdatedBy, now, by)
		if exists {
			def.CreateTime, def.CreatedBy = old.CreateTime, old.CreatedBy
		}
		doc, err := json.Marshal(def, flow.JSON)
		if err != nil {
			return fmt.Errorf("encode definition %s: %w", def.Name, err)
		}
		programs = append(programs, store.Program{Name: def.Name, Version: def.Version, Doc: doc})
	}
	if err := r.registerElsewhere(ctx, defs); err != nil {
		return err
	}
	if err := r.cfg.Store.PutPrograms(ctx, programs...); err != nil {
		return err
	}
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	for _, def := range defs {
		delete(r.book.current, r.book.defs[def.Name][def.Version])
		r.book.add(def)
	}
	return nil
}

func stamp(created, updated *int64, createdBy, updatedBy *string, now int64, by string) {
	*created, *updated, *createdBy, *updatedBy = now, now, by, by
}

// Check says what is wrong with a definition, without registering it.
func (r *Runner) Check(def *flow.Definition) error {
	return r.checked(def, nil)
}

// checked says what is wrong with a definition that is registered together with others.
func (r *Runner) checked(def *flow.Definition, others []*flow.Definition) error {
	known := flow.Known{
		Workflow: func(name string, version int) *flow.Definition {
			for _, other := range others {
				if other.Name == name && (version == 0 || version == max(other.Version, 1)) {
					return other
				}
			}
			found, _ := r.book.definition(name, version)
			return found
		},
		TaskDef: func(name string) *flow.TaskDef {
			found, _ := r.TaskDef(name)
			return found
		},
		Compiles: r.cfg.Compiles,
	}
	if known.Compiles == nil {
		known.Compiles = func(flow.Language, string) error { return nil }
	}
	return refusedFor(flow.Check(def, known))
}

// refusedFor is the ErrInvalid that problems amount to; nil if there are only warnings.
func refusedFor(problems []flow.Problem) error {
	for _, p := range problems {
		if !p.Warning {
			return &Error{Kind: ErrInvalid, Message: p.Path + ": " + p.Message, Problems: problems}
		}
	}
	return nil
}

// Definition finds a registered definition; version 0 is the latest. It must not be written to.
func (r *Runner) Definition(name string, version int) (*flow.Definition, bool) {
	return r.book.definition(name, version)
}

// Definitions lists all of them by name and version. They must not be written to.
func (r *Runner) Definitions() []*flow.Definition {
	r.book.mu.RLock()
	defer r.book.mu.RUnlock()
	var list []*flow.Definition
	for _, versions := range r.book.defs {
		list = slices.AppendSeq(list, maps.Values(versions))
	}
	slices.SortFunc(list, func(a, b *flow.Definition) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return list
}

// DeleteDefinition forgets a definition. Runs under way go on with it.
func (r *Runner) DeleteDefinition(ctx context.Context, name string, version int) error {
	r.book.writing.Lock()
	defer r.book.writing.Unlock()
	def, ok := r.book.definition(name, version)
	if !ok {
		return notFound("there is no workflow %s, version %d", name, version)
	}
	if err := r.cfg.Store.DropProgram(ctx, name, def.Version); err != nil {
		return err
	}
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	delete(r.book.current, def)
	delete(r.book.defs[name], def.Version)
	if len(r.book.defs[name]) == 0 {
		delete(r.book.defs, name)
	}
	return nil
}

// PutTaskDefs registers what holds for tasks of a name, in the place of what did; all or none. Runs that begin later
// take it up. The definitions must not be written to afterwards.
func (r *Runner) PutTaskDefs(ctx context.Context, by string, defs ...*flow.TaskDef) error {
	r.book.writing.Lock()
	defer r.book.writing.Unlock()
	docs, now := map[string][]byte{}, time.Now().UnixMilli()
	for _, def := range defs {
		if err := refusedFor(flow.CheckTaskDef(def)); err != nil {
			return err
		}
		stamp(&def.CreateTime, &def.UpdateTime, &def.CreatedBy, &def.UpdatedBy, now, by)
		if old, ok := r.TaskDef(def.Name); ok {
			def.CreateTime, def.CreatedBy = old.CreateTime, old.CreatedBy
		}
		doc, err := json.Marshal(def, flow.JSON)
		if err != nil {
			return fmt.Errorf("encode task definition %s: %w", def.Name, err)
		}
		docs[def.Name] = doc
	}
	if err := r.cfg.Store.PutTaskDefs(ctx, docs); err != nil {
		return err
	}
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	for _, def := range defs {
		r.book.taskDefs[def.Name] = def
	}
	r.book.turn++
	clear(r.book.current)
	return nil
}

// TaskDef finds what holds for tasks of a name. It must not be written to.
func (r *Runner) TaskDef(name string) (*flow.TaskDef, bool) {
	r.book.mu.RLock()
	defer r.book.mu.RUnlock()
	def, ok := r.book.taskDefs[name]
	return def, ok
}

// TaskDefs lists all of them by name. They must not be written to.
func (r *Runner) TaskDefs() []*flow.TaskDef {
	r.book.mu.RLock()
	defer r.book.mu.RUnlock()
	return slices.SortedFunc(maps.Values(r.book.taskDefs), func(a, b *flow.TaskDef) int {
		return cmp.Compare(a.Name, b.Name)
	})
}

// DeleteTaskDef forgets what holds for tasks of a name.
func (r *Runner) DeleteTaskDef(ctx context.Context, name string) error {
	r.book.writing.Lock()
	defer r.book.writing.Unlock()
	if _, ok := r.TaskDef(name); !ok {
		return notFound("there is no task definition %s", name)
	}
	if err := r.cfg.Store.DropTaskDef(ctx, name); err != nil {
		return err
	}
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	delete(r.book.taskDefs, name)
	r.book.turn++
	clear(r.book.current)
	return nil
}
