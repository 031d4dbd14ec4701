package app

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"switchboard/internal/engine"
	"switchboard/internal/exchange"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/voice"
)

const (
	// talkEvery is how often the pages are told of conversations that go on, and maxTalks of how many each time: with
	// more they take turns.
	talkEvery = time.Second
	maxTalks  = 50

	freshTurns = 8                // the last turns, told each time
	shownTurns = 60               // those that a page which opens now is told
	saveEvery  = 30 * time.Second // so much of a conversation a crash may cost
)

// conversations measures the calls that are listened to, and keeps what they came to.
type conversations struct {
	store *store.Store
	log   *slog.Logger

	mu   sync.Mutex
	live map[route.CallID]*conversation
}

// conversation is one of them, as the media's listener.
type conversation struct {
	of *conversations

	mu    sync.Mutex
	meter voice.Meter
	kept  store.Conversation
	saved time.Duration
}

func newConversations(db *store.Store, log *slog.Logger) *conversations {
	return &conversations{store: db, log: log, live: map[route.CallID]*conversation{}}
}

// Begin implements exchange.Voices.
func (v *conversations) Begin(order route.StartVoice, number string, at time.Time) exchange.Listener {
	c := &conversation{of: v, kept: store.Conversation{
		Call: order.Call, Center: order.Center, Operator: order.Operator, Number: number, Direction: order.Direction,
		At: at,
	}}
	v.mu.Lock()
	v.live[order.Call] = c
	v.mu.Unlock()
	return c
}

// Frame implements exchange.Listener.
func (c *conversation) Frame(leg voice.Leg, at time.Duration, pcm []int16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meter.Frame(leg, at, pcm)
}

// Turn implements exchange.Listener.
func (c *conversation) Turn(at time.Duration, state voice.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meter.Turn(at, state)
}

// Tick implements exchange.Listener. Now and then what there is is saved.
func (c *conversation) Tick(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meter.Tick(at)
	if at-c.saved >= saveEvery {
		c.saved = at
		c.of.store.SaveConversation(c.now())
	}
}

// Ended implements exchange.Listener.
func (c *conversation) Ended(at time.Duration, dropped uint64) {
	c.mu.Lock()
	c.meter.End(at)
	c.kept.Complete, c.kept.Dropped = true, dropped
	last := c.now()
	c.mu.Unlock()
	if at > 0 {
		c.of.store.SaveConversation(last)
	}
	if dropped > 0 {
		c.of.log.Warn("a conversation was measured with gaps: the server was too slow", "call", last.Call, "frames", dropped)
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.of.live[last.Call] == c {
		delete(c.of.live, last.Call)
	}
}

// now is the conversation as far as it went. Called with mu held.
func (c *conversation) now() store.Conversation {
	kept := c.kept
	kept.Report = c.meter.Report()
	return kept
}

// Conversation implements api.Conversations: one that goes on, else what is kept of it.
func (v *conversations) Conversation(ctx context.Context, call route.CallID) (store.Conversation, bool, error) {
	v.mu.Lock()
	c := v.live[call]
	v.mu.Unlock()
	if c == nil {
		return v.store.Conversation(ctx, call)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(), true, nil
}

// ConversationSums implements api.Conversations.
func (v *conversations) ConversationSums(ctx context.Context, q store.Averaged) ([]store.ConversationSum, error) {
	return v.store.ConversationSums(ctx, q)
}

// talks are the conversations that go on, by call, with their last turns.
func (v *conversations) talks(turns int) []engine.Talk {
	v.mu.Lock()
	live := make([]*conversation, 0, len(v.live))
	for _, c := range v.live { // sorted below
		live = append(live, c)
	}
	v.mu.Unlock()
	slices.SortFunc(live, func(a, b *conversation) int { return cmp.Compare(a.kept.Call, b.kept.Call) })
	list := make([]engine.Talk, 0, len(live))
	for _, c := range live {
		c.mu.Lock()
		list = append(list, engine.Talk{Call: c.kept.Call, Began: c.kept.At, Report: c.meter.Recent(turns)})
		c.mu.Unlock()
	}
	return list
}

// tell tells the pages of the conversations that go on, until the context ends.
func (v *conversations) tell(ctx context.Context, say func([]engine.Talk)) {
	ticker := time.NewTicker(talkEvery)
	defer ticker.Stop()
	var last route.CallID
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if list := turnOf(v.talks(freshTurns), last); len(list) > 0 {
			last = list[len(list)-1].Call
			say(list)
		}
	}
}

// turnOf are those whose turn it is: the next behind one, and from the start again.
func turnOf(all []engine.Talk, last route.CallID) []engine.Talk {
	if len(all) <= maxTalks {
		return all
	}
	from, _ := slices.BinarySearchFunc(all, last+1, func(t engine.Talk, id route.CallID) int {
		return cmp.Compare(t.Call, id)
	})
	return slices.Concat(all[from:], all[:from])[:maxTalks]
}
