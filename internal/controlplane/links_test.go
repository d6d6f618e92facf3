package controlplane_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// link is one way to connect to the port: an HTTP version, with or without TLS.
type link struct {
	name   string
	tls    bool
	set    func(*http.Protocols, bool)
	proto  string // of the response
	scheme string
}

var links = []link{
	{"HTTP1", false, (*http.Protocols).SetHTTP1, "HTTP/1.1", "http"},
	{"H2C", false, (*http.Protocols).SetUnencryptedHTTP2, "HTTP/2.0", "http"},
	{"TLS-HTTP1", true, (*http.Protocols).SetHTTP1, "HTTP/1.1", "https"},
	{"TLS-HTTP2", true, (*http.Protocols).SetHTTP2, "HTTP/2.0", "https"},
}

// rpcProtocol is one of the protocols of streams and of switchyard.v1.
type rpcProtocol struct {
	name    string
	options []connect.ClientOption
}

var rpcProtocols = []rpcProtocol{
	{"gRPC", []connect.ClientOption{connect.WithGRPC()}},
	{"gRPC-Web", []connect.ClientOption{connect.WithGRPCWeb()}},
	{"Connect", nil},
	{"Connect-JSON", []connect.ClientOption{connect.WithProtoJSON()}},
}

// startOn returns a bed whose clients use one link.
func startOn(t *testing.T, l link, changes ...func(*controlplane.Config)) *bed {
	t.Helper()
	if !l.tls {
		b := start(t, changes...)
		b.client = &http.Client{Transport: protocolsOf(t, l.set), Timeout: waitLimit}
		b.connectClients()
		return b
	}
	certFile, keyFile, roots := certificate(t)
	b := start(t, append(changes, func(c *controlplane.Config) { c.TLSCertFile, c.TLSKeyFile = certFile, keyFile })...)
	transport := protocolsOf(t, l.set)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	b.client = &http.Client{Transport: transport, Timeout: waitLimit}
	b.connectClients()
	return b
}

// certificate returns a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "control plane under test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, content := range map[string][]byte{
		certFile: certPEM,
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}

// REST, switchyard.v1 and health are served over each link, on one port.
func TestOnePortServesEveryProtocol(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOn(t, l)
			if want := l.scheme + "://127.0.0.1:"; b.URL()[:len(want)] != want {
				t.Errorf("URL is %s, want it to begin with %s", b.URL(), want)
			}
			got := b.must(200, request{method: "GET", path: "/healthz"})
			if got.proto != l.proto {
				t.Errorf("the response is %s, want %s", got.proto, l.proto)
			}
			w := b.register("w", "q")
			if job := b.accepted(w, queued("q")); job.text("token") == "" {
				t.Errorf("accept returned %s", job.raw)
			}
		})
	}
}

// Clients with and without HTTP/2 use the same port.
func TestProtocolIsNegotiated(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	b := start(t, func(c *controlplane.Config) { c.TLSCertFile, c.TLSKeyFile = certFile, keyFile })
	for _, l := range links {
		if !l.tls {
			continue
		}
		transport := protocolsOf(t, l.set)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		b.client = &http.Client{Transport: transport, Timeout: waitLimit}
		if got := b.must(200, request{method: "GET", path: "/healthz"}); got.proto != l.proto {
			t.Errorf("the response over %s is %s", l.name, got.proto)
		}
	}
}
