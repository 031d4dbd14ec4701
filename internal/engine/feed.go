package engine

import (
	"context"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// Update is what changed on the live pages since the one before. A Reset update carries everything and replaces all
// that the reader knew.
type Update struct {
	Seq              uint64
	At               time.Time
	Reset            bool
	Centers          []route.CenterView
	Operators        []route.OperatorView
	Calls            []route.CallView
	Ended            []route.CallID // calls that are over
	DeletedCenters   []callcenter.ID
	DeletedOperators []callcenter.OperatorID
	Notices          []Notice
}

// Notice is something a supervisor should see that belongs to no call: a blocked address, a full disk.
type Notice struct {
	At    time.Time
	Level string // "info", "warning"
	Text  string
}

// Reader receives updates in order. Next blocks until there is one, the context ends or the feed closes (false). A
// reader that fell behind the kept updates gets a Reset.
type Reader interface {
	Next(ctx context.Context) (Update, bool)
}
