// Package credential reads and compares the tokens that callers present. It
// keeps hashes only, and compares them in constant time.
package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// Hash is the SHA-256 of a token. Tokens are long and random, so that a plain
// hash, without salt and stretching, gives nothing away.
type Hash [sha256.Size]byte

// HashOf hashes a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// Matches reports, in constant time, whether token is the one that was hashed.
// The empty token never matches. It may be called concurrently.
func (h Hash) Matches(token string) bool {
	other := HashOf(token)
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1 && token != ""
}

// Present returns the token of an Authorization header of the given scheme, or
// empty where the header is absent, of another scheme or malformed. Schemes do
// not mind their case (RFC 9110, section 11.1).
func Present(authorization, scheme string) string {
	got, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(got, scheme) {
		return ""
	}
	return strings.TrimLeft(token, " ")
}
