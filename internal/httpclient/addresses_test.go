package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// addressedNet is a network in which each address behaves in its own way: "open",
// "refused", or "dark", which never responds. It notes the addresses that are dialed.
type addressedNet struct {
	behavior map[string]string

	mu     sync.Mutex
	dialed []string
}

func (n *addressedNet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, strings.TrimSuffix(address, ":80"))
	n.mu.Unlock()
	switch n.behavior[strings.TrimSuffix(address, ":80")] {
	case "open":
		here, there := net.Pipe()
		_ = there.Close()
		return here, nil
	case "refused":
		return nil, &net.OpError{Op: opDial, Net: network, Err: syscall.ECONNREFUSED}
	default:
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

func (n *addressedNet) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	dialed := strings.Join(n.dialed, " ")
	n.dialed = nil
	return dialed
}

// TestSeveralAddresses connects twice to a name with several addresses. An address that
// does not respond costs the first connection a moment, and the second one nothing.
func TestSeveralAddresses(t *testing.T) {
	rows := []struct {
		name      string
		behavior  string // of a, b and c, in the order in which they are tried
		dials     string // for the first connection
		took      time.Duration
		again     string // the dials of the second connection, a second later
		tookAgain time.Duration
		err       error
	}{
		{"all respond", "open open open", "a", 0, "a", 0, nil},
		{"the first refuses", "refused open open", "a b", 0, "b", 0, nil},
		{"the first is dark", "dark open open", "a b", nextAddressAfter, "b", 0, nil},
		{"two are dark", "dark dark open", "a b c", 2 * nextAddressAfter, "c", 0, nil},
		{"dark and refused", "dark refused open", "a b c", nextAddressAfter, "c", 0, nil},
		{"all refuse", "refused refused refused", "a b c", 0, "a b c", 0, syscall.ECONNREFUSED},
		{"all are dark", "dark dark dark", "a b c", 3 * time.Second, "a b c", 3 * time.Second, context.DeadlineExceeded},
	}
	names := map[string]string{"a": "192.0.2.1", "b": "192.0.2.2", "c": "192.0.2.3"}
	var short []string
	for name, address := range names {
		short = append(short, address, name)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &addressedNet{behavior: map[string]string{}}
				for i, behavior := range strings.Fields(row.behavior) {
					network.behavior[names[string("abc"[i])]] = behavior
				}
				a := &addresses{dial: network.dial, timeout: 3 * time.Second}
				candidates := []string{names["a"] + ":80", names["b"] + ":80", names["c"] + ":80"}
				connect := func(dials string, took time.Duration) {
					t.Helper()
					begun := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), a.timeout)
					defer cancel()
					conn, _, err := a.race(ctx, "tcp", a.pick.Order(begun, candidates))
					if !errors.Is(err, row.err) {
						t.Fatalf("error %v, want %v", err, row.err)
					}
					if conn != nil {
						_ = conn.Close()
					}
					if got := strings.NewReplacer(short...).Replace(network.take()); got != dials || time.Since(begun) != took {
						t.Errorf("dialed %s in %v, want %s in %v", got, time.Since(begun), dials, took)
					}
				}
				connect(row.dials, row.took)
				time.Sleep(time.Second)
				connect(row.again, row.tookAgain)
			})
		})
	}
}

// TestEveryAddressIsTried checks that names are looked up, and that every address is
// used in the end.
func TestEveryAddressIsTried(t *testing.T) {
	network := &addressedNet{behavior: map[string]string{"192.0.2.1": "refused", "2001:db8::1": "refused", "192.0.2.2": "open"}}
	a := &addresses{timeout: time.Minute, dial: func(ctx context.Context, kind, address string) (net.Conn, error) {
		return network.dial(ctx, kind, strings.NewReplacer("[", "", "]", "").Replace(address))
	}, lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "control.test" {
			return nil, fmt.Errorf("looked up %s", host)
		}
		return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, nil
	}}
	for range 5 { // the order is random
		conn, address, err := a.connect(t.Context(), "tcp", "control.test:80")
		if err != nil || address != "192.0.2.2:80" {
			t.Fatalf("connected to %s, %v", address, err)
		}
		_ = conn.Close()
	}
	if _, _, err := a.connect(t.Context(), "tcp", "other.test:80"); err == nil {
		t.Error("a name without an address")
	}
}

// TestRepeatedAddress connects to a name for which the resolver returns one address twice,
// which does not respond: no attempt to connect is left after the time-out.
func TestRepeatedAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &addressedNet{}
		a := &addresses{timeout: 3 * nextAddressAfter, dial: network.dial, lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1")}, nil
		}}
		if _, _, err := a.connect(t.Context(), "tcp", "control.test:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want a time-out", err)
		}
		if dialed := network.take(); dialed != "192.0.2.1" {
			t.Errorf("dialed %s, want 192.0.2.1 once", dialed)
		}
	})
}

// TestInterleave checks the order in which the two versions of IP are tried.
func TestInterleave(t *testing.T) {
	reverse := func(n int, swap func(i, j int)) {
		for i := range n / 2 {
			swap(i, n-1-i)
		}
	}
	rows := []struct{ found, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1"},
		{"2001:db8::1 192.0.2.1 192.0.2.2", "2001:db8::1 192.0.2.2 192.0.2.1"},
		{"192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3", "192.0.2.1 2001:db8::3 2001:db8::2 2001:db8::1"},
		{"::ffff:192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1"},
		{"192.0.2.1 192.0.2.2 192.0.2.1 ::ffff:192.0.2.1", "192.0.2.2 192.0.2.1"},
		{"", ""},
	}
	for _, row := range rows {
		var found []netip.Addr
		for text := range strings.FieldsSeq(row.found) {
			found = append(found, netip.MustParseAddr(text))
		}
		if got := strings.Trim(fmt.Sprint(interleave(found, reverse)), "[]"); got != row.want {
			t.Errorf("%s: got %s, want %s", row.found, got, row.want)
		}
	}
	var many []netip.Addr
	for address := netip.MustParseAddr("192.0.2.1"); len(many) < 100; address = address.Next() {
		many = append(many, address)
	}
	if tried := len(interleave(many, reverse)); tried != maxAddresses {
		t.Errorf("of 100 addresses %d are tried, want %d", tried, maxAddresses)
	}
}
