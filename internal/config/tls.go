package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// ClientTLS is how to speak TLS as a client. caFile is a PEM file with the
// authorities that may have signed the server's certificate, in place of the
// system's; certFile and keyFile are PEM files with a certificate of the
// client's own and its key. Any may be empty, but not one of the last two alone.
func ClientTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		content, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("authorities file %s: %w", caFile, reason(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("authorities file %s: holds no certificate in PEM form", caFile)
		}
	}
	if (certFile == "") != (keyFile == "") {
		return nil, errors.New("a client certificate and its key are needed together; only one is given")
	}
	if certFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s with key %s: %w", certFile, keyFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
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
