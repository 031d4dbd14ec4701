package conductor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/auth"
	"switchboard/internal/store"
)

// TokenLife is how long a token is good for.
const TokenLife = time.Hour

// What errors about tokens say in the member error, so that clients ask for a new one.
const (
	expiredToken = "EXPIRED_TOKEN"
	invalidToken = "INVALID_TOKEN"
)

// tokenHeader is that of every token that is taken: a token has no say in how it is signed (RFC 8725 3.1).
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// claims are what a token says (RFC 7519 4.1).
type claims struct {
	Subject string `json:"sub"` // id of the key
	Issued  int64  `json:"iat"` // Unix seconds
	Expires int64  `json:"exp"`
}

func (a *API) sign(text string) string {
	mac := hmac.New(sha256.New, a.TokenKey)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// makeToken makes a token for a key.
func (a *API) makeToken(key string) (string, error) {
	now := a.Now()
	body, err := json.Marshal(claims{Subject: key, Issued: now.Unix(), Expires: now.Add(TokenLife).Unix()})
	if err != nil {
		return "", err
	}
	text := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + a.sign(text), nil
}

// readToken gives the key that a token is of, or the code of what is wrong.
func (a *API) readToken(token string) (key, wrong string) {
	text, signature, ok := cutLast(token, ".")
	if !ok || !hmac.Equal([]byte(a.sign(text)), []byte(signature)) {
		return "", invalidToken
	}
	header, body, _ := strings.Cut(text, ".")
	data, err := base64.RawURLEncoding.DecodeString(body)
	var said claims
	if header != tokenHeader || err != nil || json.Unmarshal(data, &said) != nil {
		return "", invalidToken
	}
	if a.Now().Unix() >= said.Expires {
		return "", expiredToken
	}
	return said.Subject, ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func unauthorized(message, token string) error {
	return &failure{status: http.StatusUnauthorized, code: "UNAUTHORIZED", message: message, token: token}
}

// authenticate finds out who asks: a request of our own, X-Authorization: TOKEN, Authorization: Bearer KEY or ?apikey=.
func (a *API) authenticate(r *http.Request, query url.Values) (auth.Principal, error) {
	header := r.Header
	bearer := header.Values("Authorization")
	switch {
	case header.Get("X-Authorization") != "":
		return a.ofToken(r, header.Get("X-Authorization"))
	case len(bearer) > 0:
		scheme, key, _ := strings.Cut(strings.TrimSpace(bearer[0]), " ")
		if len(bearer) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return auth.Principal{}, unauthorized("Authorization must be Bearer and a key", "")
		}
		return a.ofKey(r, strings.TrimSpace(key))
	case query.Has("apikey"):
		return a.ofKey(r, query.Get("apikey"))
	}
	if who, ok := auth.From(r.Context()); ok {
		return who, nil
	}
	return auth.Principal{}, unauthorized("no key and no token: POST /api/token gives a token", "")
}

func (a *API) ofToken(r *http.Request, token string) (auth.Principal, error) {
	id, wrong := a.readToken(token)
	switch wrong {
	case expiredToken:
		return auth.Principal{}, unauthorized("the token has expired", wrong)
	case invalidToken:
		return auth.Principal{}, a.guessed(r, unauthorized("this is no token of this server", wrong))
	}
	key, err := auth.Find(r.Context(), a.Keys, id, a.Now())
	if err != nil {
		return auth.Principal{}, err
	}
	if key == nil {
		return auth.Principal{}, unauthorized("the key of the token is gone", invalidToken)
	}
	return auth.Of(key), nil
}

func (a *API) ofKey(r *http.Request, key string) (auth.Principal, error) {
	id, secret, ok := auth.Parse(key)
	if !ok {
		return auth.Principal{}, unauthorized("this has not the form of a key", "")
	}
	found, err := a.check(r.Context(), id, secret)
	if err != nil {
		return auth.Principal{}, err
	}
	if found == nil {
		return auth.Principal{}, a.guessed(r, unauthorized("there is no such key", ""))
	}
	return auth.Of(found), nil
}

func (a *API) check(ctx context.Context, id, secret string) (*store.Key, error) {
	key, err := auth.Find(ctx, a.Keys, id, a.Now())
	if key == nil || err != nil || !auth.Verify(key, secret, a.Now()) {
		return nil, err
	}
	return key, nil
}

// guessed counts a failed attempt. One too many is told to come back later.
func (a *API) guessed(r *http.Request, otherwise error) error {
	now, addr := a.Now(), addressOf(r)
	if wait := a.Failures.Refused(now, addr); wait > 0 {
		return &failure{
			status: http.StatusTooManyRequests, code: "TOO_MANY_REQUESTS", retryable: true, after: wait,
			message: "too many bad keys came from this address",
		}
	}
	if a.Failures.Fail(now, addr) {
		a.Log.Warn("an address is refused after too many bad keys", "address", addr.String())
	}
	return otherwise
}

// token gives a token for the two parts of a key: id, with or without what all keys begin with, and secret.
func (a *API) token(r *request) (any, error) {
	var in struct {
		ID     string `json:"keyId"`
		Secret string `json:"keySecret"`
	}
	if err := r.decode(&in, true); err != nil {
		return nil, err
	}
	id, secret, ok := auth.Parse(auth.Join(in.ID, in.Secret))
	if !ok {
		return nil, unauthorized("keyId and keySecret are the two parts of an API key: sb_keyId_keySecret", "")
	}
	key, err := a.check(r.Context(), id, secret)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, a.guessed(r.Request, unauthorized("there is no such key", ""))
	}
	if v := a.gate.Allow(a.Now(), key.ID); !v.OK {
		return nil, &failure{
			status: http.StatusTooManyRequests, code: "TOO_MANY_REQUESTS", retryable: true, after: v.RetryAfter,
			message: "this key made too many requests within a second",
		}
	}
	token, err := a.makeToken(key.ID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"token": token, "userId": key.ID}, nil
}

// userInfo says who a token is of.
func (a *API) userInfo(r *request) (any, error) {
	return map[string]any{
		"id": r.who.Key, "name": r.by(), "applicationUser": true, "roles": []any{map[string]any{"name": "ADMIN"}},
	}, nil
}
