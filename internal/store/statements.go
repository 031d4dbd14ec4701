package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// putSQL and removeSQL write the records of each table.
var putSQL = map[string]string{
	"company":    upsertByID("company"),
	"office":     upsertByID("office"),
	"callcenter": upsertByID("callcenter"),
	"user":       upsertByID("user"),
	"trunk":      upsertByID("trunk"),
	"api_key":    upsertByID("api_key"),

	"call_router":   upsertByID("call_router"),
	"webhook":       upsertByID("webhook"),
	"subscription":  upsertByID("subscription"),
	"custom_prompt": upsertByID("custom_prompt"),

	"number": `INSERT INTO number (e164, seq, version, doc) VALUES (?, ?, ?, ?)
		ON CONFLICT (e164) DO UPDATE SET version = excluded.version, doc = excluded.doc`,
	"device": `INSERT INTO device (id, seq, version, doc, username) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, doc = excluded.doc, username = excluded.username`,
}

var removeSQL = map[string]string{
	"office":     "DELETE FROM office WHERE id = ?",
	"callcenter": "DELETE FROM callcenter WHERE id = ?",
	"user":       "DELETE FROM user WHERE id = ?",
	"device":     "DELETE FROM device WHERE id = ?",
	"number":     "DELETE FROM number WHERE e164 = ?",
	"trunk":      "DELETE FROM trunk WHERE id = ?",
	"api_key":    "DELETE FROM api_key WHERE id = ?",

	"call_router":   "DELETE FROM call_router WHERE id = ?",
	"webhook":       "DELETE FROM webhook WHERE id = ?",
	"subscription":  "DELETE FROM subscription WHERE id = ?",
	"custom_prompt": "DELETE FROM custom_prompt WHERE id = ?",
}

func upsertByID(table string) string {
	return "INSERT INTO " + table + ` (id, seq, version, doc) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, doc = excluded.doc`
}

const (
	lastSeqSQL    = "SELECT seq FROM sqlite_sequence WHERE name = 'history'"
	addHistorySQL = "INSERT INTO history (seq, at, by, kind, id, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)"
	readKeySQL    = "SELECT doc FROM api_key WHERE id = ?"
)

// saveVoicemailSQL gives a message its place among the complete ones when it first is complete.
const saveVoicemailSQL = `INSERT INTO voicemail
	(id, call, center, caller, at, duration, reason, path, complete, operator, seq)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
		CASE WHEN ?9 THEN (SELECT coalesce(max(seq), 0) + 1 FROM voicemail) ELSE 0 END)
	ON CONFLICT (id) DO UPDATE SET
		call = excluded.call, center = excluded.center, caller = excluded.caller, at = excluded.at,
		duration = excluded.duration, reason = excluded.reason, path = excluded.path, complete = excluded.complete,
		operator = excluded.operator,
		seq = CASE WHEN voicemail.seq > 0 THEN voicemail.seq ELSE excluded.seq END`

// statements are the writer's, prepared once.
type statements struct {
	puts, removes                               map[string]*sql.Stmt
	plain                                       map[string]*sql.Stmt // BEGIN, COMMIT and so on
	lastSeq, addHistory, readKey                *sql.Stmt
	addStep, saveCall, saveLeg                  *sql.Stmt
	settleDelivery, dropDelivery                *sql.Stmt
	saveVoicemail, dropVoicemail                *sql.Stmt
	dropListeners, dropUserEmails, addUserEmail *sql.Stmt
	saveRecording, savePlace, saveDialog        *sql.Stmt
	saveConversation                            *sql.Stmt
	addSnapshot, saveRun, moveRun, saveTask     *sql.Stmt
	drops                                       map[string]*sql.Stmt // by table
}

func (w *writer) prepare(ctx context.Context) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	var errs []error
	prepare := func(text string) *sql.Stmt {
		stmt, err := conn.PrepareContext(ctx, text)
		if err != nil {
			errs = append(errs, fmt.Errorf("prepare %q: %w", text, err))
		}
		return stmt
	}
	st := &w.stmts
	st.puts, st.removes, st.plain = map[string]*sql.Stmt{}, map[string]*sql.Stmt{}, map[string]*sql.Stmt{}
	for table, text := range putSQL {
		st.puts[table] = prepare(text)
	}
	for table, text := range removeSQL {
		st.removes[table] = prepare(text)
	}
	for _, text := range []string{
		"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT one", "ROLLBACK TO one", "RELEASE one",
	} {
		st.plain[text] = prepare(text)
	}
	st.lastSeq, st.addHistory, st.readKey = prepare(lastSeqSQL), prepare(addHistorySQL), prepare(readKeySQL)
	st.addStep = prepare("INSERT OR IGNORE INTO journal (step, at, event, body) VALUES (?, ?, ?, ?)")
	st.saveCall = prepare("INSERT OR REPLACE INTO call (id, ended, doc) VALUES (?, ?, ?)")
	st.saveLeg = prepare(`INSERT OR REPLACE INTO call_leg (id, call, place, started, target_type, target_id)
		VALUES (?, ?, ?, ?, ?, ?)`)
	st.settleDelivery = prepare("UPDATE delivery SET attempts = ?, due = ?, error = ?, dead = ? WHERE id = ?")
	st.dropDelivery = prepare("DELETE FROM delivery WHERE id = ?")
	st.saveVoicemail = prepare(saveVoicemailSQL)
	st.dropVoicemail = prepare("DELETE FROM voicemail WHERE id = ?")
	st.dropListeners = prepare("DELETE FROM voicemail_listener WHERE voicemail = ?")
	st.saveRecording = prepare(`INSERT OR REPLACE INTO recording
		(id, call, center, operator, number, direction, at, duration, path, complete) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	st.saveConversation = prepare(saveConversationSQL)
	st.savePlace = prepare("INSERT OR REPLACE INTO place (id, doc) VALUES (?, ?)")
	st.saveDialog = prepare("INSERT OR REPLACE INTO dialog (id, doc) VALUES (?, ?)")
	st.addSnapshot = prepare("INSERT OR IGNORE INTO wf_snapshot (hash, at, doc) VALUES (?, ?, ?)")
	st.saveRun, st.moveRun, st.saveTask = prepare(saveRunSQL), prepare(moveRunSQL), prepare(saveTaskSQL)
	st.drops = map[string]*sql.Stmt{}
	for _, table := range []string{"callback", "place", "dialog"} {
		st.drops[table] = prepare("DELETE FROM " + table + " WHERE id = ?")
	}
	st.dropUserEmails = prepare("DELETE FROM user_email WHERE user = ?")
	st.addUserEmail = prepare("INSERT INTO user_email (email, user) VALUES (?, ?)")
	return errors.Join(errs...)
}

func (w *writer) exec(text string) error {
	_, err := w.stmts.plain[text].Exec()
	return err
}

func (w *writer) put(table string, args ...any) error {
	_, err := w.stmts.puts[table].Exec(args...)
	return err
}

func (w *writer) remove(table string, id any) error {
	_, err := w.stmts.removes[table].Exec(id)
	return err
}

// writeEmails keeps the table behind Beside.UserByEmail.
func (w *writer) writeEmails(old, u *callcenter.User) error {
	before, after := emails(old), emails(u)
	if slices.Equal(before, after) {
		return nil
	}
	id := u
	if id == nil {
		id = old
	}
	if _, err := w.stmts.dropUserEmails.Exec(int64(id.ID)); err != nil {
		return err
	}
	for _, e := range after {
		if _, err := w.stmts.addUserEmail.Exec(e, int64(id.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) writeHistory(o op, at time.Time) error {
	args := historyArgs(o.revision, at, o.change.By, o.change.Kind, o.id, o.before, o.after)
	_, err := w.stmts.addHistory.Exec(args...)
	return err
}

func historyArgs(seq int64, at time.Time, by Actor, kind Kind, id string, before, after []byte) []any {
	return []any{seq, nanos(at), string(by), string(kind), id, textOrNull(before), textOrNull(after)}
}

// textOrNull keeps a nil []byte from becoming an empty text.
func textOrNull(doc []byte) any {
	if doc == nil {
		return nil
	}
	return string(doc)
}

// readKey reads one key, nil when there is none.
func readKey(stmt *sql.Stmt, id string) (*Key, error) {
	var doc []byte
	switch err := stmt.QueryRow(id).Scan(&doc); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return decode[Key](doc)
}
