package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestKeysAreParsedAndVerified(t *testing.T) {
	for range 100 {
		text, key := Generate(store.RoleCompanyAdmin, 0)
		id, secret, ok := Parse(text)
		if !ok || id != key.ID || len(text) != 57 {
			t.Fatalf("%q parsed as %q, %v", text, id, ok)
		}
		if !Verify(&key, secret, noon) {
			t.Fatal("its own secret was refused")
		}
		if Verify(&key, strings.ToUpper(secret)+"x", noon) || Verify(&key, "", noon) {
			t.Fatal("a wrong secret was taken")
		}
	}
}

func TestSecretIsNotInTheRecord(t *testing.T) {
	text, key := Generate(store.RoleUser, 7)
	_, secret, _ := Parse(text)
	if strings.Contains(fmt.Sprintf("%+v %s", key, key.SecretHash[:]), secret) {
		t.Error("the record holds the secret")
	}
	if strings.Contains(string(Of(&key).Actor()), secret) {
		t.Error("the actor holds the secret")
	}
}

func TestWhatIsNoKey(t *testing.T) {
	text, _ := Generate(store.RoleUser, 7)
	for _, bad := range []string{
		"", "sb_", text[1:], text + "x", "SB_" + text[3:], text[:13] + "-" + text[14:], "sb_0" + text[4:],
		strings.Repeat("a", len(text)),
	} {
		if _, _, ok := Parse(bad); ok {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}

func TestExpiredKeyIsRefused(t *testing.T) {
	text, key := Generate(store.RoleUser, 7)
	_, secret, _ := Parse(text)
	key.ExpiresAt = noon
	if !Verify(&key, secret, noon.Add(-1)) {
		t.Error("refused before it expired")
	}
	if Verify(&key, secret, noon) {
		t.Error("taken at the instant it expired")
	}
}

func TestPrincipalRights(t *testing.T) {
	admin := Of(&store.Key{ID: "aaaaaaaaaa", Role: store.RoleCompanyAdmin})
	narrowed := Of(&store.Key{Role: store.RoleCompanyAdmin, Scopes: []string{ScopeCallsList}})
	none := Of(&store.Key{Role: store.RoleCompanyAdmin, Scopes: []string{}})
	user := Of(&store.Key{Role: store.RoleUser, User: 7})
	exporter := Of(&store.Key{Role: store.RoleUser, User: 7, Scopes: []string{ScopeRecordingsExport}})
	if admin.Actor() != "key sb_aaaaaaaaaa" {
		t.Errorf("actor %q", admin.Actor())
	}
	for i, test := range []struct {
		who             Principal
		admin           bool
		calls, exported bool
	}{
		{admin, true, true, true},
		{narrowed, true, true, false},
		{none, true, false, false},
		{user, false, false, false},
		{exporter, false, false, true},
	} {
		got := [3]bool{test.who.CompanyAdmin(), test.who.Has(ScopeCallsList), test.who.Has(ScopeRecordingsExport)}
		if got != [3]bool{test.admin, test.calls, test.exported} {
			t.Errorf("principal %d: %v", i, got)
		}
	}
}

func TestPhoneDigests(t *testing.T) {
	got := DigestOf("ada", "secret")
	want := callcenter.Digest{
		MD5:    "bb2fd56abb1965d1632f807c34383a49",
		SHA256: "54812f74748fd1c105467cc57f78c96b510d67cb94b46d9c0a3785623b991a6a",
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
	name, password, ha1 := NewPhone()
	if len(name) != usernameLength || len(password) != passwordLength || ha1 != DigestOf(name, password) {
		t.Errorf("%q %q", name, password)
	}
	if again, other, _ := NewPhone(); again == name || other == password {
		t.Error("two phones are alike")
	}
}

type memory struct {
	sessions map[[32]byte]store.Session
	links    map[[32]byte]time.Time
	now      time.Time
	fail     error
}

func (m *memory) CreateSession(_ context.Context, s store.Session) error {
	m.sessions[s.Hash] = s
	return m.fail
}

func (m *memory) Session(_ context.Context, hash [32]byte) (store.Session, bool, error) {
	s, ok := m.sessions[hash]
	return s, ok, m.fail
}

func (m *memory) DeleteSession(_ context.Context, hash [32]byte) error {
	delete(m.sessions, hash)
	return m.fail
}

func (m *memory) CreateLink(_ context.Context, hash [32]byte, expires time.Time) error {
	m.links[hash] = expires
	return m.fail
}

func (m *memory) TakeLink(_ context.Context, hash [32]byte) (bool, error) {
	expires, ok := m.links[hash]
	delete(m.links, hash)
	return ok && m.now.Before(expires), m.fail
}

func newMemory() (*memory, *Sessions) {
	m := &memory{sessions: map[[32]byte]store.Session{}, links: map[[32]byte]time.Time{}, now: noon}
	return m, NewSessions(m, m, func() time.Time { return m.now })
}

func TestLinkWorksOnceWithinItsLife(t *testing.T) {
	m, sessions := newMemory()
	ctx := t.Context()
	token, err := sessions.NewLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, plain := m.links[sha256.Sum256([]byte(token))]; !plain {
		t.Fatal("the link is not kept by its hash")
	}
	for i, want := range []bool{true, false} {
		if got, err := sessions.TakeLink(ctx, token); got != want || err != nil {
			t.Errorf("use %d: %v, %v", i+1, got, err)
		}
	}
	late, err := sessions.NewLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.now = noon.Add(LinkLife)
	if ok, _ := sessions.TakeLink(ctx, late); ok {
		t.Error("an expired link was taken")
	}
	if ok, _ := sessions.TakeLink(ctx, "short"); ok {
		t.Error("a token of the wrong length was taken")
	}
}

func TestSessionLife(t *testing.T) {
	m, sessions := newMemory()
	ctx := t.Context()
	cookie, expires, err := sessions.NewSession(ctx)
	if err != nil || !expires.Equal(noon.Add(SessionLife)) {
		t.Fatal(expires, err)
	}
	if !sessions.Valid(ctx, cookie) || sessions.Valid(ctx, cookie+"x") || sessions.Valid(ctx, strings.Repeat("a", 43)) {
		t.Error("the wrong cookies are valid")
	}
	m.now = expires
	if sessions.Valid(ctx, cookie) {
		t.Error("valid when it expired")
	}
	m.now = noon
	if err := sessions.EndSession(ctx, cookie); err != nil || sessions.Valid(ctx, cookie) {
		t.Error("valid after signing out", err)
	}
}

func TestFailingStoreLetsNobodyIn(t *testing.T) {
	m, sessions := newMemory()
	ctx := t.Context()
	cookie, _, err := sessions.NewSession(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.fail = errors.New("disk")
	if sessions.Valid(ctx, cookie) {
		t.Error("valid on a failing store")
	}
	if _, _, err := sessions.NewSession(ctx); err == nil {
		t.Error("signed in on a failing store")
	}
	if _, err := sessions.NewLink(ctx); err == nil {
		t.Error("made a link on a failing store")
	}
}

func BenchmarkVerify(b *testing.B) {
	text, key := Generate(store.RoleUser, 0)
	b.ReportAllocs()
	for b.Loop() {
		_, secret, _ := Parse(text)
		if !Verify(&key, secret, noon) {
			b.Fatal("refused")
		}
	}
}

func TestRightsGoWithAContext(t *testing.T) {
	if who, ok := From(t.Context()); ok {
		t.Error(who)
	}
	key := &store.Key{ID: "abc", Role: store.RoleUser, User: 7, Scopes: []string{ScopeCallsList}}
	who, ok := From(With(t.Context(), Of(key)))
	if !ok || who.User != 7 || !who.Has(ScopeCallsList) || who.CompanyAdmin() {
		t.Error(who, ok)
	}
	if page := Page(); !page.CompanyAdmin() || page.Actor() != "page" || page.User != 0 {
		t.Error(page)
	}
}
