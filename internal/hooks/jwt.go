package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// The media types of what is sent.
const (
	typeJWT  = "application/jwt"
	typeJSON = "application/json"
)

// jwtHeader is {"alg":"HS256","typ":"JWT"}.
const jwtHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

// sign makes the compact JWS of a JSON object (RFC 7515, section 7.1; RFC 7518, section 3.2).
func sign(payload []byte, secret string) []byte {
	text := append([]byte(jwtHeader), '.')
	text = base64.RawURLEncoding.AppendEncode(text, payload)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(text)
	text = append(text, '.')
	return base64.RawURLEncoding.AppendEncode(text, mac.Sum(nil))
}

// sealed is a payload as it is sent: signed when there is a secret.
func sealed(payload []byte, secret string) (body []byte, contentType string) {
	if secret == "" {
		return payload, typeJSON
	}
	return sign(payload, secret), typeJWT
}

// dress sets the headers of what we send.
func dress(r *http.Request, contentType string) {
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "Switchboard")
}
