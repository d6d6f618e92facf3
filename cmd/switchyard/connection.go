package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

const (
	flagEndpoint   = "endpoint"
	flagAdminToken = "admin-token"
	flagCAFile     = "ca-file"
	flagDataDir    = "data-dir"
	flagPatience   = "patience"

	// hashedToken begins a token file that holds the token's hash alone.
	hashedToken = "sha256:"
)

// connectionFlags say which control plane a command talks to, and as whom.
func (a *app) connectionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagEndpoint, Value: client.DefaultEndpoint, Usage: "`URL` of the control plane",
			Sources: a.settings.Value(flagEndpoint),
		},
		&cli.StringFlag{
			Name: flagAdminToken, Usage: "the control plane's admin `TOKEN`; other users of this machine can see it, so prefer the file",
			Sources: a.settings.Value(flagAdminToken),
		},
		&cli.StringFlag{
			Name: flagAdminToken + "-file", Usage: "`FILE` that holds the admin token",
			DefaultText: "admin-token in the data directory, if the control plane is on this machine",
			Sources:     a.settings.Value(flagAdminToken + "-file"), TakesFile: true,
		},
		a.dataDirFlag("`DIR` where a control plane on this machine keeps its data, the admin token among it"),
		&cli.StringFlag{
			Name: flagCAFile, Usage: "PEM `FILE` of the authorities that may have signed the control plane's certificate",
			DefaultText: "the system's", Sources: a.settings.Value(flagCAFile), TakesFile: true,
		},
	}
}

// patienceFlag is for the commands that follow a job.
func (a *app) patienceFlag() cli.Flag {
	return &cli.DurationFlag{
		Name: flagPatience, Value: client.DefaultPatience,
		Usage:     "go on for `DURATION` when the control plane cannot be reached",
		Sources:   a.settings.Value(flagPatience),
		Validator: positive,
	}
}

func (a *app) dataDirFlag(usage string) cli.Flag {
	return &cli.StringFlag{
		Name: flagDataDir, Usage: usage, DefaultText: "$XDG_STATE_HOME/switchyard, else ~/.local/state/switchyard",
		Sources: a.settings.Value(flagDataDir), TakesFile: true,
	}
}

// connect returns a client of the control plane that the flags name.
func (a *app) connect(cmd *cli.Command) (*client.Client, error) {
	endpoint := cmd.String(flagEndpoint)
	token, err := a.adminToken(cmd, endpoint)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := config.ClientTLS(config.ClientTLSOptions{CAFile: cmd.String(flagCAFile)})
	if err != nil {
		return nil, usage(cmd, "%w", err)
	}
	c, err := client.New(client.Options{
		Endpoint:  endpoint,
		Token:     token,
		TLS:       tlsConfig,
		UserAgent: userAgent(),
		Patience:  cmd.Duration(flagPatience),
	})
	if err != nil {
		return nil, usage(cmd, "%w", err)
	}
	return c, nil
}

// adminToken is the token that was given or, for a control plane on this
// machine, the one in its data directory.
func (a *app) adminToken(cmd *cli.Command, endpoint string) (string, error) {
	token, err := a.settings.Token(cmd, flagAdminToken, flagAdminToken)
	if err != nil {
		return "", usage(cmd, "%w", err)
	}
	if token != "" {
		return token, nil
	}
	return localToken(cmd, endpoint, tokenKind{
		what: "admin token", flag: "--" + flagAdminToken + "-file", file: datadir.AdminTokenFile,
	})
}

// A tokenKind is one of the two tokens of a control plane.
type tokenKind struct{ what, flag, file string }

// localToken is the token in the data directory of a control plane on this
// machine. No other control plane is to be told that.
func localToken(cmd *cli.Command, endpoint string, kind tokenKind) (string, error) {
	if !strings.Contains(endpoint, "://") {
		return "", usage(cmd, "endpoint %q must begin with http:// or https://", endpoint)
	}
	if !onThisMachine(endpoint) {
		return "", usage(cmd, "no %s for %s; give its token with %s", kind.what, endpoint, kind.flag)
	}
	dir, err := dataDir(cmd)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, kind.file)
	token, err := config.ReadTokenFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("no %s: %s does not exist; is `switchyard up` running? "+
			"If it keeps its data elsewhere, say where with --data-dir, or give the token with %s", kind.what, path, kind.flag)
	case err != nil:
		return "", fmt.Errorf("%w; give the %s with %s", err, kind.what, kind.flag)
	case strings.HasPrefix(token, hashedToken):
		return "", fmt.Errorf("%s holds only the hash of the %s; give the token itself with %s", path, kind.what, kind.flag)
	}
	return token, nil
}

// dataDir is the data directory that was named, or the default.
func dataDir(cmd *cli.Command) (string, error) {
	if dir := cmd.String(flagDataDir); dir != "" {
		return dir, nil
	}
	dir, err := datadir.Default()
	if err != nil {
		return "", fmt.Errorf("%w with --data-dir", err)
	}
	return dir, nil
}

// onThisMachine says whether the endpoint's host is a loopback address, or a socket.
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
