package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ClientTLSOptions says how to speak TLS as a client. Its zero value trusts the
// system's authorities, and speaks TLS 1.2 or later.
type ClientTLSOptions struct {
	// CAFile is a PEM file with the authorities that may have signed the server's
	// certificate, in place of the system's.
	CAFile string
	// ExtraCAFile is a PEM file with more of them, beside those of CAFile or of
	// the system.
	ExtraCAFile string
	// CertFile and KeyFile are PEM files with a certificate of the client's own
	// and its key; both or neither are given.
	CertFile, KeyFile string
	// MinVersion is one of TLSVersions; empty is the first of them.
	MinVersion string
}

// TLSVersions returns the names of the versions of TLS that may be asked for as
// the least, lowest first.
func TLSVersions() []string { return []string{"1.2", "1.3"} }

// ClientTLS is how to speak TLS as a client. The error names the file that is
// wrong.
func ClientTLS(o ClientTLSOptions) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		c.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("unknown version of TLS %q; there are %s", o.MinVersion, strings.Join(TLSVersions(), ", "))
	}
	var err error
	if c.RootCAs, err = authorities(o.CAFile, o.ExtraCAFile); err != nil {
		return nil, err
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("a client certificate and its key are needed together; only one is given")
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s with key %s: %w", o.CertFile, o.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// authorities are those to trust: nil for the system's alone, which are then
// those of the moment of each handshake.
func authorities(file, extraFile string) (*x509.CertPool, error) {
	if file == "" && extraFile == "" {
		return nil, nil //nolint:nilnil // as crypto/tls has it
	}
	pool := x509.NewCertPool()
	if file == "" {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("the system's authorities: %w", err)
		}
	}
	for _, name := range []string{file, extraFile} {
		if name == "" {
			continue
		}
		content, err := os.ReadFile(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("authorities file %s: %w", name, reason(err))
		}
		if !pool.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("authorities file %s: holds no certificate in PEM form", name)
		}
	}
	return pool, nil
}

// PinnedTLS is how to speak TLS, as a client, with the one server that has the
// certificate in certFile, under whatever name it is reached: for a server in the
// same process, whose certificate need not name the loopback address.
func PinnedTLS(certFile string) (*tls.Config, error) {
	content, err := os.ReadFile(certFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("certificate file %s: %w", certFile, reason(err))
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("certificate file %s: does not begin with a certificate in PEM form", certFile)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection is stricter: one certificate, byte for byte
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the server does not have the certificate that it was started with")
			}
			return nil
		},
	}, nil
}
