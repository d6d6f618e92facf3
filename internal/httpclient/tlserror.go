package httpclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
)

// TLSError is a reason why two sides cannot agree on TLS, in plain words. The
// errors of a [Client] have it in their chain, in front of the technical cause.
type TLSError struct{ reason string }

// Error implements error.
func (e *TLSError) Error() string { return e.reason }

// The reasons.
var (
	ErrUnknownAuthority  = &TLSError{"the server's certificate is signed by an authority that is not trusted here"}
	ErrExpired           = &TLSError{"the server's certificate is not valid now, by the clock of this machine"}
	ErrWrongHost         = &TLSError{"the server's certificate is for another host"}
	ErrBadCertificate    = &TLSError{"the server's certificate does not verify"}
	ErrClientCertificate = &TLSError{"the server requires a client certificate, and none that it accepts was given"}
	ErrTLSVersion        = &TLSError{"the server speaks no version of TLS that is allowed here"}
	ErrHandshake         = &TLSError{"the server ended the handshake; it may require a client certificate, or share no cipher with this side"}
	ErrNoTLS             = &TLSError{"the server does not speak TLS there; the endpoint may have to begin with http://, or name another port"}
	ErrTLSRequired       = &TLSError{"the server speaks TLS there; the endpoint may have to begin with https://"}
)

// tlsReason returns the reason for an error of net/http, or nil if the error is
// not about TLS.
func tlsReason(err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateReason(err)
	}
	if remote, ok := errors.AsType[*net.OpError](err); ok && remote.Op == "remote error" {
		return alertReason(remote.Err.Error())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return ErrNoTLS
	}
	// These two have no types.
	switch text := err.Error(); {
	case strings.Contains(text, "tls: server selected unsupported protocol version"):
		return ErrTLSVersion
	case strings.Contains(text, `malformed HTTP response "\x15\x03`): // a TLS alert, read as HTTP
		return ErrTLSRequired
	default:
		return nil
	}
}

func certificateReason(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return ErrUnknownAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return ErrWrongHost
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return ErrExpired
	}
	return ErrBadCertificate
}

// alertReason returns the reason for an alert of the server (RFC 8446, section 6),
// in the text of crypto/tls, which does not export the alert's type.
func alertReason(alert string) error {
	switch strings.TrimPrefix(alert, "tls: ") {
	case "certificate required", "bad certificate", "unsupported certificate", "revoked certificate",
		"expired certificate", "unknown certificate", "unknown certificate authority", "access denied":
		return ErrClientCertificate
	case "protocol version not supported":
		return ErrTLSVersion
	case "handshake failure", "insufficient security level":
		return ErrHandshake
	default:
		return nil
	}
}

// AsksForTLS reports whether a response, with the text of its body, is that of an
// https server to a request without TLS. The common servers all say so in a page.
func AsksForTLS(response *http.Response, body string) bool {
	text := strings.ToLower(body)
	return response.StatusCode == http.StatusBadRequest && response.TLS == nil &&
		strings.Contains(text, "http request") && strings.Contains(text, "https")
}

// certificateRequest notes whether a server has asked for a client certificate, and
// whether a request has succeeded since.
//
// In TLS 1.3 the client completes the handshake before the server has checked the
// client's certificate. The alert that refuses it races with the first request, and
// the client may see only a broken pipe. That a certificate was asked for explains
// such an error.
type certificateRequest struct{ asked, accepted atomic.Bool }

// watch makes a configuration note the server's request. The certificate that is
// sent stays the same.
func (c *certificateRequest) watch(config *tls.Config) {
	choose, certificates := config.GetClientCertificate, config.Certificates
	config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c.asked.Store(true)
		if choose != nil {
			return choose(request)
		}
		for i := range certificates {
			if request.SupportsCertificate(&certificates[i]) == nil {
				return &certificates[i], nil
			}
		}
		return new(tls.Certificate), nil // none, which the server may accept
	}
}

// reason returns ErrClientCertificate if a refused certificate is the likely cause
// of a connection's early end, else nil.
func (c *certificateRequest) reason(err error) error {
	if !c.asked.Load() || c.accepted.Load() {
		return nil
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) ||
		strings.Contains(err.Error(), "http2: client conn could not be established") {
		return ErrClientCertificate
	}
	return nil
}
