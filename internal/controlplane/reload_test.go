package controlplane_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// TestReloadTokens changes the token files of a running server, and checks which
// tokens are accepted after the reload.
func TestReloadTokens(t *testing.T) {
	const fresh = "0123456789abcdef-fresh"
	for _, row := range []struct {
		name                 string
		file, content        string // empty content removes the file
		config               controlplane.Config
		changed              []string
		err                  string
		registration, admins bool // the old token is still accepted
	}{
		{name: "nothing", file: "other", content: "x", registration: true, admins: true},
		{name: "registration token", file: datadir.RegistrationTokenFile, content: fresh, changed: []string{"registration token"}, admins: true},
		{name: "admin token", file: datadir.AdminTokenFile, content: fresh, changed: []string{"admin token"}, registration: true},
		{name: "a file that is gone gets a new token", file: datadir.AdminTokenFile, changed: []string{"admin token"}, registration: true},
		{name: "token of the configuration", file: "other", content: "x", config: controlplane.Config{AdminToken: fresh}, changed: []string{"admin token"}, registration: true},
		{name: "too short", file: datadir.RegistrationTokenFile, content: "short", err: "registration-token", registration: true, admins: true},
		{name: "both the same", file: "other", content: "x", config: controlplane.Config{AdminToken: fresh, RegistrationToken: fresh}, err: "the same", registration: true, admins: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
			registration, admin := b.RegistrationToken(), b.AdminToken()
			path := filepath.Join(dir, row.file)
			var err error
			if row.content == "" {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(path, []byte(row.content+"\n"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			changed, err := b.Reload(row.config)
			if !slices.Equal(changed, row.changed) {
				t.Errorf("changed %q, want %q", changed, row.changed)
			}
			if (err != nil) != (row.err != "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("error %v, want one with %q", err, row.err)
			}
			for _, use := range []struct {
				token string
				works bool
			}{{registration, row.registration}, {b.RegistrationToken(), true}} {
				if got := b.do(request{method: "POST", path: "/v3/register", token: use.token, body: `{"name":"a"}`}); (got.status == http.StatusOK) != use.works {
					t.Errorf("registering: status %d, accepted: want %t", got.status, use.works)
				}
			}
			for _, use := range []struct {
				token string
				works bool
			}{{admin, row.admins}, {b.AdminToken(), true}} {
				jobs := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(use.token))
				if _, err := jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{}); (err == nil) != use.works {
					t.Errorf("listing jobs: %v, accepted: want %t", err, use.works)
				}
			}
		})
	}
}

// TestReloadCertificate replaces the certificate of a running server, and checks which
// one the next handshake has.
func TestReloadCertificate(t *testing.T) {
	certFile, keyFile, _ := certificate(t)
	nextCert, nextKey, _ := certificate(t)
	b := start(t, func(c *controlplane.Config) { c.TLSCertFile, c.TLSKeyFile = certFile, keyFile })
	first := served(t, b.URL())
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if changed, err := b.Reload(controlplane.Config{}); len(changed) > 0 || err != nil {
		t.Errorf("without a change: changed %q, error %v", changed, err)
	}
	rename(nextCert, certFile) // the key is the old one
	if changed, err := b.Reload(controlplane.Config{}); len(changed) > 0 || err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("with a certificate of another key: changed %q, error %v", changed, err)
	}
	if got := served(t, b.URL()); got != first || string(b.Certificate()) != first {
		t.Error("a certificate that cannot be used replaced the old one")
	}
	rename(nextKey, keyFile)
	if changed, err := b.Reload(controlplane.Config{}); !slices.Equal(changed, []string{"certificate"}) || err != nil {
		t.Errorf("with a new pair: changed %q, error %v", changed, err)
	}
	if got := served(t, b.URL()); got == first || string(b.Certificate()) != got {
		t.Error("the new certificate is not in use")
	}
}

// served returns the certificate that a server presents, in DER form.
func served(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test compares the certificate
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatal("no TLS")
	}
	return string(secure.ConnectionState().PeerCertificates[0].Raw)
}
