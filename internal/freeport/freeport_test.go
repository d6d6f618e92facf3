package freeport

import (
	"net"
	"strconv"
	"testing"
)

// TestAddresses checks that addresses are different, can be listened at, and are not those
// that the system chooses itself.
func TestAddresses(t *testing.T) {
	t.Parallel()
	addresses, err := Addresses(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, address := range addresses {
		_, text, _ := net.SplitHostPort(address)
		if port, err := strconv.Atoi(text); err != nil || port < lowest || port >= end() || seen[address] {
			t.Errorf("%s, after %v", address, seen)
		}
		seen[address] = true
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = l.Close() // nothing was accepted
	}
}

// TestNoPortTwice takes as many ports as make it certain that some are drawn twice.
func TestNoPortTwice(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 100 {
		ports, err := Ports(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range ports {
			if seen[port] {
				t.Errorf("port %d was returned twice", port)
			}
			seen[port] = true
		}
	}
}

func TestParseEnd(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"32768\t60999\n": 32768, "49152 65535": 49152, "1024\t65535\n": defaultEnd, "10000 60000": defaultEnd, "": defaultEnd, "all": defaultEnd,
	} {
		if got := parseEnd(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
