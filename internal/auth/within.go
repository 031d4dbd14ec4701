package auth

import (
	"context"

	"switchboard/internal/store"
)

// pageKey stands where the id of a key would; no key has it, as ids are longer.
const pageKey = "page"

// Page is the principal of an admin who is signed in on the pages.
func Page() Principal { return Principal{Key: pageKey, Role: store.RoleCompanyAdmin} }

// IsPage says whether the principal is an admin who is signed in on the pages, and not a key.
func (p Principal) IsPage() bool { return p.Key == pageKey }

type within struct{}

// With lets a request that is made inside of the program have the rights of a principal. Only code of ours makes such
// contexts: nothing that arrives over a network can.
func With(ctx context.Context, who Principal) context.Context {
	return context.WithValue(ctx, within{}, who)
}

// From is whose rights a request of our own has; false: it has none.
func From(ctx context.Context) (Principal, bool) {
	who, ok := ctx.Value(within{}).(Principal)
	return who, ok
}
