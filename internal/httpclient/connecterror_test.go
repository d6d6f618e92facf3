package httpclient

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// TestConnectReason checks which failures have a reason in plain words.
func TestConnectReason(t *testing.T) {
	t.Parallel()
	op := func(name string, err error) error {
		return fmt.Errorf("asking: %w", &net.OpError{Op: name, Net: "tcp", Err: err})
	}
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	rows := []struct {
		name string
		err  error
		want string // empty for none
	}{
		{"refused", op(opDial, refused), "nothing listens there"},
		{"a socket without a file", op(opDial, os.NewSyscallError("connect", syscall.ENOENT)), "nothing listens there"},
		{"a proxy refused", op(opProxy, op(opDial, refused)), "nothing listens at the address of the proxy"},
		{"unknown name", op(opDial, &net.DNSError{Err: "no such host", Name: "control.test", IsNotFound: true}), "no address is known for control.test"},
		{"no route", op(opDial, os.NewSyscallError("connect", syscall.EHOSTUNREACH)), ""},
		{"an open connection", op("read", os.NewSyscallError("read", syscall.ECONNREFUSED)), ""},
		{"a file", &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, ""},
		{"another", errors.New("another"), ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if reason := connectReason(row.err); reason != nil {
				got = reason.Error()
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
