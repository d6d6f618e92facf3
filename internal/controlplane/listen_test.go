package controlplane

import (
	"net"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

type addressed struct {
	net.Listener

	addr net.TCPAddr
}

func (a addressed) Addr() net.Addr { return &a.addr }

func TestURLAndWarningOfAnAddress(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		configured, bound string
		tls               bool
		url               string
		warns             bool
	}{
		{"127.0.0.1:0", "127.0.0.1", false, "http://127.0.0.1:7420", false},
		{"127.0.0.1:0", "127.0.0.1", true, "https://127.0.0.1:7420", false},
		{"localhost:7420", "127.0.0.1", false, "http://localhost:7420", false},
		{"[::1]:0", "::1", false, "http://[::1]:7420", false},
		{"0.0.0.0:7420", "0.0.0.0", false, "http://127.0.0.1:7420", true},
		{"[::]:7420", "::", false, "http://127.0.0.1:7420", true},
		{"[::]:7420", "::", true, "https://127.0.0.1:7420", false},
		{"192.0.2.1:7420", "192.0.2.1", false, "http://192.0.2.1:7420", true},
		{"Build.Example:7420", "192.0.2.1", true, "https://build.example:7420", false},
	} {
		ln := addressed{addr: net.TCPAddr{IP: net.ParseIP(row.bound), Port: 7420}}
		if got := listenURL(ln, row.configured, row.tls); got != row.url {
			t.Errorf("%s: URL is %s, want %s", row.configured, got, row.url)
		}
		core, logs := observer.New(zap.WarnLevel)
		warnIfExposed(zap.New(core), ln, row.tls)
		if got := logs.Len() == 1; got != row.warns {
			t.Errorf("%s, TLS %v: warned %v, want %v", row.configured, row.tls, got, row.warns)
		}
	}
}
