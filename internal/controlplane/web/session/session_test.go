package session

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func key(b byte) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(strings.Repeat(string(b), 32)), nil }
}

func request(t *testing.T, cookies ...*http.Cookie) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	return r
}

// A session works on every replica with the key, and ends with its time. A cookie that was
// changed, cut, or made with another key is refused.
func TestCookie(t *testing.T) {
	t.Parallel()
	now := time.Now()
	made, replica, other := New(key('k')), New(key('k')), New(key('o'))
	replica.now = func() time.Time { return now }
	cookie, err := made.Cookie(request(t), "0190-id")
	if err != nil {
		t.Fatal(err)
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure {
		t.Errorf("cookie %+v", cookie)
	}
	if id, err := replica.TokenID(request(t, cookie)); id != "0190-id" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := other.TokenID(request(t, cookie)); !errors.Is(err, ErrInvalid) {
		t.Errorf("with another key: %v", err)
	}
	value, _ := base64.RawURLEncoding.DecodeString(cookie.Value)
	for i := range value {
		changed := append([]byte(nil), value...)
		changed[i] ^= 1
		bad := &http.Cookie{Name: CookieName, Value: base64.RawURLEncoding.EncodeToString(changed)}
		if _, err := replica.TokenID(request(t, bad)); !errors.Is(err, ErrInvalid) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		bad.Value = base64.RawURLEncoding.EncodeToString(value[:i])
		if _, err := replica.TokenID(request(t, bad)); !errors.Is(err, ErrInvalid) {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
	if _, err := replica.TokenID(request(t)); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a cookie: %v", err)
	}
	now = now.Add(Life + time.Second)
	if _, err := replica.TokenID(request(t, cookie)); !errors.Is(err, ErrInvalid) {
		t.Errorf("after its time: %v", err)
	}
}

// The cookie is for TLS only where the page came over TLS.
func TestSecure(t *testing.T) {
	t.Parallel()
	overTLS, proxied := request(t), request(t)
	overTLS.TLS = &tls.ConnectionState{}
	proxied.Header.Set("X-Forwarded-Proto", "https")
	if !Removal(overTLS).Secure || !Removal(proxied).Secure || Removal(request(t)).Secure {
		t.Error("Secure does not follow the connection")
	}
}

// A key that cannot be read is read again.
func TestKeyLater(t *testing.T) {
	t.Parallel()
	failed := errors.New("the store does not answer")
	down := true
	s := New(func(ctx context.Context) ([]byte, error) {
		if down {
			return nil, failed
		}
		return key('k')(ctx)
	})
	if _, err := s.Cookie(request(t), "id"); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	down = false
	if _, err := s.Cookie(request(t), "id"); err != nil {
		t.Errorf("%v", err)
	}
}

// After some failures an address has to wait; the others of its network of IPv6 with it.
// Sign-ins that are tried at the same time count, and those that succeed do not.
func TestLimit(t *testing.T) {
	t.Parallel()
	var l Limit
	now := time.Now()
	for range 3 * maxFailures {
		succeeded, ok := l.Begin("2001:db8::1", now)
		if !ok {
			t.Fatal("refused after sign-ins that succeeded")
		}
		succeeded()
	}
	for range maxFailures {
		if _, ok := l.Begin("2001:db8::1", now); !ok {
			t.Fatal("refused too early")
		}
	}
	if _, ok := l.Begin("2001:db8::2", now); ok {
		t.Error("the limit is not that of the network")
	}
	if _, ok := l.Begin("192.0.2.1", now); !ok {
		t.Error("the limit is that of all networks")
	}
	if _, ok := l.Begin("2001:db8::1", now.Add(failureEvery)); !ok {
		t.Error("one more is not allowed after a while")
	}
	for i := range 3 * maxAddresses {
		_, _ = l.Begin("host"+strconv.Itoa(i), now)
	}
	if len(l.byAddr) > maxAddresses {
		t.Errorf("%d addresses are kept", len(l.byAddr))
	}
}
