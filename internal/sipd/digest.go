package sipd

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// NonceLife is how long a nonce may be used; then the phone gets a new one with stale=true.
const NonceLife = 5 * time.Minute

const (
	maxNonces  = 100_000 // nonces in use at a time
	nonceBytes = 16      // 8 of time, 8 random; as many of signature follow
)

// verdict is what came of a request's credentials.
type verdict int

const (
	credentialsNone  verdict = iota // none for our realm
	credentialsStale                // right, but the nonce is old or was used
	credentialsWrong
	credentialsRight
)

// digests issues and checks nonces. One is signed, not stored, until its first right use: challenges cost no memory.
type digests struct {
	secret  [32]byte
	nobody  string // what an unknown user's password hashes to
	mu      sync.Mutex
	used    map[string]use
	sweptAt time.Time
}

type use struct {
	count  int // highest nc seen
	expire time.Time
}

func (d *digests) init() {
	_, _ = rand.Read(d.secret[:]) // never fails: crypto/rand
	sum := sha256.Sum256(d.secret[:])
	d.nobody = hex.EncodeToString(sum[:])
	d.used = make(map[string]use)
}

func (d *digests) nonce(now time.Time) string {
	var raw [nonceBytes]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(now.UnixNano()))
	_, _ = rand.Read(raw[8:])
	return hex.EncodeToString(raw[:]) + hex.EncodeToString(d.sign(raw[:]))
}

func (d *digests) sign(raw []byte) []byte {
	mac := hmac.New(sha256.New, d.secret[:])
	mac.Write(raw)
	return mac.Sum(nil)[:nonceBytes]
}

// issued answers when we made a nonce; false: we never did.
func (d *digests) issued(nonce string) (time.Time, bool) {
	raw, err := hex.DecodeString(nonce)
	if err != nil || len(raw) != 2*nonceBytes || !hmac.Equal(d.sign(raw[:nonceBytes]), raw[nonceBytes:]) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(raw[:8]))), true
}

// take uses a nonce with a count; a count that is not higher than the last is a replay.
func (d *digests) take(nonce string, count int, issued, now time.Time) bool {
	if now.Sub(issued) > NonceLife || issued.After(now) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.sweptAt) > NonceLife || len(d.used) >= maxNonces {
		d.sweptAt = now
		for n, u := range d.used {
			if now.After(u.expire) {
				delete(d.used, n)
			}
		}
	}
	if count <= d.used[nonce].count || len(d.used) >= maxNonces {
		return false
	}
	d.used[nonce] = use{count: count, expire: issued.Add(NonceLife)}
	return true
}

// authenticate checks the credentials of a request. An unknown user costs the same work as a wrong password.
func (s *Server) authenticate(req *sip.Request, now time.Time) (Account, verdict) {
	credentials := s.credentials(req)
	if credentials == nil {
		return Account{}, credentialsNone
	}
	issued, ours := s.digests.issued(credentials.Nonce)
	if !ours {
		return Account{}, credentialsStale // of another server, or of us before a restart
	}
	account, known := s.cfg.Account(credentials.Username)
	ha1 := account.HA1.MD5
	if strings.EqualFold(credentials.Algorithm, "SHA-256") {
		ha1 = account.HA1.SHA256
	}
	if !known || ha1 == "" {
		known, ha1 = false, s.digests.nobody
	}
	challenge := digest.Challenge{
		Realm: s.cfg.Realm, Nonce: credentials.Nonce, Algorithm: credentials.Algorithm, QOP: []string{"auth"},
	}
	want, err := digest.Digest(&challenge, digest.Options{
		Method: string(req.Method), URI: credentials.URI, Count: credentials.Nc, Cnonce: credentials.Cnonce,
		Username: credentials.Username, A1: strings.ToLower(ha1),
	})
	if err != nil {
		return Account{}, credentialsWrong
	}
	same := subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(credentials.Response))) == 1
	if !same || !known {
		return Account{}, credentialsWrong
	}
	if !s.digests.take(credentials.Nonce, credentials.Nc, issued, now) {
		return account, credentialsStale
	}
	return account, credentialsRight
}

// credentials finds the Authorization of our realm in a form that we challenge for: qop=auth, MD5 or SHA-256.
func (s *Server) credentials(req *sip.Request) *digest.Credentials {
	for _, h := range req.GetHeaders("authorization") {
		c, err := digest.ParseCredentials(h.Value())
		if err != nil || c.Realm != s.cfg.Realm || c.QOP != "auth" || c.Nc < 1 || c.Cnonce == "" || c.Userhash {
			continue
		}
		switch strings.ToUpper(c.Algorithm) {
		case "", "MD5", "SHA-256":
			return c
		}
	}
	return nil
}

// challenge asks for credentials, by MD5 alone: phones built on libre (baresip 1.0 is one) give up on a 401 that also
// offers SHA-256, whatever the order, though RFC 8760 section 2.4 wants both. SHA-256 credentials are still taken.
func (s *Server) challenge(f flow, req *sip.Request, stale bool) {
	s.count.challenged.Add(1)
	res := s.response(req, sip.StatusUnauthorized, "")
	c := digest.Challenge{
		Realm: s.cfg.Realm, Nonce: s.digests.nonce(time.Now()), Algorithm: "MD5", QOP: []string{"auth"}, Stale: stale,
	}
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", c.String()))
	s.sendResponse(f, res)
}

// answerChallenge makes the credentials header for a request that was challenged. It takes the first challenge it can
// answer; false: there is none.
func answerChallenge(req *sip.Request, res *sip.Response, username, password string) (sip.Header, bool) {
	name, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		name, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, h := range res.GetHeaders(name) {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(c) {
			continue
		}
		for i := range c.QOP {
			c.QOP[i] = strings.TrimSpace(c.QOP[i])
		}
		credentials, err := digest.Digest(c, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Username: username, Password: password, Count: 1,
		})
		if err == nil {
			return sip.NewHeader(reply, credentials.String()), true
		}
	}
	return nil, false
}
