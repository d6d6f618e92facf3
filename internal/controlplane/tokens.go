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

// HashToken is the form of a token that may be given to a server, in its
// configuration or in a token file, instead of the token itself.
func HashToken(clear string) string { return token.HashOf(clear).String() }

// A secret is one token of the server: what is compared, and the clear text
// where the server was given it.
type secret struct {
	hash  token.Hash
	clear string // empty where only the hash is known
}

// loadSecret takes the configured value or, where there is none, the content of
// the file in the data directory, which it makes at first start.
func loadSecret(dir, file, configured string) (secret, error) {
	if configured != "" {
		return parseSecret(configured)
	}
	path := filepath.Join(dir, file)
	value, err := os.ReadFile(path) //nolint:gosec // the name is one of two constants, in the operator's directory
	if errors.Is(err, fs.ErrNotExist) {
		value, err = makeTokenFile(path)
	}
	if err != nil {
		return secret{}, fmt.Errorf("token file %s: %w", path, reason(err))
	}
	s, err := parseSecret(string(bytes.TrimSpace(value)))
	if err != nil {
		return secret{}, fmt.Errorf("token file %s: %w; remove the file to have a new one made", path, err)
	}
	return s, nil
}

// makeTokenFile writes a fresh token to path. The file appears whole or not at
// all: a full disk or a crash leaves no half of a token behind, which the next
// start would take for the token.
func makeTokenFile(path string) ([]byte, error) {
	fresh := []byte(rand.Text())
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("making it: %w", reason(err))
	}
	err = errors.Join(write(tmp, append(fresh, '\n')), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making it: %w", reason(err)), os.Remove(tmp.Name()))
	}
	return fresh, nil
}

// write fills a file that os.CreateTemp made, with mode 0600 as it makes them.
func write(f *os.File, content []byte) error {
	if _, err := f.Write(content); err != nil {
		return reason(err)
	}
	if err := f.Sync(); err != nil {
		return reason(err)
	}
	return nil
}

func parseSecret(value string) (secret, error) {
	hash, clear, err := token.Configured(value)
	return secret{hash: hash, clear: clear}, err //nolint:wrapcheck // the caller names the token
}

// validateToken checks a configured token; the message never shows it.
func validateToken(name, value string) error {
	if value == "" {
		return nil
	}
	if _, err := parseSecret(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
