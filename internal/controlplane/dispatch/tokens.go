package dispatch

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// A token is a prefix that says what it opens, the id of that, an underscore and
// 32 random bytes in base64: the lookup is direct, and the secret is beyond
// guessing, so that a plain SHA-256 protects it at rest.
const (
	sessionPrefix = "sws_"
	jobPrefix     = "swj_"

	secretSize = 32
	idSize     = 36 // of a UUID's text
)

// maxTokens is how many tokens of one acceptance work: a worker that asks again
// has not had the answer, but an older request may still be on its way and be
// handled after the newer one.
const maxTokens = 8

// newToken makes a token for an id, and the hash to store.
func newToken(prefix, id string) (token string, hash []byte) {
	var secret [secretSize]byte
	_, _ = rand.Read(secret[:]) // never fails: see crypto/rand
	token = prefix + id + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// tokenID is the id that a token names, if it has a token's form.
func tokenID(prefix, token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, prefix)
	if !ok || len(rest) <= idSize || rest[idSize] != '_' {
		return "", false
	}
	id := rest[:idSize]
	return id, uuid.Validate(id) == nil
}

// tokenMatches compares in constant time for each hash.
func tokenMatches(token string, hashes ...[]byte) bool {
	hash, match := hashToken(token), 0
	for _, h := range hashes {
		match |= subtle.ConstantTimeCompare(hash, h)
	}
	return match == 1
}

// newID is a UUIDv7: sortable by the moment, and within this process by order.
func newID() string {
	return uuid.Must(uuid.NewV7()).String() // fails only if crypto/rand does, which it never does
}
