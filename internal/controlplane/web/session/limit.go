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

// Begin counts a sign-in from an address as one that fails, and reports whether it may be
// tried. A sign-in that succeeds is to call succeeded, which takes the count back. Counting
// first bounds those that are tried at the same time, too.
func (l *Limit) Begin(address string, now time.Time) (succeeded func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.of(address, now)
	if limiter.TokensAt(now) < 1 {
		return nil, false
	}
	counted := limiter.ReserveN(now, 1)
	return func() { counted.CancelAt(now) }, true
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
