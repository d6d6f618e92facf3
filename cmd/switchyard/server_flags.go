package main

import (
	"errors"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// serverFlags are the flags of a control plane, for `server start` and `up`.
type serverFlags struct {
	config              controlplane.Config
	dataDir             *command.DataDir
	registration, admin *cli.Token
}

func newServerFlags(cmd *cobra.Command, dir *command.DataDir) *serverFlags {
	s := &serverFlags{config: controlplane.Config{}.WithDefaults(), dataDir: dir}
	c := &s.config
	c.WorkerPicture, c.JobPicture = drawWorker, drawJob
	c.LogRetention, c.MaxLog = 0, 0 // they depend on what the flags have not set yet
	flags := cli.Settings(cmd, "server")
	duration := func(target *time.Duration, name, usage string) cli.Flag {
		return cli.Var(flags, target, name, "DURATION", usage, cli.Positive)
	}
	flags.Text(&c.Listen, "listen", "HOST:PORT", "address to listen on; port 0 is any free port")
	flags.Text(&c.NATSURL, "nats-url", "URL", "NATS cluster to keep jobs and workers in; "+
		"other users of this machine see a password in it, so prefer the variable").
		Default("a store in this process, in the data directory")
	natsFlags(flags, c)
	flags.File(&c.TLSCertFile, "tls-cert", "FILE", "PEM file of the certificate for TLS").Default("no TLS")
	flags.SecretFile(&c.TLSKeyFile, "TLS key", "tls-key", "FILE", "PEM file of the certificate's key")
	s.registration = flags.Token("registration-token", "token that agents register with",
		"registration-token in the data directory, created at the first start")
	s.admin = flags.Token("admin-token", "token of people and programs",
		"admin-token in the data directory, created at the first start")
	duration(&c.PingInterval, "ping-interval", "time between two pings of a polling worker, in whole seconds")
	duration(&c.HeartbeatInterval, "heartbeat-interval", "time between two heartbeats of a worker, in whole seconds")
	duration(&c.JobStatusInterval, "job-status-interval",
		"time between two checks of a worker whether its job was canceled, in whole seconds")
	duration(&c.AssignTimeout, "assign-timeout", "requeue a job that was not accepted within this time")
	duration(&c.LeaseTimeout, "lease", "mark a worker and its job as lost after this time without a heartbeat")
	duration(&c.KeepAlive, "keep-alive", "longest time without a message on a stream")
	duration(&c.StreamMaxAge, "stream-max-age", "age at which a stream is ended as planned")
	duration(&c.Retention, "retention", "keep a job, with its log and meta-data, for this time after its end; at least 1m")
	duration(&c.LogRetention, "log-retention", "keep each part of a log for this time; from 1m to --retention").
		Default("the same as --retention")
	duration(&c.WorkerRetention, "worker-retention", "keep a worker for this time after it left; at least 1m")
	cli.Var(flags, &c.MaxStore, "max-store", "MIB",
		"most to store, at least 16: 70 % for logs, of which the oldest are deleted beyond that, and the rest for jobs",
		cli.Mebibytes(math.MaxInt32)).
		Default("three quarters of the room on the disk of the data directory; with --nats-url what the cluster allows")
	cli.Var(flags, &c.MaxLog, "max-log", "MIB",
		"most of the log of one job, which is cut there; at least 1, and less than --max-store; at most a quarter of the room for logs",
		unsignedMebibytes).Default("1024, or a quarter of --max-store")
	flags.Choice(&c.AccessLog, "access-log", "WHICH", "requests to log: off, errors (those that failed) or all", controlplane.AccessLogs()...)
	flags.Bool(&c.AcquireAnyQueue, "acquire-any-queue", "let an agent acquire, by its ID, a job of another queue than its own")
	cli.Var(flags, &c.NoStream, "stream", "bool", "serve streams; with --stream=false agents poll", cli.Not).Default("true")
	return s
}

// unsignedMebibytes parses a number of MiB, at least 1, to bytes.
func unsignedMebibytes(text string) (uint64, error) {
	n, err := cli.Number[uint64](1, math.MaxInt32)(text)
	return n * cli.Mebibyte, err
}

// read returns the configuration that the flags describe.
func (s *serverFlags) read(cmd *cobra.Command, logger *zap.Logger) (controlplane.Config, error) {
	c := s.config.WithDefaults()
	c.Logger = logger
	var err error
	if c.DataDir, err = s.dataDir.Resolve(); err != nil {
		return c, err
	}
	if c.RegistrationToken, err = s.registration.ReadAll(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	if c.AdminToken, err = s.admin.ReadAll(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	if err := c.Validate(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	return c, nil
}

// check returns what is wrong with the settings: those that cannot be used, a certificate
// that does not belong to its key, and a data directory that other users can write to.
func (s *serverFlags) check(cmd *cobra.Command) error {
	c, err := s.read(cmd, zap.NewNop())
	if err != nil {
		return err
	}
	if c.TLSCertFile != "" {
		_, err = config.WatchKeyPair(c.TLSCertFile, c.TLSKeyFile, func(error) {})
	}
	if _, statErr := os.Stat(c.DataDir); statErr == nil { // else the start creates it
		_, dirErr := datadir.CheckDir(c.DataDir)
		err = errors.Join(err, dirErr)
	}
	return err
}

// reload reads the files of the certificate and of the tokens again, and returns the
// names of what has changed. An error names what stays as it was.
func (s *serverFlags) reload(cmd *cobra.Command, server *controlplane.Server, logger *zap.Logger) ([]string, error) {
	settings, err := s.read(cmd, logger)
	if err != nil {
		return nil, err
	}
	return server.Reload(settings)
}

// natsFlags declares how to connect to the NATS cluster of --nats-url.
func natsFlags(flags cli.Flags, c *controlplane.Config) {
	a := &c.NATSAccess
	cli.Var(flags, &c.NATSReplicas, "nats-replicas", "NUMBER", "least number of copies of all records in the NATS cluster; more are kept",
		cli.Number[int](1, math.MaxInt32)).Default("as they are; new ones have 3 in a cluster of three servers or more, else 1")
	flags.SecretFile(&a.CredentialsFile, "credentials file", "nats-creds", "FILE",
		"credentials of a NATS user: its JWT and the seed of its NKey")
	flags.SecretFile(&a.TokenFile, "token file", "nats-token-file", "FILE", "file with the token of the NATS servers")
	flags.Text(&a.User, "nats-user", "NAME", "user of the NATS servers")
	flags.SecretFile(&a.PasswordFile, "password file", "nats-password-file", "FILE", "file with the password of --nats-user")
	flags.File(&a.CAFile, "nats-ca", "FILE", "PEM file of the certificates that verify the NATS servers; it requires TLS").
		Default("those of the system")
	flags.File(&a.CertFile, "nats-cert", "FILE", "PEM file of the client certificate for the NATS servers; it requires TLS")
	flags.SecretFile(&a.KeyFile, "key file", "nats-key", "FILE", "PEM file of the key of --nats-cert")
}
