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

// ClientTLSOptions configures TLS for a client. The zero value trusts the system's
// certificate authorities and accepts TLS 1.2 and later.
type ClientTLSOptions struct {
	// CAFile is a PEM file of the authorities to trust in place of the system's.
	CAFile string
	// ExtraCAFile is a PEM file of authorities to trust in addition to those of
	// CAFile or of the system.
	ExtraCAFile string
	// CertFile and KeyFile are PEM files with the client's certificate and its
	// key: both or neither.
	CertFile, KeyFile string
	// MinVersion is the lowest version to accept, one of TLSVersions; empty means
	// the first of them.
	MinVersion string
}

// TLSVersions returns the values of MinVersion, lowest first.
func TLSVersions() []string { return []string{"1.2", "1.3"} }

// ClientTLS returns the TLS configuration for o. Its error names the file that
// cannot be used.
func ClientTLS(o ClientTLSOptions) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		c.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("unknown TLS version %q; the versions are %s", o.MinVersion, strings.Join(TLSVersions(), ", "))
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

// authorities returns the authorities to trust. It returns nil for the system's
// alone, which crypto/tls then reads itself.
func authorities(file, extraFile string) (*x509.CertPool, error) {
	if file == "" && extraFile == "" {
		return nil, nil //nolint:nilnil // it means the system's
	}
	pool := x509.NewCertPool()
	if file == "" {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("reading the system's certificate authorities: %w", err)
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

// PinnedTLS returns the TLS configuration for a client of the one server that has
// the certificate in certFile, whatever address it is reached by. It is for a
// server in the same process, whose certificate need not name the loopback
// address.
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
				return errors.New("the server has another certificate than the one it was started with")
			}
			return nil
		},
	}, nil
}
