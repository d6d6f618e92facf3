package httpclient

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
)

// secureTransport serves https with a TLS configuration that may be replaced. It is
// safe for concurrent use.
type secureTransport struct {
	asked      certificateRequest
	currentTLS func() *tls.Config
	open       func(*tls.Config) *http.Transport

	mu        sync.Mutex
	config    *tls.Config // as currentTLS returned it
	transport *http.Transport
}

// newSecureTransport returns a transport for the configuration of the options.
func newSecureTransport(options Options, conns *connections, proxy func(*http.Request) (*url.URL, error)) *secureTransport {
	s := &secureTransport{currentTLS: options.CurrentTLS}
	if s.currentTLS == nil {
		s.currentTLS = func() *tls.Config { return options.TLS }
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	s.open = func(config *tls.Config) *http.Transport {
		config = config.Clone()
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		s.asked.watch(config)
		transport := newTransport(newDialGate(conns.dialContext).dialContext, protocols)
		transport.Proxy, transport.TLSClientConfig = proxy, config
		return transport
	}
	return s
}

// current returns the transport for the configuration as it is now. The one before
// closes a connection when it has had no request for a while.
func (s *secureTransport) current() *http.Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := s.currentTLS()
	if s.transport != nil && s.config == config {
		return s.transport
	}
	if s.transport != nil {
		s.transport.CloseIdleConnections()
		s.asked.accepted.Store(false) // by the certificate before
	}
	s.config, s.transport = config, s.open(config)
	return s.transport
}

// renew makes later requests use new connections.
func (s *secureTransport) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport != nil {
		s.transport.CloseIdleConnections()
		s.transport = nil
	}
}

func (s *secureTransport) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}
