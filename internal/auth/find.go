package auth

import (
	"context"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// Keys is where keys are kept. Key looks on disk: another process may have made the key a moment ago.
type Keys interface {
	Snapshot() *store.Snapshot
	Key(ctx context.Context, id string) (*store.Key, bool, error)
}

// Find gives the key with this id; nil: there is none that works. Who calls says whether its secret is known.
func Find(ctx context.Context, keys Keys, id string, now time.Time) (*store.Key, error) {
	snapshot := keys.Snapshot()
	key, known := snapshot.Key(id)
	if !known {
		var err error
		if key, known, err = keys.Key(ctx, id); err != nil {
			return nil, err
		}
	}
	if !known || Expired(key, now) {
		return nil, nil
	}
	if key.User != 0 { // the key of somebody who left, or may not work now, is none
		user, there := snapshot.User(key.User)
		if !there || user.State != callcenter.StateActive {
			return nil, nil
		}
	}
	return key, nil
}

// Join puts the two parts of a key together: its id, with or without what all keys begin with, and its secret.
func Join(id, secret string) string {
	if len(id) == idLength {
		id = keyPrefix + id
	}
	return id + "_" + secret
}
