package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// operator is a NATS operator with one account that has JetStream, and a system account.
type operator struct {
	server  *server.Options
	account nkeys.KeyPair
	claims  *jwt.AccountClaims
}

// newOperator returns an operator whose account has the given limits, and no JetStream
// without any.
func newOperator(t *testing.T, limits func(*jwt.OperatorLimits)) *operator {
	t.Helper()
	root, err := nkeys.CreateOperator()
	must(t, err)
	system, err := nkeys.CreateAccount()
	must(t, err)
	account, err := nkeys.CreateAccount()
	must(t, err)
	resolver := &server.MemAccResolver{}
	add := func(claims *jwt.AccountClaims) {
		token, err := claims.Encode(root)
		must(t, err)
		must(t, resolver.Store(claims.Subject, token))
	}
	add(jwt.NewAccountClaims(publicKey(t, system)))
	claims := jwt.NewAccountClaims(publicKey(t, account))
	if limits != nil {
		limits(&claims.Limits)
	}
	add(claims)
	operatorClaims := jwt.NewOperatorClaims(publicKey(t, root))
	operatorClaims.SystemAccount = publicKey(t, system)
	return &operator{
		server: &server.Options{
			Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			TrustedOperators: []*jwt.OperatorClaims{operatorClaims}, SystemAccount: operatorClaims.SystemAccount, AccountResolver: resolver,
		},
		account: account, claims: claims,
	}
}

func publicKey(t *testing.T, pair nkeys.KeyPair) string {
	t.Helper()
	key, err := pair.PublicKey()
	must(t, err)
	return key
}

// credentials returns the path of a credentials file of a user with the documented
// permissions, which is valid for a time.
func (o *operator) credentials(t *testing.T, valid time.Duration) string {
	t.Helper()
	user, err := nkeys.CreateUser()
	must(t, err)
	claims := jwt.NewUserClaims(publicKey(t, user))
	claims.Expires = time.Now().Add(valid).Unix()
	claims.Permissions.Pub.Allow = documentedPublish
	claims.Permissions.Sub.Allow = documentedSubscribe
	token, err := claims.Encode(o.account)
	must(t, err)
	seed, err := user.Seed()
	must(t, err)
	content, err := jwt.FormatUserConfig(token, seed)
	must(t, err)
	return file(t, "replicas.creds", string(content))
}

// TestCredentials opens stores of a NATS operator, with files of credentials and with
// accounts whose limits are for all streams or for each number of copies.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	ofAll := func(disk int64) func(*jwt.OperatorLimits) {
		return func(l *jwt.OperatorLimits) {
			l.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: disk, Streams: 20, Consumer: jwt.NoLimit}
		}
	}
	byCopies := func(l *jwt.OperatorLimits) {
		l.JetStreamTieredLimits = jwt.JetStreamTieredLimits{"R1": {DiskStorage: gib, Streams: 20, Consumer: jwt.NoLimit}}
	}
	for _, row := range []struct {
		name   string
		limits func(*jwt.OperatorLimits)
		valid  time.Duration
		want   string // in the error; empty if it opens
	}{
		{"limits of all streams", ofAll(gib), time.Hour, ""},
		{"limits by copies", byCopies, time.Hour, ""},
		{"no JetStream", nil, time.Hour, "JetStream"},
		{"too little storage", ofAll(1 << 20), time.Hour, "storage"},
		{"expired", ofAll(gib), -time.Hour, "Authorization Violation"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := newOperator(t, row.limits)
			url := startServer(t, o.server)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := Open(ctx, Options{URL: url, Access: Access{CredentialsFile: o.credentials(t, row.valid)}, MaxStore: MinMaxStore})
			if err == nil {
				defer s.Close()
				_, err = s.PutJob(ctx, record.Job{ID: "job", Job: lifecycle.Job{State: wire.StateQueued}})
			}
			checkOpening(ctx, t, err, row.want)
		})
	}
}

// TestClientCertificate opens stores of a server that wants a certificate of its clients.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	foreign, foreignKey := selfSigned(t)
	for _, row := range []struct {
		name, certificate, key string
		want                   string // in the error; empty if it opens
	}{
		{"the right one", certificate, key, ""},
		{"none", "", "", "certificate required; name a client certificate"},
		{"one that the server does not know", foreign, foreignKey, "unknown certificate authority"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := startSecured(t, func(o *server.Options) {
				pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
				must(t, err)
				clients := x509.NewCertPool()
				clients.AppendCertsFromPEM([]byte(certificate))
				o.TLSVerify, o.TLSTimeout = true, 5
				o.TLSConfig = &tls.Config{
					Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
				}
			})
			access := Access{User: testUser, PasswordFile: file(t, "password", testPassword), CAFile: file(t, "ca.pem", certificate)}
			if row.certificate != "" {
				access.CertFile, access.KeyFile = file(t, "cert.pem", row.certificate), file(t, "key.pem", row.key)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := Open(ctx, Options{URL: url, Access: access, MaxStore: MinMaxStore})
			if err == nil {
				s.Close()
			}
			checkOpening(ctx, t, err, row.want)
		})
	}
}
