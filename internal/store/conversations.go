package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// Conversation is what the sound of a call came to, or has come to so far. There are no words and no sound in it.
type Conversation struct {
	Call      route.CallID // of the visit
	Center    callcenter.ID
	Operator  callcenter.OperatorID // who talked
	Number    string                // of the far side, "" when withheld
	Direction string                // route.Inbound or route.Outbound
	At        time.Time             // when listening began
	Report    voice.Report
	Dropped   uint64 // frames that were taken too late
	Complete  bool   // false: it goes on, or a crash cut it off
}

// Averaged chooses the conversations of a call center or of an operator that began in [From, To).
type Averaged struct {
	Center   callcenter.ID // 0: any
	Operator callcenter.OperatorID
	From, To time.Time
}

// ConversationSum is what several conversations came to together. Of its Figures Monologue, LongestDead and
// LongestResponse are the longest of all; Paused and Held are not summed.
type ConversationSum struct {
	Center        callcenter.ID
	Operator      callcenter.OperatorID
	Conversations int
	voice.Figures
}

// conversationDoc is what only one conversation is asked for.
type conversationDoc struct {
	Report  voice.Report
	Dropped uint64
}

const conversationSQL = `SELECT call, center, operator, number, direction, at, complete, doc FROM conversation WHERE `

const saveConversationSQL = `INSERT OR REPLACE INTO conversation (call, center, operator, number, direction, at,
	complete, measured, talk_customer, talk_operator, turns_customer, turns_operator, monologue_customer,
	monologue_operator, overlap, interruptions, silence, dead_air, dead_airs, longest_dead, responses, response_total,
	longest_response, doc)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// SaveConversation queues a conversation, as Journal does. The same call again replaces it.
func (s *Store) SaveConversation(c Conversation) { s.queue.push(c) }

// Conversation finds the conversation of a call.
func (s *Store) Conversation(ctx context.Context, call route.CallID) (Conversation, bool, error) {
	list, err := query(ctx, s.readers, scanConversation, conversationSQL+"call = ?", int64(call))
	if err != nil || len(list) == 0 {
		return Conversation{}, false, err
	}
	return list[0], true, nil
}

// ConversationsOf lists the conversations with a number, oldest first.
func (s *Store) ConversationsOf(ctx context.Context, number string) ([]Conversation, error) {
	return query(ctx, s.readers, scanConversation, conversationSQL+"number = ? ORDER BY at, call", number)
}

// EraseConversations removes every conversation with a number, and says how many there were.
func (s *Store) EraseConversations(ctx context.Context, number string) (int64, error) {
	return s.changeConversations(ctx, "erase the conversations with a number",
		"DELETE FROM conversation WHERE number = ?", number)
}

// TrimConversations removes the conversations of a call center that began before a time, and says how many.
func (s *Store) TrimConversations(ctx context.Context, center callcenter.ID, before time.Time) (int64, error) {
	return s.changeConversations(ctx, "trim conversations",
		"DELETE FROM conversation WHERE center = ? AND at < ? AND complete = 1", int64(center), nanos(before))
}

// FinishConversations makes those complete that a crash cut off, and says how many. Nobody may be talking.
func (s *Store) FinishConversations(ctx context.Context) (int64, error) {
	return s.changeConversations(ctx, "finish conversations", "UPDATE conversation SET complete = 1 WHERE complete = 0")
}

func (s *Store) changeConversations(ctx context.Context, what, text string, args ...any) (n int64, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		res, err := w.conn.ExecContext(context.Background(), text, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	}})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

// ConversationSums adds up complete conversations: for a call center by operator, else by call center, in id order.
func (s *Store) ConversationSums(ctx context.Context, q Averaged) ([]ConversationSum, error) {
	return query(ctx, s.readers, scanSum, `SELECT center, operator, count(*), sum(measured), sum(talk_customer),
		sum(talk_operator), sum(turns_customer), sum(turns_operator), max(monologue_customer), max(monologue_operator),
		sum(overlap), sum(interruptions), sum(silence), sum(dead_air), sum(dead_airs), max(longest_dead), sum(responses),
		sum(response_total), max(longest_response)
		FROM conversation WHERE complete = 1 AND at >= ? AND at < ? AND (center = ?3 OR ?3 = 0) AND (operator = ?4 OR ?4 = 0)
		GROUP BY center, operator ORDER BY center, operator`,
		nanos(q.From), nanos(q.To), int64(q.Center), int64(q.Operator))
}

func scanSum(rows *sql.Rows) (s ConversationSum, err error) {
	customer, operator := &s.Legs[voice.Customer], &s.Legs[voice.Operator]
	err = rows.Scan(&s.Center, &s.Operator, &s.Conversations, &s.Measured, &customer.Talk, &operator.Talk,
		&customer.Turns, &operator.Turns, &customer.Monologue, &operator.Monologue, &s.Overlap, &s.Interruptions,
		&s.Silence, &s.DeadAir, &s.DeadAirs, &s.LongestDead, &s.Responses, &s.ResponseTotal, &s.LongestResponse)
	return s, err
}

func scanConversation(rows *sql.Rows) (c Conversation, err error) {
	var at int64
	var doc []byte
	err = rows.Scan(&c.Call, &c.Center, &c.Operator, &c.Number, &c.Direction, &at, &c.Complete, &doc)
	if err != nil {
		return c, err
	}
	var kept conversationDoc
	if err := json.Unmarshal(doc, &kept, jsonv1.FormatDurationAsNano(true)); err != nil {
		return c, err
	}
	c.At, c.Report, c.Dropped = instant(at), kept.Report, kept.Dropped
	return c, nil
}

func (c Conversation) write(w *writer) error {
	doc, err := json.Marshal(conversationDoc{c.Report, c.Dropped}, jsonv1.FormatDurationAsNano(true))
	if err != nil {
		return err
	}
	f := c.Report.Figures
	customer, operator := f.Legs[voice.Customer], f.Legs[voice.Operator]
	_, err = w.stmts.saveConversation.Exec(int64(c.Call), int64(c.Center), int64(c.Operator), c.Number, c.Direction,
		nanos(c.At), c.Complete, int64(f.Measured), int64(customer.Talk), int64(operator.Talk), customer.Turns,
		operator.Turns, int64(customer.Monologue), int64(operator.Monologue), int64(f.Overlap), f.Interruptions,
		int64(f.Silence), int64(f.DeadAir), f.DeadAirs, int64(f.LongestDead), f.Responses, int64(f.ResponseTotal),
		int64(f.LongestResponse), string(doc))
	return err
}
