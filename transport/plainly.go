package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// ErrClientCertificate is in the chain of errors of a call to a server that
// wants to see a client certificate, or does not accept the one that it saw.
var ErrClientCertificate = errors.New("the server wants a client certificate, and none that it accepts was given")

// The other ways in which two sides fail to agree on TLS, in words for people.
var (
	errUnknownAuthority = errors.New("the server's certificate is signed by an authority that is not trusted here")
	errExpired          = errors.New("the server's certificate is not valid now, by the clock of this machine")
	errWrongHost        = errors.New("the server's certificate is for another host")
	errBadCertificate   = errors.New("the server's certificate does not verify")
	errTLSVersion       = errors.New("the server speaks no version of TLS that is allowed here")
	errHandshake        = errors.New("the server broke the handshake off; it may want a client certificate, or have no cipher in common")
	errNoTLS            = errors.New("the server does not speak TLS there; the endpoint may have to begin with http://, or name another port")
	errSpeaksTLS        = errors.New("the server speaks TLS there; the endpoint may have to begin with https://")
)

// plainly puts in front of an error of net/http what it means to whoever has to
// put it right. The error itself stays in the chain, and in the line.
func plainly(meaning, err error) error { return fmt.Errorf("%w (%w)", meaning, err) }

// tlsMeaning is which of the ways to fail at TLS an error is, or nil.
func tlsMeaning(err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateMeaning(err)
	}
	if remote, ok := errors.AsType[*net.OpError](err); ok && remote.Op == "remote error" {
		return alertMeaning(remote.Err.Error())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return errNoTLS
	}
	// These two have no types.
	switch text := err.Error(); {
	case strings.Contains(text, "tls: server selected unsupported protocol version"):
		return errTLSVersion
	case strings.Contains(text, `malformed HTTP response "\x15\x03`): // a TLS alert, read as HTTP
		return errSpeaksTLS
	default:
		return nil
	}
}

func certificateMeaning(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return errUnknownAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errWrongHost
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return errExpired
	}
	return errBadCertificate
}

// alertMeaning reads an alert of the server (RFC 8446, section 6), in the words
// of crypto/tls, which does not export its type.
func alertMeaning(alert string) error {
	switch strings.TrimPrefix(alert, "tls: ") {
	case "certificate required", "bad certificate", "unsupported certificate", "revoked certificate",
		"expired certificate", "unknown certificate", "unknown certificate authority", "access denied":
		return ErrClientCertificate
	case "protocol version not supported":
		return errTLSVersion
	case "handshake failure", "insufficient security level":
		return errHandshake
	default:
		return nil
	}
}

// askedForTLS reports whether an unsuccessful answer is that of an https server
// which was asked without TLS: each of the common ones says so in a page of its own.
func askedForTLS(response *http.Response, message string) bool {
	return response.StatusCode == http.StatusBadRequest && response.TLS == nil &&
		strings.Contains(strings.ToLower(message), "http request") && strings.Contains(strings.ToLower(message), "https")
}
