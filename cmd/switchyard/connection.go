package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/present"
)

// connection holds the flags for the control plane that a command calls.
type connection struct {
	*output

	options client.Options
	token   *cli.Token
	dataDir *dataDir
	tls     config.ClientTLSOptions

	repeated []repeatedFlag
}

// repeatedFlag is a flag that another command for the same control plane needs.
type repeatedFlag struct {
	flag  cli.Flag
	name  string
	value *string
}

func connectionFlags(cmd *cobra.Command) *connection {
	c := &connection{output: outputFlag(cmd), options: client.Options{Endpoint: client.DefaultEndpoint, UserAgent: userAgent()}}
	flags := cli.Settings(cmd, "")
	endpoint := flags.Text(&c.options.Endpoint, "endpoint", "URL",
		"URL of the control plane: http, https, or unix:///path/to.sock for a Unix socket")
	c.token = flags.Token("admin-token", "admin token of the control plane, or a named token",
		"admin-token in the data directory, if the control plane is on this machine")
	c.dataDir = newDataDir(cmd, "data directory of a control plane on this machine, with its admin token")
	ca := flags.File(&c.tls.CAFile, "ca-file", "FILE", "PEM file of the authorities to trust for the control plane's certificate").
		Default("the system's")
	c.repeated = []repeatedFlag{
		{endpoint, "--endpoint", &c.options.Endpoint},
		{c.token.File, "--admin-token-file", &c.token.Path},
		{c.dataDir.flag, "--data-dir", &c.dataDir.path},
		{ca, "--ca-file", &c.tls.CAFile},
	}
	return c
}

// patienceFlag declares the flag of the commands that follow a job.
func (c *connection) patienceFlag(cmd *cobra.Command) {
	c.options.Patience = client.DefaultPatience
	cli.Var(cli.Settings(cmd, ""), &c.options.Patience, "patience", "DURATION",
		"how long to try again when the control plane cannot be reached", cli.Positive)
}

// arguments returns the flags, with a space before each, that make another
// command call the same control plane. It leaves out tokens.
func (c *connection) arguments() string {
	var b strings.Builder
	for _, f := range c.repeated {
		if f.flag.IsSet() {
			b.WriteString(" " + f.name + " " + present.Command([]string{*f.value}))
		}
	}
	return b.String()
}

// withClient returns what a command runs: it connects, calls run, and closes the
// client.
func (c *connection) withClient(
	run func(ctx context.Context, client *client.Client, args []string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		caller, err := c.connect(cmd)
		if err != nil {
			return err
		}
		defer caller.Close()
		return run(cmd.Context(), caller, args)
	}
}

func (c *connection) connect(cmd *cobra.Command) (*client.Client, error) {
	options := c.options
	var err error
	if options.Token, err = localToken(cmd, c.token, options.Endpoint, c.dataDir, "admin token", datadir.AdminTokenFile); err != nil {
		return nil, err
	}
	if options.TLS, err = config.ClientTLS(c.tls); err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	caller, err := client.New(options)
	if err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	return caller, nil
}

// dataDir is the flag for a control plane's data directory.
type dataDir struct {
	path string
	flag cli.Flag
}

func newDataDir(cmd *cobra.Command, usage string) *dataDir {
	d := &dataDir{}
	d.declare(cmd, usage)
	return d
}

func (d *dataDir) declare(cmd *cobra.Command, usage string) {
	d.flag = cli.Settings(cmd, "").File(&d.path, "data-dir", "DIR", usage).
		Default("$XDG_STATE_HOME/switchyard, else ~/.local/state/switchyard")
}

// resolve returns the directory that was named, or the default.
func (d *dataDir) resolve() (string, error) {
	if d.path != "" {
		return d.path, nil
	}
	dir, err := datadir.Default()
	if err != nil {
		return "", fmt.Errorf("%w with --data-dir", err)
	}
	return dir, nil
}

// localToken returns the token that the flags give or, for a control plane on
// this machine, the token in the file of that name in its data directory. That
// token is sent to no other machine.
func localToken(cmd *cobra.Command, flags *cli.Token, endpoint string, dataDir *dataDir, kind, file string) (string, error) {
	given, err := flags.Read()
	switch {
	case err != nil:
		return "", cli.Usagef(cmd, "%w", err)
	case given != "":
		return given, nil
	case !strings.Contains(endpoint, "://"):
		return "", cli.Usagef(cmd, "endpoint %q must begin with http://, https:// or unix://", endpoint)
	case !onThisMachine(endpoint):
		return "", cli.Usagef(cmd, "no %s for %s; give its token with %s", kind, endpoint, flags.FileFlag())
	}
	dir, err := dataDir.resolve()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, file)
	text, err := config.ReadTokenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no %s: %s does not exist; is `switchyard up` running? "+
			"If its data is in another directory, name it with --data-dir, or give the token with %s", kind, path, flags.FileFlag())
	}
	if err != nil {
		return "", fmt.Errorf("%w; give the %s with %s", err, kind, flags.FileFlag())
	}
	if strings.HasPrefix(text, datadir.HashPrefix) {
		return "", fmt.Errorf("%s holds only the hash of the %s; give the token itself with %s", path, kind, flags.FileFlag())
	}
	return text, nil
}

// onThisMachine reports whether an endpoint is a loopback address or a Unix socket.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" || u.Scheme == "unix" {
		return true
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && net.IP(address.AsSlice()).IsLoopback()
}
