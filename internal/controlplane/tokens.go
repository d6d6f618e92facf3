package controlplane

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// secret is the registration token or the admin token.
type secret struct {
	hash  token.Hash
	clear string // empty if only the hash is known
}

// loadSecret returns the configured token or, if none is configured, the content
// of the file in the data directory, which it creates if it does not exist.
func loadSecret(dir, file, configured string) (secret, error) {
	if configured != "" {
		return parseSecret(configured)
	}
	path := filepath.Join(dir, file)
	value, err := os.ReadFile(path) //nolint:gosec // the name is one of two constants, in the operator's directory
	if errors.Is(err, fs.ErrNotExist) {
		value, err = createTokenFile(path)
	}
	if err != nil {
		return secret{}, fmt.Errorf("token file %s: %w", path, reason(err))
	}
	s, err := parseSecret(string(bytes.TrimSpace(value)))
	if err != nil {
		return secret{}, fmt.Errorf("token file %s: %w; remove the file, and the next start creates a new token", path, err)
	}
	return s, nil
}

// createTokenFile writes a random token to path, with mode 0600, and returns it.
// The file is renamed into place, so that a full disk or a crash never leaves an
// incomplete token.
func createTokenFile(path string) ([]byte, error) {
	content := []byte(rand.Text() + "\n")
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("creating it: %w", reason(err))
	}
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("creating it: %w", reason(err)), os.Remove(tmp.Name()))
	}
	return content, nil
}

// parseSecret parses a configured token. Its errors do not contain the value.
func parseSecret(value string) (secret, error) {
	hash, text, err := token.Configured(value)
	return secret{hash: hash, clear: text}, err //nolint:wrapcheck // the caller names the token
}

// validateToken checks a configured token, which may be empty.
func validateToken(name, value string) error {
	if value == "" {
		return nil
	}
	if _, err := parseSecret(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
