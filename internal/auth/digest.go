package auth

import (
	"crypto/md5" // SIP phones know nothing better: RFC 3261, section 22.4
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"switchboard/internal/callcenter"
)

// Realm is the one realm of SIP digest authentication. Stored digests depend on it, so it never changes.
const Realm = "switchboard"

const (
	usernameLength = 12
	passwordLength = 24 // of idAlphabet: 120 bits
)

// NewPhone makes the user name and password of a SIP phone, and the digest to keep in place of the password.
func NewPhone() (username, password string, ha1 callcenter.Digest) {
	username, password = letters(usernameLength), letters(passwordLength)
	return username, password, DigestOf(username, password)
}

// DigestOf is H(user:realm:password) in both hashes that phones use (RFC 7616, section 3.4.2).
func DigestOf(username, password string) callcenter.Digest {
	text := []byte(username + ":" + Realm + ":" + password)
	short, long := md5.Sum(text), sha256.Sum256(text)
	return callcenter.Digest{MD5: hex.EncodeToString(short[:]), SHA256: hex.EncodeToString(long[:])}
}

// letters are n random characters of idAlphabet, 5 bits each.
func letters(n int) string {
	text := make([]byte, n)
	_, _ = rand.Read(text) // never fails: crypto/rand ends the program instead
	for i, b := range text {
		text[i] = idAlphabet[int(b)%len(idAlphabet)]
	}
	return string(text)
}
