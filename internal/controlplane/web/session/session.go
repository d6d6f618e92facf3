// Package session makes and verifies the cookies of the web page, and slows down those
// who guess tokens.
//
// A cookie has no token in it: it has the ID of the token's record, the moment at which the
// session ends, random bytes, and an HMAC of all three. The key is a secret that all replicas read from their
// store, so a session works on each of them and survives a restart. What the session may do
// is looked up again with each request, by the ID: the session ends at once when the token
// is revoked, expires or is replaced, and 12 hours after the sign-in, which no request
// extends. Signing out ends it, too, for every copy of its cookie: the ID of the session is
// in the store until its time is over. The replica that has ended it refuses it at once, the
// others within ten seconds, and while the store cannot be reached not before it can.
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
	store Store
	now   func() time.Time
	ended ended

	mu  sync.Mutex
	key []byte // nil until it was read
}

// Store is what all replicas share. Its methods may fail while it cannot be reached.
type Store interface {
	// SessionKey returns the key. It is called until it succeeds.
	SessionKey(ctx context.Context) ([]byte, error)
	// EndSession records that a session has ended, for a time.
	EndSession(ctx context.Context, id string, left time.Duration) error
	// SessionEnded reports whether a session has ended.
	SessionEnded(ctx context.Context, id string) (bool, error)
}

// New returns Sessions that a store has.
func New(store Store) *Sessions {
	return &Sessions{store: store, now: time.Now, ended: ended{store: store}}
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
	signed, _, err := s.verify(r)
	if err != nil {
		return "", err
	}
	if s.ended.has(r.Context(), idOf(signed), s.now()) {
		return "", ErrInvalid
	}
	return tokenOf(signed), nil
}

// End ends the session of a request, for every copy of its cookie, even if its reader, who
// leaves, does not wait. allow is called before the store is written, which is not done if it
// returns an error. ErrInvalid, the error of allow, or an error of the store.
func (s *Sessions) End(r *http.Request, allow func(tokenID string) error) error {
	signed, end, err := s.verify(r)
	if err != nil {
		return err
	}
	id, now, ctx := idOf(signed), s.now(), context.WithoutCancel(r.Context())
	if s.ended.has(ctx, id, now) {
		return ErrInvalid
	}
	if err := allow(tokenOf(signed)); err != nil {
		return err
	}
	return s.ended.end(ctx, id, end.Sub(now))
}

// tokenOf returns the ID of the token's record in the signed part of a cookie.
func tokenOf(signed []byte) string { return string(signed[endSize+nonceSize:]) }

// verify returns the signed part of the cookie of a request, and when its session ends by
// itself. ErrInvalid, or an error of reading the key.
func (s *Sessions) verify(r *http.Request) (signed []byte, end time.Time, err error) {
	cookie, err := r.Cookie(CookieName)
	if err != nil || len(cookie.Value) > base64.RawURLEncoding.EncodedLen(fixedSize+maxID) {
		return nil, end, ErrInvalid
	}
	value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(value) <= fixedSize {
		return nil, end, ErrInvalid
	}
	key, err := s.secret(r.Context())
	if err != nil {
		return nil, end, err
	}
	signed, got := value[:len(value)-sha256.Size], value[len(value)-sha256.Size:]
	if !hmac.Equal(got, code(key, signed)) {
		return nil, end, ErrInvalid
	}
	end = time.Unix(int64(binary.BigEndian.Uint64(signed)), 0) //nolint:gosec // we have made it
	if !s.now().Before(end) {
		return nil, end, ErrInvalid
	}
	return signed, end, nil
}

// secret returns the key. One caller at a time reads it.
func (s *Sessions) secret(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		key, err := s.store.SessionKey(ctx)
		if err != nil {
			return nil, err //nolint:wrapcheck // it says what was attempted
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
