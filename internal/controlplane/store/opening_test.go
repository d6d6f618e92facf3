package store

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// The permissions that OPERATING.md lists for the user of the replicas.
var (
	documentedPublish = []string{
		"switchyard.>",
		"$JS.API.INFO",
		"$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*", "$JS.API.STREAM.PURGE.*",
		"$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.MSG.DELETE.*", "$JS.API.DIRECT.GET.>",
		"$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DELETE.>", "$JS.API.CONSUMER.MSG.NEXT.>",
	}
	documentedSubscribe = []string{"switchyard.signal", "_INBOX.>"}
)

const (
	testUser     = "replicas"
	testPassword = "password-of-the-replicas"
)

// startSecured starts a NATS server on loopback with one user, which has the documented
// permissions, and TLS if tlsConfig is not nil.
func startSecured(t *testing.T, change func(*server.Options)) string {
	t.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Users: []*server.User{{Username: testUser, Password: testPassword, Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: documentedPublish},
			Subscribe: &server.SubjectPermission{Allow: documentedSubscribe},
		}}},
	}
	if change != nil {
		change(o)
	}
	return startServer(t, o)
}

// startServer starts a NATS server and returns its URL.
func startServer(t *testing.T, o *server.Options) string {
	t.Helper()
	srv, err := server.NewServer(o)
	must(t, err)
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server is not ready")
	}
	return srv.ClientURL()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// file writes a file of the test and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// A user with the documented permissions can do everything that a replica does.
func TestDocumentedPermissionsAreEnough(t *testing.T) {
	documented := documentedServer(t)
	if got := documented.Users[0].Permissions.Publish.Allow; !slices.Equal(got, documentedPublish) {
		t.Errorf("OPERATING.md lists the subjects %q to publish to, want %q", got, documentedPublish)
	}
	if got := documented.Users[0].Permissions.Subscribe.Allow; !slices.Equal(got, documentedSubscribe) {
		t.Errorf("OPERATING.md lists the subjects %q to subscribe to, want %q", got, documentedSubscribe)
	}
	logger, logs := observer.New(zap.WarnLevel)
	s, err := Open(t.Context(), Options{
		URL: startSecured(t, nil), Access: Access{User: testUser, PasswordFile: file(t, "password", testPassword+"\n")},
		MaxStore: MinMaxStore, Logger: zap.New(logger),
	})
	must(t, err)
	defer s.Close()
	ctx := t.Context()
	stop, err := s.OnSignal(func([]byte) {})
	must(t, err)
	must(t, s.Signal([]byte("signal")))
	stop()
	job, err := s.PutJob(ctx, record.Job{ID: "job", Job: lifecycle.Job{State: wire.StateQueued}})
	must(t, err)
	if _, err := s.Job(ctx, "job"); err != nil {
		t.Error(err)
	}
	must(t, s.PutKey(ctx, "key", Key{JobID: "job"}))
	must(t, s.DeleteKey(ctx, "key", "job"))
	_, err = s.AppendChunk(ctx, "job", wire.Chunk{Sequence: 1, Data: []byte("text")})
	must(t, err)
	must(t, s.ReadChunks(ctx, "job", func(Chunk) bool { return false }))
	must(t, s.DeleteLog(ctx, "job"))
	_, err = s.PutMetadata(ctx, "build", record.Metadata{})
	must(t, err)
	must(t, s.AppendAudit(ctx, "kind", []byte("entry")))
	_, err = s.AuditAt(ctx, 1)
	must(t, err)
	must(t, s.Reachable(ctx))
	_, err = s.Load(ctx, func(Change) {})
	must(t, err)
	watching, cancel := context.WithCancel(ctx)
	_ = s.Watch(watching, 0, func(Change) { cancel() })
	_, _, err = s.Jobs(ctx, []string{"job"})
	must(t, err)
	must(t, s.DeleteJob(ctx, job))
	for _, line := range logs.All() {
		t.Errorf("%s %v", line.Message, line.ContextMap())
	}
}

// documentedServer returns the options of the NATS server that OPERATING.md configures, with
// a certificate of the test.
func documentedServer(t *testing.T) *server.Options {
	t.Helper()
	guide, err := os.ReadFile("../../../OPERATING.md")
	must(t, err)
	_, config, _ := strings.Cut(string(guide), "```\nserver_name:")
	config, _, found := strings.Cut(config, "```")
	if !found {
		t.Fatal("OPERATING.md has no configuration of a NATS server")
	}
	certificate, key := selfSigned(t)
	config = strings.NewReplacer(
		"/etc/nats/nats.pem", file(t, "nats.pem", certificate), "/etc/nats/nats.key", file(t, "nats.key", key),
	).Replace("server_name:" + config)
	o, err := server.ProcessConfigFile(file(t, "nats.conf", config))
	must(t, err)
	if len(o.Users) != 1 || o.TLSConfig == nil || !o.JetStream || len(o.Routes) != clusterCopies {
		t.Fatalf("OPERATING.md configures %d users and %d routes, want 1 and %d, with TLS and JetStream", len(o.Users), len(o.Routes), clusterCopies)
	}
	return o
}

// What waiting will not mend is an error at once, which says what to do and has no
// secret.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T) Access {
		return Access{User: testUser, PasswordFile: file(t, "password", testPassword)}
	}
	certificate, key := selfSigned(t)
	withTLS := func(o *server.Options) {
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		must(t, err)
		o.TLSConfig, o.TLSTimeout = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, 2
	}
	for _, row := range []struct {
		name   string
		server func(*server.Options)
		access func(t *testing.T) Access
		want   string // empty if it opens
	}{
		{"wrong password", nil, func(t *testing.T) Access {
			return Access{User: testUser, PasswordFile: file(t, "password", "hunter2secret")}
		}, "Authorization Violation; correct --nats-user"},
		{"no user", nil, func(*testing.T) Access { return Access{} }, "Authorization Violation"},
		{"token", func(o *server.Options) { o.Users, o.Authorization = nil, "a-token" }, func(t *testing.T) Access {
			return Access{TokenFile: file(t, "token", "a-token\n")}
		}, ""},
		{"wrong token", func(o *server.Options) { o.Users, o.Authorization = nil, "a-token" }, func(t *testing.T) Access {
			return Access{TokenFile: file(t, "token", "hunter2secret")}
		}, "Authorization Violation"},
		{"empty password file", nil, func(t *testing.T) Access {
			return Access{User: testUser, PasswordFile: file(t, "password", "\n")}
		}, "password is empty"},
		{"no credentials file", nil, func(*testing.T) Access { return Access{CredentialsFile: "no.creds"} }, "no.creds: no such file"},
		{"credentials without a seed", nil, func(t *testing.T) Access {
			return Access{CredentialsFile: file(t, "c.creds", "hunter2secret")}
		}, "c.creds: it has no seed of an NKey"},
		{"a file without a certificate", nil, func(t *testing.T) Access {
			return Access{CAFile: file(t, "ca.pem", "hunter2secret")}
		}, "ca.pem: it has no certificate in PEM"},
		{"a key of another certificate", nil, func(t *testing.T) Access {
			_, other := selfSigned(t)
			return Access{CertFile: file(t, "cert.pem", certificate), KeyFile: file(t, "key.pem", other)}
		}, "private key does not match public key"},
		{"TLS", withTLS, func(t *testing.T) Access {
			a := good(t)
			a.CAFile = file(t, "ca.pem", certificate)
			return a
		}, ""},
		{"TLS by an unknown authority", withTLS, good, "certificate signed by unknown authority; name the certificate of its authority with --nats-ca"},
		{"no TLS there", nil, func(t *testing.T) Access {
			a := good(t)
			a.CAFile = file(t, "ca.pem", certificate)
			return a
		}, "secure connection not available; the server has no TLS"},
		{"no JetStream for the account", func(o *server.Options) {
			account := server.NewAccount("without")
			o.Accounts, o.Users[0].Account = []*server.Account{account}, account
		}, good, "JetStream"},
		{"copies without a cluster", nil, func(t *testing.T) Access { return good(t) }, "not in a cluster"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			opts := Options{URL: startSecured(t, row.server), Access: row.access(t)}
			if row.want == "not in a cluster" {
				opts.Replicas = 3
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := Open(ctx, opts)
			if err == nil {
				s.Close()
			}
			checkOpening(ctx, t, err, row.want)
		})
	}
}

// A store is not opened for a user that lacks one of the documented permissions, and the
// error names it, and says what to do.
func TestEachPermissionIsTried(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"switchyard.>":                `publish to "switchyard.state.`,
		"$JS.API.INFO":                `Publish to "$JS.API.INFO"`,
		"$JS.API.STREAM.INFO.*":       `Publish to "$JS.API.STREAM.INFO.SWITCHYARD_STATE"`,
		"$JS.API.STREAM.CREATE.*":     `Publish to "$JS.API.STREAM.CREATE.SWITCHYARD_STATE"`,
		"$JS.API.STREAM.UPDATE.*":     `Publish to "$JS.API.STREAM.UPDATE.SWITCHYARD_STATE"`,
		"$JS.API.STREAM.PURGE.*":      `publish to "$JS.API.STREAM.PURGE.SWITCHYARD_LOGS"`,
		"$JS.API.STREAM.MSG.GET.*":    `publish to "$JS.API.STREAM.MSG.GET.SWITCHYARD_AUDIT"`,
		"$JS.API.STREAM.MSG.DELETE.*": `publish to "$JS.API.STREAM.MSG.DELETE.SWITCHYARD_LOGS"`,
		"$JS.API.DIRECT.GET.>":        `publish to "$JS.API.DIRECT.GET.SWITCHYARD_STATE"`,
		"$JS.API.CONSUMER.CREATE.>":   `publish to "$JS.API.CONSUMER.CREATE.SWITCHYARD_STATE.`,
		"$JS.API.CONSUMER.DELETE.>":   `publish to "$JS.API.CONSUMER.DELETE.SWITCHYARD_LOGS.`,
		"$JS.API.CONSUMER.MSG.NEXT.>": `publish to "$JS.API.CONSUMER.MSG.NEXT.SWITCHYARD_DATA.`,
		"switchyard.signal":           `may not subscribe to "switchyard.signal"`,
		"_INBOX.>":                    `Subscription to "_INBOX.`,
	} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			without := func(allowed []string) []string {
				return slices.DeleteFunc(slices.Clone(allowed), func(other string) bool { return other == subject })
			}
			url := startSecured(t, func(o *server.Options) {
				o.Users[0].Permissions.Publish.Allow = without(documentedPublish)
				o.Users[0].Permissions.Subscribe.Allow = without(documentedSubscribe)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := Open(ctx, Options{URL: url, Access: Access{User: testUser, PasswordFile: file(t, "password", testPassword)}})
			if err == nil {
				s.Close()
			}
			checkOpening(ctx, t, err, want)
			if err != nil && !strings.HasSuffix(err.Error(), grantPermissions) {
				t.Errorf("%v, want what to do at its end", err)
			}
		})
	}
}

// checkOpening checks that opening a store has not waited until ctx ended, and that it has
// failed with an error of one line with want in it and no secret, or not if want is empty.
func checkOpening(ctx context.Context, t *testing.T, err error, want string) {
	t.Helper()
	if ctx.Err() != nil {
		t.Errorf("it waited: %v", err)
	}
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an error with %q", err, want)
	case err != nil && (strings.Contains(err.Error(), "hunter2secret") || strings.Contains(err.Error(), "\n")):
		t.Errorf("the error has a secret or several lines: %v", err)
	}
}

// A stream that exists, and cannot keep what is acknowledged, is refused.
func TestForeignStreamsAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*jetstream.StreamConfig)
		want   string // in the error; empty if it opens
	}{
		{"as an early version made it", func(*jetstream.StreamConfig) {}, ""},
		{
			"in memory", func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
			"stream SWITCHYARD_STATE of NATS is kept in memory, want on disk; delete it, or use another account of NATS",
		},
		{
			"a queue", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
			"stream SWITCHYARD_STATE of NATS has the retention WorkQueue, want Limits",
		},
		{"of others", func(c *jetstream.StreamConfig) { c.Name = "OTHER" }, "creating stream SWITCHYARD_STATE"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := startServer(t, &server.Options{
				Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			})
			nc, err := nats.Connect(url)
			must(t, err)
			defer nc.Close()
			js, err := jetstream.New(nc)
			must(t, err)
			config := jetstream.StreamConfig{Name: stateStream, Subjects: []string{statePrefix + ">"}, Storage: jetstream.FileStorage}
			row.change(&config)
			_, err = js.CreateStream(t.Context(), config)
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := Open(ctx, Options{URL: url})
			if err == nil {
				s.Close()
			}
			checkOpening(ctx, t, err, row.want)
		})
	}
}

// A store that is out of reach is waited for until the context ends, and the reason is
// logged meanwhile.
func TestOpenWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	core, logs := observer.New(zapcore.WarnLevel)
	_, err := Open(ctx, Options{URL: "nats://127.0.0.1:1", Logger: zap.New(core, zap.Hooks(func(zapcore.Entry) error {
		cancel()
		return nil
	}))})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v, want an error that names the address", err)
	}
	waits := logs.FilterMessage("waiting for the store").All()
	if len(waits) != 1 || !strings.Contains(fmt.Sprint(waits[0].ContextMap()["error"]), "127.0.0.1:1") {
		t.Errorf("logged: %v", waits)
	}
}

func TestAccessIsRefusedByName(t *testing.T) {
	for _, row := range []struct {
		access Access
		want   string
	}{
		{Access{User: "a"}, "password file"},
		{Access{PasswordFile: "a"}, "password file"},
		{Access{CertFile: "a"}, "key file"},
		{Access{TokenFile: "a", CredentialsFile: "b"}, "exclude each other"},
	} {
		if err := row.access.Validate(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v, want an error about %q", row.access, err, row.want)
		}
	}
	if err := (Access{User: "a", PasswordFile: "b", CAFile: "c", CertFile: "d", KeyFile: "e"}).Validate(); err != nil {
		t.Error(err)
	}
}

// selfSigned returns a certificate for 127.0.0.1 and its key, in PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}
