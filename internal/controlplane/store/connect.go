package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// pingInterval and maxPings bound how long a server that does not respond is
	// treated as alive, 6 to 9 s; then the client connects to another one of the
	// cluster.
	pingInterval = 3 * time.Second
	maxPings     = 2
	// reconnectWait and reconnectJitter are the time between two attempts to connect
	// to the same server.
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 250 * time.Millisecond
	// noReconnectBuffer has a message fail that is sent while there is no connection.
	// A write that was kept would be stored after its caller has given up.
	noReconnectBuffer = -1
)

// connect opens the connection. An error that another attempt will not mend is a
// permanentError.
func (s *Store) connect() error {
	opts := []nats.Option{
		nats.Name("switchyard"),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a password that is being replaced
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.ReconnectBufSize(noReconnectBuffer),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				s.opts.Logger.Warn("lost connection to the store", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(s.onReconnect),
		nats.ErrorHandler(s.onError),
	}
	switch {
	case s.opts.Server != nil:
		opts = append(opts, nats.InProcessServer(s.opts.Server))
	case s.embedded != nil:
		opts = append(opts, nats.InProcessServer(s.embedded), nats.ReconnectWait(embeddedReconnectWait))
	default:
		if err := s.opts.Access.check(); err != nil {
			return permanent(err)
		}
		opts = append(opts, nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectJitter, reconnectJitter))
		opts = append(opts, s.opts.Access.options()...)
	}
	nc, err := nats.Connect(s.opts.URL, opts...)
	if err != nil {
		final := refusesUs(err)
		err = fmt.Errorf("connecting to the store at %s: %w%s", s.address(), err, connectAdvice(err))
		if final {
			return permanent(err)
		}
		return err
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(callTimeout))
	if err != nil {
		nc.Close()
		return fmt.Errorf("using the store at %s: %w", s.address(), err)
	}
	s.nc, s.js = nc, js
	if nc.MaxPayload() < minPayload {
		return permanent(fmt.Errorf("the NATS server at %s accepts messages of %d bytes, want %d: raise its max_payload",
			s.address(), nc.MaxPayload(), minPayload))
	}
	return nil
}

// refusesUs reports whether a server cannot be used with the present settings: by its
// or our certificate, user, password or token.
func refusesUs(err error) bool {
	for _, refusal := range []error{
		nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired,
		nats.ErrSecureConnRequired, nats.ErrSecureConnWanted, nats.ErrNkeysNotSupported, fs.ErrNotExist, fs.ErrPermission,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	alert, ok := errors.AsType[*net.OpError](err)
	return unverified || unknown || ok && alert.Op == remoteAlert
}

// connectAdvice returns what to do about an error of connecting, with a semicolon before it;
// or nothing.
func connectAdvice(err error) string {
	advice := ""
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isOther := errors.AsType[x509.HostnameError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	alert, isAlert := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, nats.ErrNoServers):
		advice = "no server of --nats-url can be reached: start them, or correct their addresses"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrAccountAuthExpired):
		advice = "correct --nats-user and --nats-password-file, --nats-token-file or --nats-creds, or the users of the NATS servers"
	case errors.Is(err, nats.ErrSecureConnWanted):
		advice = "the server has no TLS: enable it there, or leave out tls:// and the files for TLS"
	case isUnknown:
		advice = "name the certificate of its authority with --nats-ca"
	case isOther:
		advice = "name the server in --nats-url as its certificate does, or give it a certificate for this name"
	case isInvalid && invalid.Reason == x509.Expired:
		advice = "renew the certificate of the server, or correct the clock of this machine"
	case isAlert && alert.Op == remoteAlert:
		advice = "name a client certificate of an authority that the server trusts, and its key, with --nats-cert and --nats-key"
	}
	if advice != "" {
		advice = "; " + advice
	}
	return advice
}

// remoteAlert is the Op of an error of crypto/tls with which the server has refused us.
const remoteAlert = "remote error"

func (s *Store) onReconnect(nc *nats.Conn) {
	s.opts.Logger.Info("reconnected to the store", zap.String("nats_server", nc.ConnectedServerName()))
	s.reconnect()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.reconnected {
		f()
	}
}

func (s *Store) onError(_ *nats.Conn, _ *nats.Subscription, err error) {
	if s.trying.Load() {
		return // what is refused then is in one error
	}
	if errors.Is(err, nats.ErrPermissionViolation) {
		s.denied.CompareAndSwap(nil, &err)
	}
	s.opts.Logger.Warn("connection to the store reported an error", zap.Error(err))
}

// address returns where the store is, for messages. It contains no password.
func (s *Store) address() string {
	switch {
	case s.opts.Server != nil:
		return "a NATS server of this process"
	case s.opts.URL == "":
		return s.opts.DataDir
	}
	return wire.HideAddresses(s.opts.URL)
}

// Connected reports whether there is a connection to the store. Without one, no signal
// of another replica arrives.
func (s *Store) Connected() bool { return s.nc.IsConnected() }
