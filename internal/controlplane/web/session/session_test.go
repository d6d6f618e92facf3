package session

import (
	"cmp"
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

// shared is a store of replicas. It fails with err if that is set.
type shared struct {
	key   byte
	ended map[string]time.Duration
	reads int
	err   error
}

func key(b byte) *shared { return &shared{key: b, ended: map[string]time.Duration{}} }

func (s *shared) SessionKey(context.Context) ([]byte, error) {
	return []byte(strings.Repeat(string(s.key), 32)), s.err
}

func (s *shared) EndSession(ctx context.Context, id string, left time.Duration) error {
	err := cmp.Or(s.err, ctx.Err())
	if err == nil {
		s.ended[id] = left
	}
	return err
}

func (s *shared) SessionEnded(ctx context.Context, id string) (bool, error) {
	s.reads++
	_, ended := s.ended[id]
	return ended, cmp.Or(s.err, ctx.Err())
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
	store := key('k')
	s := New(store)
	store.err = errors.New("the store does not answer")
	if _, err := s.Cookie(request(t), "id"); !errors.Is(err, store.err) {
		t.Errorf("%v", err)
	}
	store.err = nil
	if _, err := s.Cookie(request(t), "id"); err != nil {
		t.Errorf("%v", err)
	}
}

// A session that was ended is refused at once where that was, and soon by the other
// replicas, which do not ask the store for each request. Other sessions of the token go on,
// and an outage of the store ends none.
func TestEnd(t *testing.T) {
	t.Parallel()
	store, now := key('k'), time.Now()
	here, there := New(store), New(store)
	here.now = func() time.Time { return now }
	there.now = here.now
	cookie := func() *http.Cookie {
		t.Helper()
		made, err := here.Cookie(request(t), "0190-id")
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	expect := func(what string, s *Sessions, c *http.Cookie, want error) {
		t.Helper()
		if _, err := s.TokenID(request(t, c)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	yes := func(string) error { return nil }
	one, two := cookie(), cookie()
	for range 100 {
		expect("before", there, one, nil)
	}
	if store.reads != 1 {
		t.Errorf("the store was read %d times", store.reads)
	}
	refused := errors.New("not now")
	if err := here.End(request(t, one), func(string) error { return refused }); !errors.Is(err, refused) || len(store.ended) != 0 {
		t.Errorf("%v, %d records", err, len(store.ended))
	}
	now = now.Add(time.Hour)
	if err := here.End(request(t, one), yes); err != nil {
		t.Fatal(err)
	}
	for _, left := range store.ended {
		if left > Life-time.Hour || left < Life-time.Hour-time.Second {
			t.Errorf("kept for %v", left)
		}
	}
	expect("here", here, one, ErrInvalid)
	expect("there", there, one, ErrInvalid)
	expect("another session", there, two, nil)
	if err := here.End(request(t, one), yes); !errors.Is(err, ErrInvalid) || len(store.ended) != 1 {
		t.Errorf("again: %v, %d records", err, len(store.ended))
	}
	store.err = errors.New("the store does not answer")
	now = now.Add(time.Minute)
	expect("another session in an outage", there, two, nil)
	expect("the ended one in an outage", there, one, ErrInvalid)
	if err := there.End(request(t, two), yes); !errors.Is(err, store.err) {
		t.Errorf("%v", err)
	}
	expect("ended here only", there, two, ErrInvalid)
	store.err = nil
	for range 2 * maxKnown {
		expect("one of many", there, cookie(), nil)
	}
	if len(there.ended.known) > maxKnown {
		t.Errorf("%d sessions are known", len(there.ended.known))
	}
	expect("after many", there, one, ErrInvalid)
}

// A reader who leaves before the store has answered cannot use a session that was ended
// elsewhere, and ends one all the same.
func TestAReaderWhoLeaves(t *testing.T) {
	t.Parallel()
	store := key('k')
	here, there := New(store), New(store)
	one, err := here.Cookie(request(t), "0190-id")
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	yes := func(string) error { return nil }
	if err := here.End(request(t, one).WithContext(gone), yes); err != nil || len(store.ended) != 1 {
		t.Errorf("%v, %d records", err, len(store.ended))
	}
	if _, err := there.TokenID(request(t, one).WithContext(gone)); !errors.Is(err, ErrInvalid) {
		t.Errorf("of a reader who has left: %v, want %v", err, ErrInvalid)
	}
	if _, err := there.TokenID(request(t, one)); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v, want %v", err, ErrInvalid)
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
