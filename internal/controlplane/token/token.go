// Package token makes, parses and compares the tokens that callers present: the
// registration token, the admin token, named tokens, session tokens of workers and
// tokens of jobs. Only hashes are stored, and they are compared in constant time.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// hashPrefix begins the text form of a Hash.
const hashPrefix = datadir.HashPrefix

// The bounds of a configured token, in bytes. A short one could be guessed; a
// long one is another file, configured by mistake.
const (
	MinLength = 16
	MaxLength = 512
)

// Hash is the SHA-256 hash of a token. Tokens are long and random, so a plain
// hash without salt does not reveal them. The zero value matches no token.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// Matches reports, in constant time, whether token has the hash h. The empty
// token never matches. It may be called concurrently.
func (h Hash) Matches(token string) bool { return MatchesAny(token, h) }

// MatchesAny reports whether token has one of the hashes, in a time that depends
// on their number only. The empty token never matches.
func MatchesAny(token string, hashes ...Hash) bool {
	hash, match := HashOf(token), 0
	for _, h := range hashes {
		match |= subtle.ConstantTimeCompare(hash[:], h[:])
	}
	return match == 1 && token != ""
}

// MatchesText is MatchesAny for hashes in their text form.
func MatchesText(token string, hashes ...string) bool {
	hash, match := []byte(HashOf(token).String()), 0
	for _, h := range hashes {
		match |= subtle.ConstantTimeCompare(hash, []byte(h))
	}
	return match == 1 && token != ""
}

// String returns the text form of h: "sha256:" and 64 hexadecimal digits.
func (h Hash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler. It never fails.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), hashPrefix)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("a token hash must be %q and %d hexadecimal digits", hashPrefix, hex.EncodedLen(sha256.Size))
	}
	*h = Hash(sum)
	return nil
}

// Configured returns the hash of a configured value, which is a token in clear
// or the text form of its hash, and the clear text, which is empty for a hash.
// Its errors never contain the value.
func Configured(value string) (hash Hash, plain string, err error) {
	if strings.HasPrefix(value, hashPrefix) {
		err := hash.UnmarshalText([]byte(value))
		return hash, "", err
	}
	if len(value) < MinLength || len(value) > MaxLength {
		return Hash{}, "", fmt.Errorf("a token must have %d to %d characters, this one has %d", MinLength, MaxLength, len(value))
	}
	for _, r := range value {
		if r <= ' ' || r > '~' {
			return Hash{}, "", errors.New("a token must be printable ASCII without spaces")
		}
	}
	return HashOf(value), value, nil
}

// Present returns the token of an Authorization header of the given scheme, or
// an empty string if the header is absent, malformed or of another scheme. The
// case of the scheme is ignored (RFC 9110, section 11.1).
func Present(authorization, scheme string) string {
	got, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(got, scheme) {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// A Kind is the prefix of a token that names what the token belongs to.
type Kind string

// The kinds of token. The text is the Kind, the ID of the record, an
// underscore and 32 random bytes in base64, so that the record is found without
// a search and the secret cannot be guessed.
const (
	Session Kind = "sws_"
	Job     Kind = "swj_"
	// Named is a token that an operator created, with a scope.
	Named Kind = "swt_"
)

const (
	secretSize = 32 // bytes
	idSize     = 36 // bytes of a UUID's text
)

// New returns a new token for the record that id names, and its hash.
func (k Kind) New(id string) (token string, hash Hash) {
	var secret [secretSize]byte
	_, _ = rand.Read(secret[:]) // never fails: see crypto/rand
	token = string(k) + id + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	return token, HashOf(token)
}

// ID returns the ID that a token names. It reports whether the token is of kind
// k; it does not compare any secret.
func (k Kind) ID(token string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(token, string(k))
	if !ok || len(rest) <= idSize || rest[idSize] != '_' {
		return "", false
	}
	id = rest[:idSize]
	return id, uuid.Validate(id) == nil
}
