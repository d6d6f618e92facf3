package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// maxSecretBytes bounds a file with a token or a password.
const maxSecretBytes = 64 << 10

// Access is how a replica connects to an external NATS server: who it is, and how TLS
// is verified. Every file is read again for each connection, so a file that was
// replaced is used by the next one. The zero value is a connection without TLS, unless
// the server or the URL requires TLS, by a user of the URL or none.
type Access struct {
	// CredentialsFile has a user's JWT and the seed of its NKey, as nsc writes it.
	CredentialsFile string
	// TokenFile has the token of the server.
	TokenFile string
	// User and PasswordFile are a user of the server and the file of its password. Both
	// or none.
	User, PasswordFile string
	// CAFile has the certificates, in PEM, by which the server's one is verified; empty
	// are those of the system. It requires TLS.
	CAFile string
	// CertFile and KeyFile are the client's certificate and its key, in PEM. Both or
	// none; they require TLS.
	CertFile, KeyFile string
}

// Validate returns an error that names the setting that is missing, or is one too many.
func (a Access) Validate() error {
	ways := 0
	for _, way := range []string{a.CredentialsFile, a.TokenFile, a.User} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("NATS: a credentials file, a token file and a user exclude each other; set one of them")
	case (a.User == "") != (a.PasswordFile == ""):
		return errors.New("NATS: a user and a password file are needed together; set both or neither")
	case (a.CertFile == "") != (a.KeyFile == ""):
		return errors.New("NATS: a certificate file and a key file are needed together; set both or neither")
	}
	return nil
}

// IsZero reports whether nothing is set.
func (a Access) IsZero() bool { return a == Access{} }

// check reads every file once, and returns an error that names the first one that
// cannot be used. The client of NATS would report it as an error of the connection.
func (a Access) check() error {
	for _, path := range []string{a.TokenFile, a.PasswordFile} {
		if path == "" {
			continue
		}
		if _, err := readSecret(path); err != nil {
			return err
		}
	}
	if a.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile); err != nil {
			return fmt.Errorf("reading the client certificate %s and its key %s for NATS: %w", a.CertFile, a.KeyFile, err)
		}
	}
	for path, usable := range map[string]func([]byte) error{
		a.CAFile: func(data []byte) error {
			if !x509.NewCertPool().AppendCertsFromPEM(data) {
				return errNoCertificate
			}
			return nil
		},
		a.CredentialsFile: func(data []byte) error {
			if _, err := nkeys.ParseDecoratedNKey(data); err != nil {
				return fmt.Errorf("it has no seed of an NKey: %w", err)
			}
			return nil
		},
	} {
		if path == "" {
			continue
		}
		data, err := os.ReadFile(path) //nolint:gosec // the operator's own file
		if err != nil {
			return fmt.Errorf("reading a file for NATS: %w", err)
		}
		if err := usable(data); err != nil {
			return fmt.Errorf("reading a file for NATS: %s: %w", path, err)
		}
	}
	return nil
}

// errNoCertificate is why a file of certificates cannot be used.
var errNoCertificate = errors.New("it has no certificate in PEM")

// options returns the options of a connection.
func (a Access) options() (opts []nats.Option) {
	switch {
	case a.CredentialsFile != "":
		opts = append(opts, nats.UserCredentials(a.CredentialsFile))
	case a.TokenFile != "":
		opts = append(opts, nats.TokenHandler(func() string { return secret(a.TokenFile) }))
	case a.User != "":
		opts = append(opts, nats.UserInfoHandler(func() (user, password string) { return a.User, secret(a.PasswordFile) }))
	}
	if a.CAFile != "" {
		opts = append(opts, nats.RootCAs(a.CAFile))
	}
	if a.CertFile != "" {
		opts = append(opts, nats.ClientCert(a.CertFile, a.KeyFile))
	}
	return opts
}

// secret returns the content of a file, and nothing if it cannot be read: then the
// server refuses the connection, which is tried again.
func secret(path string) string {
	text, _ := readSecret(path)
	return text
}

// readSecret returns the content of a file without the white space around it.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading a file for NATS: %w", err)
	}
	if info.Size() > maxSecretBytes {
		return "", fmt.Errorf("reading a file for NATS: %s has %d bytes, want at most %d", path, info.Size(), maxSecretBytes)
	}
	data, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return "", fmt.Errorf("reading a file for NATS: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("reading a file for NATS: %s is empty", path)
	}
	return text, nil
}
