package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClientTLS shows whom each choice of files trusts, and what is said of files
// that are of no use.
func TestClientTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs, empty := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs"), filepath.Join(dir, "empty")
	one, two := writeAuthority(t, ours), writeAuthority(t, theirs)
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		options ClientTLSOptions
		trusts  []*x509.Certificate // of the two
		least   uint16
		err     string
	}{
		{name: "nothing", least: tls.VersionTLS12},
		{name: "in place of the system's", options: ClientTLSOptions{CAFile: ours}, trusts: []*x509.Certificate{one}, least: tls.VersionTLS12},
		{name: "beside the system's", options: ClientTLSOptions{ExtraCAFile: theirs}, trusts: []*x509.Certificate{two}, least: tls.VersionTLS12},
		{name: "both", options: ClientTLSOptions{CAFile: ours, ExtraCAFile: theirs}, trusts: []*x509.Certificate{one, two}, least: tls.VersionTLS12},
		{name: "TLS 1.2", options: ClientTLSOptions{MinVersion: "1.2"}, least: tls.VersionTLS12},
		{name: "TLS 1.3", options: ClientTLSOptions{MinVersion: "1.3"}, least: tls.VersionTLS13},
		{name: "TLS 1.1", options: ClientTLSOptions{MinVersion: "1.1"}, err: `unknown TLS version "1.1"; the versions are 1.2, 1.3`},
		{name: "no such file", options: ClientTLSOptions{ExtraCAFile: "nowhere"}, err: "authorities file nowhere: "},
		{name: "no certificate", options: ClientTLSOptions{CAFile: empty}, err: "holds no certificate in PEM form"},
		{name: "half a pair", options: ClientTLSOptions{KeyFile: ours}, err: "needed together"},
		{name: "no key", options: ClientTLSOptions{CertFile: ours, KeyFile: ours}, err: "client certificate " + ours},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := ClientTLS(row.options)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Errorf("got %v, want %s", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.MinVersion != row.least {
				t.Errorf("at least version %x, want %x", got.MinVersion, row.least)
			}
			if (got.RootCAs == nil) != (row.options.CAFile == "" && row.options.ExtraCAFile == "") {
				t.Error("the system's authorities alone must be none")
			}
			for _, authority := range []*x509.Certificate{one, two} {
				wanted := false
				for _, trusted := range row.trusts {
					wanted = wanted || trusted == authority
				}
				if _, err := authority.Verify(x509.VerifyOptions{Roots: got.RootCAs}); (err == nil) != wanted {
					t.Errorf("trusted: %v, want %t", err, wanted)
				}
			}
		})
	}
}

func writeAuthority(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
