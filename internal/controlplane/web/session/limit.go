package session

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxFailures is how many sign-ins from one address may fail at once, and failureEvery
	// the time after which one more may.
	maxFailures  = 10
	failureEvery = 6 * time.Second
	// maxAddresses bounds the addresses that are known; all others share one limit.
	maxAddresses = 4096
	// prefixIPv6 is the size of the network of one customer, in bits.
	prefixIPv6 = 64
)

// Limit bounds the sign-ins that fail, by the address from which they come. The zero value
// is ready. Its methods may be called concurrently.
type Limit struct {
	mu     sync.Mutex
	byAddr map[string]*rate.Limiter
	others *rate.Limiter
	swept  time.Time // when addresses without a failure were last forgotten
}

// Allows reports whether an address may try to sign in, at a moment.
func (l *Limit) Allows(address string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(address, now).TokensAt(now) >= 1
}

// Failed counts a sign-in that failed.
func (l *Limit) Failed(address string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(address, now).AllowN(now, 1)
}

// of returns the limiter of an address.
func (l *Limit) of(address string, now time.Time) *rate.Limiter {
	if l.byAddr == nil {
		l.byAddr, l.others = map[string]*rate.Limiter{}, newLimiter()
	}
	address = network(address)
	if known := l.byAddr[address]; known != nil {
		return known
	}
	if len(l.byAddr) >= maxAddresses && now.Sub(l.swept) >= failureEvery {
		l.swept = now
		for other, limiter := range l.byAddr {
			if limiter.TokensAt(now) >= maxFailures { // as if it were new
				delete(l.byAddr, other)
			}
		}
	}
	if len(l.byAddr) >= maxAddresses {
		return l.others
	}
	limiter := newLimiter()
	l.byAddr[address] = limiter
	return limiter
}

func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(failureEvery), maxFailures) }

// network returns the address, or for IPv6 the network of its first 64 bits.
func network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil || parsed.Unmap().Is4() {
		return address
	}
	prefix, err := parsed.WithZone("").Prefix(prefixIPv6)
	if err != nil {
		return address
	}
	return prefix.String()
}
