// Package datadir locates the data directory of a control plane and names the
// token files in it. The control plane writes these files; commands on the same
// machine read them.
package datadir

import (
	"errors"
	"os"
	"path/filepath"
)

// The token files of a data directory. The control plane creates them at its
// first start.
const (
	AdminTokenFile        = "admin-token"
	RegistrationTokenFile = "registration-token"
)

// HashPrefix begins a token file that holds the hash of the token in place of the
// token itself.
const HashPrefix = "sha256:"

// Default returns the data directory that is used where none is configured:
// $XDG_STATE_HOME/switchyard, else ~/.local/state/switchyard. As the XDG base
// directory specification requires, a relative XDG_STATE_HOME is ignored. It
// returns an error if the home directory is not known either.
func Default() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "switchyard"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("no default data directory: neither XDG_STATE_HOME nor HOME is set; name a data directory")
	}
	return filepath.Join(home, ".local", "state", "switchyard"), nil
}
