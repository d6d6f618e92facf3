package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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
	w, err := WatchClientTLS(o, func(error) {})
	return w.value, err
}

// WatchClientTLS returns the TLS configuration for o, which follows its files; see
// NewWatched.
func WatchClientTLS(o ClientTLSOptions, notify func(error)) (*Watched[*tls.Config], error) {
	if (o.CertFile == "") != (o.KeyFile == "") {
		return &Watched[*tls.Config]{}, errors.New("a client certificate and its key are needed together; only one is given")
	}
	return NewWatched([]NamedFile{
		{"authorities file", o.CAFile},
		{"authorities file", o.ExtraCAFile},
		{"client certificate", o.CertFile},
		{"key of the client certificate", o.KeyFile},
	}, o.parse, notify)
}

// WatchKeyPair returns the certificate in certFile with the key in keyFile, which
// follows its files; see NewWatched.
func WatchKeyPair(certFile, keyFile string, notify func(error)) (*Watched[*tls.Certificate], error) {
	parse := func(contents [][]byte) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return nil, fmt.Errorf("TLS certificate %s with key %s: %w", certFile, keyFile, err)
		}
		return &pair, nil
	}
	return NewWatched([]NamedFile{{"TLS certificate", certFile}, {"key of the TLS certificate", keyFile}}, parse, notify)
}

// parse returns the configuration for the contents of CAFile, ExtraCAFile, CertFile
// and KeyFile.
func (o ClientTLSOptions) parse(contents [][]byte) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		c.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("unknown TLS version %q; the versions are %s", o.MinVersion, strings.Join(TLSVersions(), ", "))
	}
	ca, extraCA, cert, key := contents[0], contents[1], contents[2], contents[3]
	var err error
	if c.RootCAs, err = o.authorities(ca, extraCA); err != nil {
		return nil, err
	}
	if o.CertFile != "" {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s with key %s: %w", o.CertFile, o.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// authorities returns the authorities to trust. It returns nil for the system's
// alone, which crypto/tls then reads itself.
func (o ClientTLSOptions) authorities(ca, extraCA []byte) (*x509.CertPool, error) {
	if o.CAFile == "" && o.ExtraCAFile == "" {
		return nil, nil //nolint:nilnil // it means the system's
	}
	pool := x509.NewCertPool()
	if o.CAFile == "" {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("reading the system's certificate authorities: %w", err)
		}
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{{o.CAFile, ca}, {o.ExtraCAFile, extraCA}} {
		if file.name != "" && !pool.AppendCertsFromPEM(file.content) {
			return nil, fmt.Errorf("authorities file %s: holds no certificate in PEM form", file.name)
		}
	}
	return pool, nil
}

// PinnedTLS returns the TLS configuration for a client of the one server that has
// the certificate that current returns in DER form, whatever address it is reached
// by. It is for a server in the same process, whose certificate need not name the
// loopback address, and may be replaced.
func PinnedTLS(current func() []byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection is stricter: one certificate, byte for byte
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, current()) {
				return errors.New("the server has another certificate than its own")
			}
			return nil
		},
	}
}
