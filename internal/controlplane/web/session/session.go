// Package session makes and verifies the cookies of the web page, and slows down those
// who guess tokens.
//
// A cookie has no token in it: it has the ID of the token's record, the moment at which the
// session ends, random bytes, and an HMAC of all three. The key is a secret that all replicas read from their
// store, so a session works on each of them and survives a restart. What the session may do
// is looked up again with each request, by the ID: the session ends at once when the token
// is revoked, expires or is replaced. Signing out removes the cookie from the browser; a
// copy of it ends with its time, 12 hours after the sign-in, which no request extends.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Life is how long a session lasts after the sign-in.
const Life = 12 * time.Hour

// CookieName is the name of the cookie.
const CookieName = "switchyard_session"

const (
	// purpose separates these codes from others that the key may serve one day.
	purpose = "switchyard web session 1\x00"
	// maxID bounds the ID of a token's record, in bytes.
	maxID = 64
	// endSize and nonceSize are the sizes, in bytes, of the end of a session and of random
	// bytes that tell two sessions of a token apart. fixedSize is that of a cookie without the
	// ID: both, and the code.
	endSize, nonceSize = 8, 8
	fixedSize          = endSize + nonceSize + sha256.Size
)

// ErrInvalid is returned for a cookie that was not made by Cookie, or has ended.
var ErrInvalid = errors.New("the session is unknown or has ended; sign in again")

// Sessions makes and verifies cookies. Its methods may be called concurrently.
type Sessions struct {
	// read returns the key; it may fail while the store cannot be reached.
	read func(context.Context) ([]byte, error)
	now  func() time.Time

	mu  sync.Mutex
	key []byte // nil until it was read
}

// New returns Sessions with a key that read returns, which is called until it succeeds.
func New(read func(context.Context) ([]byte, error)) *Sessions {
	return &Sessions{read: read, now: time.Now}
}

// Cookie returns the cookie of a session of the token whose record has this ID. Its errors
// are those of reading the key.
func (s *Sessions) Cookie(r *http.Request, tokenID string) (*http.Cookie, error) {
	key, err := s.secret(r.Context())
	if err != nil {
		return nil, err
	}
	value := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(Life).Unix())) //nolint:gosec // after 1970
	value = append(value, make([]byte, nonceSize)...)
	_, _ = rand.Read(value[endSize:]) // never fails: see crypto/rand
	value = append(value, tokenID...)
	value = append(value, code(key, value)...)
	cookie := blank(r) //nolint:gosec // Secure follows the connection
	cookie.Value, cookie.MaxAge = base64.RawURLEncoding.EncodeToString(value), int(Life/time.Second)
	return cookie, nil
}

// Removal returns the cookie that removes the one of a session.
func Removal(r *http.Request) *http.Cookie {
	cookie := blank(r) //nolint:gosec // Secure follows the connection
	cookie.MaxAge = -1
	return cookie
}

func blank(r *http.Request) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure follows the connection
		Name: CookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}

// TokenID returns the ID of the token's record of the session of a request. ErrInvalid, or
// an error of reading the key.
func (s *Sessions) TokenID(r *http.Request) (string, error) {
	cookie, err := r.Cookie(CookieName)
	if err != nil || len(cookie.Value) > base64.RawURLEncoding.EncodedLen(fixedSize+maxID) {
		return "", ErrInvalid
	}
	value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(value) <= fixedSize {
		return "", ErrInvalid
	}
	key, err := s.secret(r.Context())
	if err != nil {
		return "", err
	}
	signed, got := value[:len(value)-sha256.Size], value[len(value)-sha256.Size:]
	if !hmac.Equal(got, code(key, signed)) {
		return "", ErrInvalid
	}
	if end := binary.BigEndian.Uint64(signed); uint64(s.now().Unix()) >= end { //nolint:gosec // after 1970
		return "", ErrInvalid
	}
	return string(signed[endSize+nonceSize:]), nil
}

// secret returns the key. One caller at a time reads it.
func (s *Sessions) secret(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		key, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		s.key = key
	}
	return s.key, nil
}

func code(key, signed []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write(signed)
	return mac.Sum(nil)
}
