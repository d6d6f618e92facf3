package controlplane

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/dirsync"
)

// tokens are the registration token and the admin token. Its methods may be called
// concurrently.
type tokens struct {
	registration, admin token.Current

	mu   sync.Mutex
	text clearTokens
}

// clearTokens are the tokens in clear text, empty where only the hash is known.
type clearTokens struct{ registration, admin string }

// load takes the tokens of c, or of the files in the data directory, and returns the
// names of those that have changed. On error both stay as they were.
func (t *tokens) load(dir string, c Config) (changed []string, err error) {
	registration, err := loadSecret(dir, datadir.RegistrationTokenFile, c.RegistrationToken)
	if err != nil {
		return nil, err
	}
	admin, err := loadSecret(dir, datadir.AdminTokenFile, c.AdminToken)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(admin.hashes, func(h token.Hash) bool { return slices.Contains(registration.hashes, h) }) {
		return nil, errors.New("the registration token and the admin token are the same, so that agents could act as admin; use two tokens")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.registration.Replace(registration.hashes...) {
		changed = append(changed, "registration token")
	}
	if t.admin.Replace(admin.hashes...) {
		changed = append(changed, "admin token")
	}
	t.text = clearTokens{registration.clear, admin.clear}
	return changed, nil
}

// clear returns the tokens in clear text.
func (t *tokens) clear() clearTokens {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text
}

// secret are the registration tokens or the admin tokens: one, and those that it
// replaces while both are in use.
type secret struct {
	hashes []token.Hash // the newest first
	clear  string       // the newest; empty if only its hash is known
}

// loadSecret returns the configured token or, if none is configured, the content
// of the file in the data directory, which it creates if it does not exist, and
// refuses if other users can read it.
func loadSecret(dir, file, configured string) (secret, error) {
	if configured != "" {
		return parseSecret(configured)
	}
	path := filepath.Join(dir, file)
	if err := datadir.CheckTokenFile(path); err != nil {
		return secret{}, err //nolint:wrapcheck // it names the file
	}
	value, err := os.ReadFile(path) //nolint:gosec // the name is one of two constants, in the operator's directory
	if errors.Is(err, fs.ErrNotExist) {
		value, err = createTokenFile(path)
	}
	if err != nil {
		return secret{}, fmt.Errorf("token file %s: %w", path, reason(err))
	}
	s, err := parseSecret(strings.Join(config.TokenLines(string(value)), "\n"))
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
	if err := dirsync.Sync(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("creating it: %w", reason(err))
	}
	return content, nil
}

// parseSecret parses configured tokens, one on each line, the newest first. Its errors do
// not contain the value.
func parseSecret(value string) (s secret, err error) {
	for i, line := range strings.Split(value, "\n") {
		hash, text, err := token.Configured(line)
		switch {
		case err != nil:
			return secret{}, err //nolint:wrapcheck // the caller names the token
		case i == config.MaxTokenLines:
			return secret{}, fmt.Errorf("there are more than %d tokens", config.MaxTokenLines)
		case i == 0:
			s.clear = text
		}
		s.hashes = append(s.hashes, hash)
	}
	return s, nil
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
