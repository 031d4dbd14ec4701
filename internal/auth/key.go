// Package auth makes and checks what lets somebody in: API keys, signed-in browsers, one-time sign-in links, the
// passwords of phones; and says who a request comes from.
//
// It refuses to keep, log or return a secret after it was made: only SHA-256 hashes are stored. Plain SHA-256 is enough
// because every secret holds 256 random bits, so there is nothing to guess from.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// The shape of a key: sb_<id>_<secret> (docs/reference/api.md, Keys).
const (
	keyPrefix    = "sb_"
	idLength     = 10
	secretBytes  = 32
	secretLength = 43 // of secretBytes in base64url without padding
	keyLength    = len(keyPrefix) + idLength + 1 + secretLength
)

// idAlphabet has 32 letters and digits, without those that are mistaken for one another.
const idAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// The scopes that operations ask for. A company admin key has all, unless it was narrowed when made.
const (
	ScopeCallsList        = "calls:list"
	ScopeRecordingsExport = "recordings_export"
)

// Generate makes a key. The text is what its owner is shown once; the record is what is stored. The caller fills in
// Name, Scopes and ExpiresAt as wanted.
func Generate(role store.KeyRole, user callcenter.OperatorID) (text string, key store.Key) {
	secret := newToken()
	key = store.Key{ID: letters(idLength), SecretHash: sha256.Sum256([]byte(secret)), Role: role, User: user}
	return keyPrefix + key.ID + "_" + secret, key
}

// newToken is 256 random bits as text that fits into a URL, a cookie and a header.
func newToken() string {
	var random [secretBytes]byte
	_, _ = rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Parse takes a key apart. It says false for anything that has not the shape of one.
func Parse(text string) (id, secret string, ok bool) {
	if len(text) != keyLength || !strings.HasPrefix(text, keyPrefix) {
		return "", "", false
	}
	id, secret = text[len(keyPrefix):len(keyPrefix)+idLength], text[keyLength-secretLength:]
	if text[len(keyPrefix)+idLength] != '_' {
		return "", "", false
	}
	for _, c := range []byte(id) {
		if strings.IndexByte(idAlphabet, c) < 0 {
			return "", "", false
		}
	}
	return id, secret, true
}

// Verify says whether secret is the key's and the key has not expired. It takes the same time for every wrong secret.
func Verify(key *store.Key, secret string, now time.Time) bool {
	hash := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(hash[:], key.SecretHash[:]) == 1 && !Expired(key, now)
}

// Expired says whether the key's time is over.
func Expired(key *store.Key, now time.Time) bool {
	return !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt)
}

// Principal is who a request comes from.
type Principal struct {
	Key    string // the key's id
	Role   store.KeyRole
	User   callcenter.OperatorID // 0: a key made for no user
	scopes []string              // nil: all that the role allows
}

// Of is the principal of a key.
func Of(key *store.Key) Principal {
	return Principal{Key: key.ID, Role: key.Role, User: key.User, scopes: key.Scopes}
}

// CompanyAdmin says whether the principal may do everything in the company.
func (p Principal) CompanyAdmin() bool { return p.Role == store.RoleCompanyAdmin }

// Actor is the principal's name in the settings' history.
func (p Principal) Actor() store.Actor {
	if p.Key == pageKey {
		return pageKey
	}
	return store.Actor("key " + keyPrefix + p.Key)
}

// Has says whether the principal has a scope.
func (p Principal) Has(scope string) bool {
	if p.scopes == nil {
		return p.CompanyAdmin()
	}
	return slices.Contains(p.scopes, scope)
}
