package httpclient

import (
	"errors"
	"net"
	"syscall"
)

// ConnectError is a reason why no server was reached, in plain words. The errors of a
// [Client] have it in their chain, in front of the technical cause.
type ConnectError struct{ reason string }

// Error implements error.
func (e *ConnectError) Error() string { return e.reason }

// The reasons that name nothing. That of a name that cannot be looked up names it.
var (
	errNoListener = &ConnectError{"nothing listens there"}
	errNoProxy    = &ConnectError{"nothing listens at the address of the proxy"}
)

// opProxy is the operation of a [net.OpError] about the connection to a proxy.
const opProxy = "proxyconnect"

// NoListener reports whether an error means that no program listens at an address, or
// that the file of a Unix socket does not exist.
func NoListener(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}

// connectReason returns the reason for an error of net/http, or nil if the error is not
// about a name or a port, or is one of a connection that was open.
func connectReason(err error) error {
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return &ConnectError{"no address is known for " + name.Name}
	}
	failed, ok := errors.AsType[*net.OpError](err)
	switch {
	case !ok || !NoListener(err):
		return nil
	case failed.Op == opProxy:
		return errNoProxy
	case failed.Op == opDial:
		return errNoListener
	default:
		return nil
	}
}
