package job

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

const (
	// claimsDir, in the build path, holds a folder for each agent that uses it.
	claimsDir = ".agents"
	lockFile  = "lock"
	// sweepLimit bounds the end of what one dead agent has left.
	sweepLimit = 10 * time.Second
)

// Claim says that an agent uses a build path, and which working directories are
// its. It holds for as long as the process lives: the system lets go of its
// lock then. So an agent that comes later knows whose jobs have nobody any
// more, with no doubt about process ids that were used again or belong to
// another container.
//
// Methods may be called concurrently, and on nil, which is the claim of nobody.
type Claim struct {
	name string
	dir  string
	lock *flock.Flock
}

// ClaimBuildPath makes a claim for this process, once it has ended what agents
// that were killed have left: the processes of their jobs, as far as the system
// tells of them, and, as the policy says, their working directories. Close it
// when no job runs any more.
func ClaimBuildPath(buildPath string, cleanup Cleanup, logger *zap.Logger) (_ *Claim, err error) {
	buildPath, err = filepath.Abs(buildPath)
	if err != nil {
		return nil, fmt.Errorf("claiming the build path: %w", err)
	}
	claims := filepath.Join(buildPath, claimsDir)
	if err := os.MkdirAll(claims, ownerOnly); err != nil {
		return nil, fmt.Errorf("claiming the build path: %w", err)
	}

	// One agent at a time: a claim that is being made looks like that of a dead
	// one.
	all := flock.New(filepath.Join(claims, lockFile))
	if err := all.Lock(); err != nil {
		return nil, fmt.Errorf("claiming the build path: %w", err)
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	if err := sweep(buildPath, cleanup, logger); err != nil {
		logger.Warn("what an agent that was killed has left is not all gone", zap.Error(err))
	}
	name := strings.ToLower(rand.Text())
	c := &Claim{name: name, dir: filepath.Join(claims, name)}
	c.lock = flock.New(filepath.Join(c.dir, lockFile))
	if err := os.Mkdir(c.dir, ownerOnly); err != nil {
		return nil, fmt.Errorf("claiming the build path: %w", err)
	}
	if err := c.lock.Lock(); err != nil {
		return nil, fmt.Errorf("claiming the build path: %w", err)
	}
	return c, nil
}

// Close gives the claim up.
func (c *Claim) Close() error {
	if c == nil {
		return nil
	}

	// The lock goes last: without it, the folder would be a dead agent's.
	removed := os.RemoveAll(c.dir)
	unlocked := c.lock.Close()
	if removed != nil { // Windows removes no file that is open
		removed = os.RemoveAll(c.dir)
	}
	if err := errors.Join(removed, unlocked); err != nil {
		return fmt.Errorf("giving up the build path: %w", err)
	}
	return nil
}

// id is the claim in the marks of processes.
func (c *Claim) id() string {
	if c == nil {
		return ""
	}
	return c.name
}

// note records that a working directory is this agent's.
func (c *Claim) note(workspace string) error {
	if c == nil {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.dir, workspace), nil, ownerReads); err != nil {
		return fmt.Errorf("noting a working directory: %w", err)
	}
	return nil
}

// forget is told that a working directory is nobody's business any more.
func (c *Claim) forget(workspace string) {
	if c != nil {
		_ = os.Remove(filepath.Join(c.dir, workspace)) // it may never have been noted
	}
}

// sweep ends what dead agents have left in a build path. The caller holds the
// lock of all claims.
func sweep(buildPath string, cleanup Cleanup, logger *zap.Logger) error {
	claims := filepath.Join(buildPath, claimsDir)
	entries, err := os.ReadDir(claims)
	if err != nil {
		return fmt.Errorf("looking for what was left: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		lock := flock.New(filepath.Join(claims, entry.Name(), lockFile))
		if dead, err := lock.TryLock(); err != nil || !dead {
			errs = append(errs, err)
			continue
		}
		logger.Info("an agent that used this build path was killed; ending what its jobs have left", zap.String("claim", entry.Name()))
		errs = append(errs, sweepOne(buildPath, entry.Name(), cleanup, logger), lock.Close())
	}
	return errors.Join(errs...)
}

func sweepOne(buildPath, claim string, cleanup Cleanup, logger *zap.Logger) error {
	if err := endClaimed(claim, sweepLimit); err != nil {
		return err
	}
	dir := filepath.Join(buildPath, claimsDir, claim)
	noted, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking for what was left: %w", err)
	}
	for _, entry := range noted {
		workspace := filepath.Join(buildPath, entry.Name())
		switch _, err := os.Lstat(workspace); {
		case entry.Name() == lockFile, err != nil:
		case !cleanup.removes(Result{ExitStatus: StatusNeverRan}):
			logger.Info("the working directory of a job that was left is kept", zap.String("directory", workspace))
		default:
			if err := removeWorkspace(workspace); err != nil {
				return err
			}
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("giving up the claim of a dead agent: %w", err)
	}
	return nil
}
