package interop

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"switchboard/test/lab"
)

// cutOff is how much of the end of a recording a kill may cost: 200 ms until the file has it, and a busy disk.
const cutOff = 2 * time.Second

// tape is a recording that went on when the server died.
type tape struct {
	id int64
	at int64 // ns: when it began
}

// openTapes are the recordings that the dead process was writing.
func (s *soak) openTapes() (list []tape) {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	rows, err := db.Query("SELECT id, at FROM recording WHERE NOT complete")
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var t tape
		if err := rows.Scan(&t.id, &t.at); err != nil {
			s.T.Fatal(err)
		}
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		s.T.Fatal(err)
	}
	return list
}

// tapesKept looks whether the recordings that the kill cut off have all but their last moments. Somebody talks on each
// for as long as it lasts.
func (s *soak) tapesKept(killed time.Time) {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	for _, t := range s.tapes {
		var length int64
		err := db.QueryRow("SELECT duration FROM recording WHERE id = ?", t.id).Scan(&length)
		if err != nil && !errors.Is(err, sql.ErrNoRows) { // one that had no sound yet is gone
			s.T.Fatal(err)
		}
		if lost := killed.Sub(time.Unix(0, t.at)) - time.Duration(length); lost > cutOff {
			s.T.Errorf("recording %d lost its last %s", t.id, lost)
		}
		s.kept.cut++
	}
}

// figuresKept holds the figures that the new process began with to the calls that had ended before.
func (s *soak) figuresKept() {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	ended := func(center *lab.Center, before int64) (n int) {
		if err := db.QueryRow(`SELECT count(*) FROM call WHERE CAST(doc ->> 'Center' AS TEXT) = ? AND ended < ?`, center.ID,
			before).Scan(&n); err != nil {
			s.T.Fatal(err)
		}
		return n
	}
	for _, center := range []*lab.Center{s.line, s.box} {
		if ended(center, s.started) == 0 {
			continue
		}
		var at int64
		var body []byte
		eventually(s.T, "the figures of "+center.ID, func() bool {
			err := db.QueryRow(`SELECT at, body FROM journal WHERE event = 'RestoreFigures' AND at > ? AND
				CAST(json(body) ->> '$.Figures.Center' AS TEXT) = ?`, s.started, center.ID).Scan(&at, &body)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				s.T.Fatal(err)
			}
			return err == nil
		})
		var restored struct {
			Figures struct{ Outcomes map[string]int }
		}
		if err := json.Unmarshal(body, &restored); err != nil {
			s.T.Fatalf("%v: %s", err, body)
		}
		got := 0
		for _, n := range restored.Figures.Outcomes {
			got += n
		}
		if want := ended(center, at); got != want {
			s.T.Errorf("the figures of %s began with %d calls, but %d had ended", center.ID, got, want)
		}
		s.kept.figures = max(s.kept.figures, got)
	}
}
