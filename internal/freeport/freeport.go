// Package freeport finds ports for programs whose address must be known before they listen, such
// as the servers of a cluster, each of which has the addresses of the others.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

const (
	// lowest is the first port that is taken: few services have one above it.
	lowest = 10_000
	// defaultEnd is the first port of clients on Linux unless that was changed (ip(7)); other
	// systems begin higher.
	defaultEnd = 32_768
	// attempts is how many ports may be in use for each one that is found.
	attempts = 100
)

// Addresses returns n addresses on 127.0.0.1, HOST:PORT, at which nothing listens. Their ports
// are below those of clients, and of listeners on any port, which the system chooses: else one
// of these could take a port before the program for which it was found. No port is returned twice
// to one process, so a program may also stop listening, and listen again. The error is that of
// the context, or of the last port that was tried. It may be called concurrently.
func Addresses(ctx context.Context, n int) ([]string, error) {
	ports, err := Ports(ctx, n)
	addresses := make([]string, len(ports))
	for i, port := range ports {
		addresses[i] = address(port)
	}
	return addresses, err
}

// Ports is Addresses for the ports alone.
func Ports(ctx context.Context, n int) ([]int, error) {
	ports, held := make([]int, 0, n), make([]net.Listener, 0, n)
	defer func() {
		for _, l := range held {
			_ = l.Close() // nothing was accepted
		}
	}()
	end := end()
	var errs error
	for left := attempts * n; len(ports) < n; left-- {
		if left == 0 || ctx.Err() != nil {
			return nil, fmt.Errorf("looking for a free port from %d to %d: %w", lowest, end-1, errors.Join(ctx.Err(), errs))
		}
		port := lowest + rand.IntN(end-lowest) //nolint:gosec // no secret
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address(port))
		if err != nil {
			errs = err
			continue
		}
		held = append(held, l)
		if first := returned.add(port); !first {
			errs = errReturned
			continue
		}
		ports = append(ports, port)
	}
	return ports, nil
}

var errReturned = errors.New("the ports that are free were all returned before")

// portSet is a set of ports. It may be used concurrently.
type portSet struct {
	mu  sync.Mutex
	has map[int]bool
}

// add adds a port, and reports whether the set did not have it.
func (s *portSet) add(port int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has[port] {
		return false
	}
	if s.has == nil {
		s.has = map[int]bool{}
	}
	s.has[port] = true
	return true
}

// returned has the ports that were returned to this process.
//
//nolint:gochecknoglobals // the ports are those of the machine
var returned portSet

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// end returns the first of the ports that the system chooses for clients.
func end() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return defaultEnd
	}
	return parseEnd(string(text))
}

// parseEnd returns the first port of a range that the kernel shows, or defaultEnd if that is
// not above lowest.
func parseEnd(text string) int {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return defaultEnd
	}
	if first, err := strconv.Atoi(fields[0]); err == nil && first > lowest {
		return first
	}
	return defaultEnd
}
