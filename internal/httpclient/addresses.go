package httpclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
)

const (
	// nextAddressAfter is how long one address may take before the next one is tried
	// beside it (RFC 8305, section 5).
	nextAddressAfter = 250 * time.Millisecond
	// maxAddresses is how many addresses of a name are tried.
	maxAddresses = 32
)

// errDialTimeout ends an attempt to connect that took too long.
var errDialTimeout error = dialTimeoutError{}

type dialTimeoutError struct{}

func (dialTimeoutError) Error() string { return "no connection in time" }

// Timeout implements [net.Error], as the time-outs of a [net.Dialer] do.
func (dialTimeoutError) Timeout() bool { return true }

// Temporary implements [net.Error].
func (dialTimeoutError) Temporary() bool { return true }

// Is reports that it is a deadline that has passed.
func (dialTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// LookupFunc returns the addresses of a host name.
type LookupFunc = func(ctx context.Context, host string) ([]netip.Addr, error)

// addresses connects to hosts. A name may have several addresses: they are tried one
// after the other in a random order, so that the connections of a fleet spread over
// them. An address that does not respond is set aside for a while. It is safe for
// concurrent use.
type addresses struct {
	lookup  LookupFunc // nil passes names to dial
	dial    DialFunc
	timeout time.Duration // of looking up and connecting together

	mu   sync.Mutex
	pick pick.Pick
}

// connect opens a connection to HOST:PORT and returns the address that it is to.
func (a *addresses) connect(ctx context.Context, network, hostPort string) (conn net.Conn, address string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.timeout, errDialTimeout)
	defer cancel()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errDialTimeout) {
			err = &net.OpError{Op: opDial, Net: network, Err: fmt.Errorf("%s: %w", hostPort, errDialTimeout)}
		}
	}()
	candidates, err := a.find(ctx, network, hostPort)
	if err != nil {
		return nil, "", err
	}
	a.mu.Lock()
	candidates = a.pick.Order(time.Now(), candidates)
	a.mu.Unlock()
	return a.race(ctx, network, candidates)
}

// note notes what a connection, or the attempt to open one, has shown about an address.
func (a *addresses) note(address string, event pick.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pick.Step(time.Now(), address, event)
}

// find returns the addresses to try, each with the port.
func (a *addresses) find(ctx context.Context, network, hostPort string) ([]string, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil || a.lookup == nil || network == networkUnix {
		return []string{hostPort}, nil //nolint:nilerr // dial reports a bad address
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{hostPort}, nil
	}
	found, err := a.lookup(ctx, host)
	if err != nil {
		return nil, &net.OpError{Op: opDial, Net: network, Err: err}
	}
	if len(found) == 0 {
		return nil, &net.OpError{Op: opDial, Net: network, Err: &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}}
	}
	var candidates []string
	for _, address := range interleave(found, rand.Shuffle) {
		candidates = append(candidates, net.JoinHostPort(address.String(), port))
	}
	return candidates, nil
}

// interleave returns addresses in the order in which to try them: shuffled, with IPv4
// and IPv6 alternating, beginning with the version that the resolver has put first. An
// address that the resolver repeats, as for two equal lines of /etc/hosts, is tried once.
func interleave(found []netip.Addr, shuffle func(n int, swap func(i, j int))) []netip.Addr {
	distinct := make([]netip.Addr, 0, min(len(found), maxAddresses))
	for _, address := range found {
		if address = address.Unmap(); len(distinct) < maxAddresses && !slices.Contains(distinct, address) {
			distinct = append(distinct, address)
		}
	}
	var first, second []netip.Addr
	for _, address := range distinct {
		if address.Is4() == distinct[0].Is4() {
			first = append(first, address)
		} else {
			second = append(second, address)
		}
	}
	var all []netip.Addr
	for _, version := range [][]netip.Addr{first, second} {
		shuffle(len(version), func(i, j int) { version[i], version[j] = version[j], version[i] })
	}
	for i := range max(len(first), len(second)) {
		all = append(all, first[min(i, len(first)):min(i+1, len(first))]...)
		all = append(all, second[min(i, len(second)):min(i+1, len(second))]...)
	}
	return all
}

// attempted is the outcome of connecting to one address.
type attempted struct {
	address string
	conn    net.Conn
	err     error
}

// race connects to the first address that responds; the candidates are distinct. The next one is tried when one has
// failed, and when it has not responded for nextAddressAfter. An address that one tried
// after it was faster than is set aside as one that failed.
func (a *addresses) race(ctx context.Context, network string, candidates []string) (net.Conn, string, error) {
	ctx, cancel := context.WithCancel(ctx)
	outcomes := make(chan attempted)
	trying := map[string]bool{}
	defer func() {
		cancel()
		for range trying { // they end at once
			if late := <-outcomes; late.conn != nil {
				_ = late.conn.Close() // nobody uses it
			}
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	var failed error
	for left := candidates; len(left) > 0 || len(trying) > 0; {
		select {
		case <-next.C:
			if len(left) > 0 {
				address := left[0]
				left, trying[address] = left[1:], true
				go func() {
					conn, err := a.dial(ctx, network, address)
					outcomes <- attempted{address, conn, err}
				}()
				next.Reset(nextAddressAfter)
			}
		case ended := <-outcomes:
			delete(trying, ended.address)
			if ended.err == nil {
				a.note(ended.address, pick.Succeeded)
				for slower := range trying {
					a.note(slower, pick.Failed)
				}
				return ended.conn, ended.address, nil
			}
			a.note(ended.address, pick.Failed)
			if failed == nil {
				failed = ended.err
			}
			next.Reset(0)
		}
	}
	if len(candidates) > 1 {
		failed = fmt.Errorf("%w (and so for all %d addresses)", failed, len(candidates))
	}
	return nil, "", failed
}
