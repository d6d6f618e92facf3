package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
)

// certificateAsked notes that a server has asked for a client certificate, and
// whether one was ever content with the answer.
//
// In TLS 1.3 a client is done with the handshake before the server has looked
// at its certificate. The alert that says no races with the first request, and
// what is left of it may be a broken pipe alone. Whoever knows that a
// certificate was asked for can tell what that means.
type certificateAsked struct{ asked, content atomic.Bool }

// watch has a configuration note it. The certificate that is shown is the same
// as without.
func (a *certificateAsked) watch(config *tls.Config) {
	choose, certificates := config.GetClientCertificate, config.Certificates
	config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		a.asked.Store(true)
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

// meaning is ErrClientCertificate if that is why a connection ended early, else
// nil.
func (a *certificateAsked) meaning(err error) error {
	if !a.asked.Load() || a.content.Load() {
		return nil
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) ||
		strings.Contains(err.Error(), "http2: client conn could not be established") {
		return ErrClientCertificate
	}
	return nil
}
