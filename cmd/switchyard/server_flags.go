package main

import (
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

const (
	flagListen            = "listen"
	flagNATSURL           = "nats-url"
	flagTLSCert           = "tls-cert"
	flagTLSKey            = "tls-key"
	flagRegistrationToken = "registration-token"
	flagPingInterval      = "ping-interval"
	flagHeartbeatInterval = "heartbeat-interval"
	flagJobStatusInterval = "job-status-interval"
	flagAssignTimeout     = "assign-timeout"
	flagLease             = "lease"
	flagKeepAlive         = "keep-alive"
	flagStreamMaxAge      = "stream-max-age"
	flagStream            = "stream"
)

// serverFlags say how a control plane behaves; `server start` and `up` have them.
func (a *app) serverFlags() []cli.Flag {
	file := func(flag, key, usage, byDefault string) cli.Flag {
		return &cli.StringFlag{Name: flag, Usage: usage, DefaultText: byDefault, Sources: a.settings.Value(key), TakesFile: true}
	}
	duration := func(flag string, value time.Duration, usage string) cli.Flag {
		return &cli.DurationFlag{Name: flag, Value: value, Usage: usage, Sources: a.settings.Value("server." + flag), Validator: positive}
	}
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagListen, Value: controlplane.DefaultListen,
			Usage: "listen on `HOST:PORT`; port 0 is any free one", Sources: a.settings.Value("server.listen"),
		},
		a.dataDirFlag("`DIR` for the store and the tokens; it is made where it does not exist"),
		&cli.StringFlag{
			Name: flagNATSURL, Usage: "`URL` of a NATS cluster to keep jobs and agents in",
			DefaultText: "a store in this process, with its files in the data directory", Sources: a.settings.Value("server.nats-url"),
		},
		file(flagTLSCert, "server.tls-cert", "PEM `FILE` of the certificate to speak TLS with", "no TLS"),
		file(flagTLSKey, "server.tls-key", "PEM `FILE` of the certificate's key", ""),
		&cli.StringFlag{
			Name: flagRegistrationToken, Usage: "`TOKEN` that agents register with; other users of this machine can see it, so prefer the file",
			Sources: a.settings.Value("server.registration-token"),
		},
		file(flagRegistrationToken+"-file", "server.registration-token-file", "`FILE` that holds the registration token",
			"registration-token in the data directory, made at the first start"),
		&cli.StringFlag{
			Name: flagAdminToken, Usage: "`TOKEN` of people and programs; other users of this machine can see it, so prefer the file",
			Sources: a.settings.Value(flagAdminToken),
		},
		file(flagAdminToken+"-file", flagAdminToken+"-file", "`FILE` that holds the admin token",
			"admin-token in the data directory, made at the first start"),
		duration(flagPingInterval, controlplane.DefaultPingInterval, "have polling agents ask for work every `DURATION`, in whole seconds"),
		duration(flagHeartbeatInterval, controlplane.DefaultHeartbeatInterval,
			"have agents say that they are alive every `DURATION`, in whole seconds"),
		duration(flagJobStatusInterval, controlplane.DefaultJobStatusInterval,
			"have agents ask whether their job was canceled every `DURATION`, in whole seconds"),
		duration(flagAssignTimeout, controlplane.DefaultAssignTimeout,
			"give a job back to its queue when it is not accepted within `DURATION`"),
		duration(flagLease, controlplane.DefaultLeaseTimeout, "take an agent, with its job, for lost when it has been silent for `DURATION`"),
		duration(flagKeepAlive, controlplane.DefaultKeepAlive, "leave no stream without a message for longer than `DURATION`"),
		duration(flagStreamMaxAge, controlplane.DefaultStreamMaxAge, "end each stream, as planned, when it is `DURATION` old"),
		&cli.BoolFlag{
			Name: flagStream, Value: true, Usage: "serve streams; without them (--stream=false) agents poll",
			Sources: a.settings.Value("server.stream"),
		},
	}
}

// serverConfig is what serverFlags and logFlags say.
func (a *app) serverConfig(cmd *cli.Command) (controlplane.Config, error) {
	dir, err := dataDir(cmd)
	if err != nil {
		return controlplane.Config{}, err
	}
	registration, err := a.settings.Token(cmd, flagRegistrationToken, "server."+flagRegistrationToken)
	if err != nil {
		return controlplane.Config{}, usage(cmd, "%w", err)
	}
	admin, err := a.settings.Token(cmd, flagAdminToken, flagAdminToken)
	if err != nil {
		return controlplane.Config{}, usage(cmd, "%w", err)
	}
	logger, err := a.logger(cmd)
	if err != nil {
		return controlplane.Config{}, err
	}
	settings := controlplane.Config{
		Listen:            cmd.String(flagListen),
		DataDir:           dir,
		NATSURL:           cmd.String(flagNATSURL),
		TLSCertFile:       cmd.String(flagTLSCert),
		TLSKeyFile:        cmd.String(flagTLSKey),
		RegistrationToken: registration,
		AdminToken:        admin,
		PingInterval:      cmd.Duration(flagPingInterval),
		HeartbeatInterval: cmd.Duration(flagHeartbeatInterval),
		JobStatusInterval: cmd.Duration(flagJobStatusInterval),
		AssignTimeout:     cmd.Duration(flagAssignTimeout),
		LeaseTimeout:      cmd.Duration(flagLease),
		KeepAlive:         cmd.Duration(flagKeepAlive),
		StreamMaxAge:      cmd.Duration(flagStreamMaxAge),
		NoStream:          !cmd.Bool(flagStream),
		Logger:            logger,
	}.WithDefaults()
	if err := settings.Validate(); err != nil {
		return settings, usage(cmd, "%w", err)
	}
	return settings, nil
}
