package command

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/httpclient"
)

// DataDir is the flag for a control plane's data directory.
type DataDir struct {
	Path string // as it was named; empty means the default
	Flag cli.Flag
}

// NewDataDir declares the flag.
func NewDataDir(cmd *cobra.Command, usage string) *DataDir {
	d := &DataDir{}
	d.Declare(cmd, usage)
	return d
}

// Declare declares the flag.
func (d *DataDir) Declare(cmd *cobra.Command, usage string) {
	d.Flag = cli.Settings(cmd, "").File(&d.Path, "data-dir", "DIR", usage).
		Default("$XDG_STATE_HOME/switchyard, else ~/.local/state/switchyard")
}

// Resolve returns the directory that was named, or the default.
func (d *DataDir) Resolve() (string, error) {
	if d.Path != "" {
		return d.Path, nil
	}
	dir, err := datadir.Default()
	if err != nil {
		return "", fmt.Errorf("%w with --data-dir", err)
	}
	return dir, nil
}

// ParseEndpoints parses URLs that are separated by commas. A wrong one that may hold a
// password is left to checkEndpoint, because the error of a flag repeats its value.
func ParseEndpoints(text string) ([]string, error) {
	var all []string
	for endpoint := range strings.SplitSeq(text, ",") {
		endpoint = strings.TrimSpace(endpoint)
		switch err := checkEndpoint(endpoint); {
		case text == "":
			return nil, errors.New("must not be empty")
		case endpoint == "":
			return nil, errors.New("must have a URL on both sides of each comma")
		case err != nil && strings.Contains(endpoint, "@"):
		case err != nil && endpoint != text:
			return nil, fmt.Errorf("%q %w", endpoint, err)
		case err != nil:
			return nil, err
		}
		all = append(all, endpoint)
	}
	return all, nil
}

// checkEndpoint returns an error, which does not repeat it, for what is not the URL of a
// control plane.
func checkEndpoint(endpoint string) error {
	_, err := httpclient.ParseEndpoint(endpoint)
	return err
}

// LocalToken returns the token that the flags give or, for a control plane on
// this machine, the token in the file of that name in its data directory. That
// token is sent to no other machine.
func LocalToken(cmd *cobra.Command, flags *cli.Token, endpoints []string, dataDir *DataDir, kind, file string) (string, error) {
	given, err := flags.Read()
	switch {
	case err != nil:
		return "", cli.Usagef(cmd, "%w", err)
	case given != "":
		return given, nil
	}
	for _, endpoint := range endpoints {
		if err := checkEndpoint(endpoint); err != nil {
			return "", cli.Usagef(cmd, "endpoint %w", err)
		}
		if !onThisMachine(endpoint) {
			return "", cli.Usagef(cmd, "no %s for %s; give its token with %s", kind, endpoint, flags.FileFlag())
		}
	}
	dir, err := dataDir.Resolve()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, file)
	if err := cli.CheckSecretFile(cmd, "token file", path); err != nil {
		return "", err
	}
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
	return err == nil && address.IsLoopback()
}
