// Package agentdir keeps a directory for each agent that runs, in the data directory: for
// the socket of its status and the history of its workers. An agent that starts takes the
// first directory that no other process has, so that one agent after another continues the
// same history, and several at once have one each.
package agentdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gofrs/flock"
)

const (
	agentsDir = "agents"
	lockFile  = "lock"
	// maxAgents bounds the agents of one data directory.
	maxAgents = 64

	ownerOnlyDir  = 0o700
	ownerOnlyFile = 0o600
)

// Place is the directory of an agent that runs or has run.
type Place struct{ path string }

// Dir is the directory of an agent that holds its lock.
type Dir struct {
	Place

	lock *flock.Flock
}

// Claim takes the first directory of the data directory that no other process has, and
// makes it if it does not exist. Others than the user cannot read it. An error names the
// directory. The caller closes it.
func Claim(dataDir string) (*Dir, error) {
	for i := range maxAgents {
		path := filepath.Join(dataDir, agentsDir, strconv.Itoa(i+1))
		if err := os.MkdirAll(path, ownerOnlyDir); err != nil {
			return nil, fmt.Errorf("directory of an agent: %w", err)
		}
		lock := flock.New(filepath.Join(path, lockFile), flock.SetPermissions(ownerOnlyFile))
		locked, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("directory of an agent %s: %w", path, errors.Join(err, lock.Close()))
		}
		if locked {
			return &Dir{Place{path}, lock}, nil
		}
		if err := lock.Close(); err != nil {
			return nil, fmt.Errorf("directory of an agent %s: %w", path, err)
		}
	}
	return nil, fmt.Errorf("directory of an agent: %d agents run with the data directory %s; give this one another with --data-dir",
		maxAgents, dataDir)
}

// Close releases the directory. What is in it stays.
func (d *Dir) Close() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("directory of an agent %s: %w", d.path, err)
	}
	return nil
}

// Socket returns the path of the socket of the agent's status. Nothing serves it if the
// agent does not run.
func (p Place) Socket() string { return filepath.Join(p.path, "status.sock") }

// History returns the path of the history of the workers of the agents that had the
// directory, one after another.
func (p Place) History() string { return filepath.Join(p.path, "history.jsonl") }

// InUse reports whether a process has the directory: an agent runs. It is true as well if
// that cannot be found out.
func (p Place) InUse() bool {
	lock := flock.New(filepath.Join(p.path, lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if errors.Is(err, os.ErrNotExist) {
		return false // no agent ever had it
	}
	return errors.Join(err, lock.Close()) != nil || !free
}

// Places returns the directories of all agents of a data directory, in their order.
func Places(dataDir string) (places []Place) {
	for i := range maxAgents {
		path := filepath.Join(dataDir, agentsDir, strconv.Itoa(i+1))
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			places = append(places, Place{path})
		}
	}
	return places
}
