package client

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Error is a call that failed.
type Error struct {
	// Doing is what was asked, such as "submitting the job".
	Doing string
	// Endpoint is the control plane that was asked; several are separated by commas.
	Endpoint string
	// Code is the code of the response, or connect-go's for a failed connection.
	Code connect.Code
	// Err is the cause.
	Err error
}

// Error returns one line: what failed, at which control plane, why, and what to do.
func (e *Error) Error() string {
	cause, advice := e.explain()
	if advice != "" {
		advice = "; " + advice
	}
	return fmt.Sprintf("%s at %s: %s%s", e.Doing, e.Endpoint, cause, advice)
}

// Uncertain reports whether the operation may have been performed all the same: the
// request may have arrived, but there was no response. A request that was refused for
// lack of room was not performed.
func (e *Error) Uncertain() bool {
	return !definite(e.Code) && e.Code != connect.CodeResourceExhausted && !httpclient.NoListener(e.Err)
}

// NotDone reports whether the control plane has responded that nothing was changed.
func (e *Error) NotDone() bool {
	response, ok := errors.AsType[*connect.Error](e.Err)
	return ok && response.Meta().Get(wire.HeaderNotDone) != ""
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (c *Client) failed(doing string, err error) error {
	endpoint := c.Endpoint()
	if all, ok := errors.AsType[*unreachedError](err); ok {
		endpoint = strings.Join(all.endpoints, ", ")
	}
	return &Error{Doing: doing, Endpoint: endpoint, Code: connect.CodeOf(err), Err: err}
}

// definite reports whether a code is the control plane's final response, which
// repeating the call would not change. Any other code is a failed connection, or a
// control plane that stops or starts.
func definite(code connect.Code) bool {
	switch code {
	case connect.CodeInvalidArgument, connect.CodeNotFound, connect.CodeAlreadyExists,
		connect.CodePermissionDenied, connect.CodeUnauthenticated, connect.CodeFailedPrecondition,
		connect.CodeOutOfRange, connect.CodeUnimplemented, connect.CodeDataLoss:
		return true
	default:
		return false
	}
}

// explain returns the cause in words, and what to do; the advice may be empty.
func (e *Error) explain() (cause, advice string) {
	cause, advice, ok := e.explainConnection()
	if ok {
		return cause, advice
	}
	cause = e.Err.Error()
	if response, ok := errors.AsType[*connect.Error](e.Err); ok && response.Message() != "" {
		cause = response.Message()
	}
	// The agents' API responds "not served" to calls that it does not have, and
	// refuses the tokens of people.
	if strings.HasSuffix(e.Endpoint, wire.Prefix) && (strings.Contains(cause, "not served") || e.Code == connect.CodeUnauthenticated) {
		return cause, wire.Prefix + " is for agents only: leave it out of --endpoint"
	}
	switch e.Code {
	case connect.CodePermissionDenied:
		return cause, "use another token: pass its file with --admin-token-file"
	case connect.CodeUnauthenticated:
		return "the token was refused: " + cause,
			"the control plane keeps its token in the file admin-token of its data directory: " +
				"pass that, or a named token, with --admin-token-file"
	case connect.CodeUnimplemented:
		return cause, "is this a control plane of Switchyard? set --endpoint to its URL"
	case connect.CodeDeadlineExceeded:
		return fmt.Sprintf("no response within %v", callTimeout), "try again, or check the log of the control plane"
	default:
		return strings.Join(strings.Fields(cause), " "), ""
	}
}

// explainConnection explains why the call did not reach a control plane. It reports
// whether that was the cause.
func (e *Error) explainConnection() (cause, advice string, ok bool) {
	const setEndpoint = "set --endpoint to the URL of the control plane"
	if unreached, is := errors.AsType[*httpclient.ConnectError](e.Err); is {
		advice = setEndpoint
		if httpclient.NoListener(e.Err) {
			advice = "is `switchyard up` running? " + setEndpoint
		}
		return unreached.Error(), advice, true
	}
	failed, is := errors.AsType[*httpclient.TLSError](e.Err)
	switch {
	case is && failed == httpclient.ErrUnknownAuthority:
		return failed.Error(), "name the authority's certificate with --ca-file", true
	case is && failed == httpclient.ErrExpired:
		cause = failed.Error()
		if certificate, ok := errors.AsType[x509.CertificateInvalidError](e.Err); ok && certificate.Detail != "" {
			cause += " (" + certificate.Detail + ")"
		}
		return cause, "renew it, or correct the clock of this machine", true
	case is:
		return failed.Error(), "", true
	case errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "the connection broke", "", true
	}
	return "", "", false
}
