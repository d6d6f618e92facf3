package config

import (
	"errors"
	"os"
	"path/filepath"
)

// DefaultDataDir is the data directory where none is named:
// $XDG_STATE_HOME/switchyard, else ~/.local/state/switchyard, by the XDG base
// directory specification's rule for state, which passes over a relative path.
// It fails where neither variable says.
func DefaultDataDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "switchyard"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("the default data directory is not known, since neither XDG_STATE_HOME nor HOME is set; name one with --data-dir")
	}
	return filepath.Join(home, ".local", "state", "switchyard"), nil
}

// The token files in a data directory, which the control plane makes at its
// first start.
const (
	AdminTokenFile        = "admin-token"
	RegistrationTokenFile = "registration-token"
)
