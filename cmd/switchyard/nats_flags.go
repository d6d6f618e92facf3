package main

import (
	"math"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

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
