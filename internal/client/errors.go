package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"connectrpc.com/connect"
)

// agentsPath ends the endpoint of agents, which some take for this one.
const agentsPath = "/v3"

// Error is a call that failed.
type Error struct {
	// Doing is what was asked, such as "submitting the job".
	Doing string
	// Endpoint is the control plane that was asked.
	Endpoint string
	// Code is its answer, or what connect-go makes of a broken connection.
	Code connect.Code
	// Err is the cause.
	Err error
}

// Error is one line: what failed, at which control plane, why, and what to do.
func (e *Error) Error() string {
	cause, advice := e.explain()
	if advice != "" {
		advice = "; " + advice
	}
	return fmt.Sprintf("%s at %s: %s%s", e.Doing, e.Endpoint, cause, advice)
}

// Uncertain says whether what was asked may have been done all the same: the
// request may have arrived, and no answer to it came.
func (e *Error) Uncertain() bool {
	return !definite(e.Code) && !errors.Is(e.Err, syscall.ECONNREFUSED)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// failed wraps what a call returned.
func (c *Client) failed(doing string, err error) error {
	return &Error{Doing: doing, Endpoint: c.endpoint, Code: connect.CodeOf(err), Err: err}
}

// definite says whether the control plane has answered, so that to ask again
// would be answered the same. Everything else is a broken connection, or a
// control plane that is going away or coming up.
func definite(code connect.Code) bool {
	switch code {
	case connect.CodeInvalidArgument, connect.CodeNotFound, connect.CodeAlreadyExists,
		connect.CodePermissionDenied, connect.CodeUnauthenticated, connect.CodeFailedPrecondition,
		connect.CodeOutOfRange, connect.CodeUnimplemented, connect.CodeDataLoss:
		return true
	case connect.CodeCanceled, connect.CodeUnknown, connect.CodeDeadlineExceeded,
		connect.CodeResourceExhausted, connect.CodeAborted, connect.CodeInternal, connect.CodeUnavailable:
		return false
	default:
		return false
	}
}

// explain is the cause in words, and what to do about it.
func (e *Error) explain() (cause, advice string) {
	cause, advice, ok := e.explainConnection()
	if ok {
		return cause, advice
	}
	cause = e.Err.Error()
	if answer, ok := errors.AsType[*connect.Error](e.Err); ok && answer.Message() != "" {
		cause = answer.Message()
	}
	// The agents' API says what it does not serve to agents alone; anybody else's
	// token is refused there.
	if strings.HasSuffix(e.Endpoint, agentsPath) && (strings.Contains(cause, "not served") || e.Code == connect.CodeUnauthenticated) {
		return cause, agentsPath + " is for agents alone: leave it out of --endpoint"
	}
	switch e.Code {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return "the admin token was refused",
			"the control plane has its own in the file admin-token of its data directory: give that with --admin-token-file"
	case connect.CodeUnimplemented:
		return cause, "is this a control plane of Switchyard? --endpoint says where one is"
	case connect.CodeDeadlineExceeded:
		return fmt.Sprintf("no answer within %v", callTimeout), "try again, or look at the log of the control plane"
	default:
		return strings.Join(strings.Fields(cause), " "), ""
	}
}

// explainConnection explains what kept the call from reaching a control plane.
func (e *Error) explainConnection() (cause, advice string, ok bool) {
	if dns, is := errors.AsType[*net.DNSError](e.Err); is {
		return "no address is known for " + dns.Name, "--endpoint says where the control plane is", true
	}
	if certificate, is := errors.AsType[*tls.CertificateVerificationError](e.Err); is {
		return explainCertificate(certificate)
	}
	switch {
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "nothing listens there", "is `switchyard up` running? --endpoint says where the control plane is", true
	case errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "the connection broke", "", true
	case strings.Contains(e.Err.Error(), "server gave HTTP response to HTTPS client"):
		return "it does not speak TLS", "say http:// in --endpoint", true
	case strings.Contains(e.Err.Error(), "first record does not look like a TLS handshake"):
		return "it does not speak TLS", "say http:// in --endpoint", true
	}
	return "", "", false
}

func explainCertificate(err *tls.CertificateVerificationError) (cause, advice string, ok bool) {
	if _, is := errors.AsType[x509.UnknownAuthorityError](err); is {
		return "its certificate is signed by an unknown authority", "name the authority's certificate with --ca-file", true
	}
	return err.Err.Error(), "", true
}
