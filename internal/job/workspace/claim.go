package workspace

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

	"github.com/switchyard-ci/switchyard/internal/job/process"
)

const (
	// claimsDir is in the build path, and has a directory for each agent that uses it, with
	// an empty file for each working directory that is kept.
	claimsDir = ".agents"
	lockFile  = "lock"
	// filesDir is the directory in a claim for files of jobs, and socketFile the file
	// with the path of the directory for sockets.
	filesDir   = "files"
	socketFile = "sockets"
	cgroupFile = "cgroup"         // with the path of the control group of the agent
	sparesDir  = "spare"          // of directories for later jobs
	killLimit  = 10 * time.Second // for the end of the processes of one killed agent
)

// Claim records that an agent uses a build path. The working directories that belong to it
// have a part of its ID in their names. The agent holds a lock, which the system releases
// when its process ends. So a later agent knows for sure which jobs have no agent any more: process
// IDs may be reused, or belong to another container.
//
// Methods may be called concurrently, and on nil, which records nothing.
type Claim struct {
	id     string
	dir    string
	lock   *flock.Flock
	spares *spares
}

// ClaimBuildPath claims a build path for this process. Before that it kills the
// processes that the jobs of killed agents left there, and removes their working
// directories according to the policy, and their directories for sockets, if isSockets
// reports that a path is such a directory. The caller must call Close.
func ClaimBuildPath(buildPath string, cleanup Cleanup, isSockets func(path string) bool, logger *zap.Logger) (_ *Claim, err error) {
	fail := func(err error) (*Claim, error) { return nil, fmt.Errorf("claiming the build path: %w", err) }
	buildPath, err = filepath.Abs(buildPath)
	if err != nil {
		return fail(err)
	}
	claims := filepath.Join(buildPath, claimsDir)
	if err := os.MkdirAll(claims, ownerOnly); err != nil {
		return fail(err)
	}
	// One agent at a time: an unfinished claim looks like that of a killed agent.
	all := flock.New(filepath.Join(claims, lockFile))
	if err := all.Lock(); err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	if err := removeStale(buildPath, cleanup, isSockets, logger); err != nil {
		logger.Warn("could not remove all that killed agents left in the build path", zap.Error(err))
	}
	id := strings.ToLower(rand.Text())
	c := &Claim{id: id, dir: filepath.Join(claims, id)}
	c.spares = newSpares(c.dir)
	c.lock = flock.New(filepath.Join(c.dir, lockFile))
	if err := os.Mkdir(c.dir, ownerOnly); err != nil {
		return fail(err)
	}
	if err := c.lock.Lock(); err != nil {
		return fail(err)
	}
	if err := os.Mkdir(filepath.Join(c.dir, filesDir), ownerOnly); err != nil {
		return fail(err)
	}
	return c, nil
}

// Close releases the claim.
func (c *Claim) Close() error {
	if c == nil {
		return nil
	}
	c.spares.close()
	// The lock last: without it the directory would look like a killed agent's.
	removeErr := os.RemoveAll(c.dir)
	unlockErr := c.lock.Close()
	if removeErr != nil { // Windows removes no open file
		removeErr = os.RemoveAll(c.dir)
	}
	if err := errors.Join(removeErr, unlockErr); err != nil {
		return fmt.Errorf("releasing the build path: %w", err)
	}
	return nil
}

// ID returns the ID of the claim, which marks the processes of the agent's jobs; ""
// if c is nil.
func (c *Claim) ID() string {
	if c == nil {
		return ""
	}
	return c.id
}

// suffixLen is how much of the ID of a claim is in the names of its working directories.
const suffixLen = 8

// suffix ends the names of the working directories of the agent; "" if c is nil.
func (c *Claim) suffix() string {
	if c == nil {
		return ""
	}
	return suffixOf(c.id)
}

func suffixOf(id string) string { return "." + id[:min(len(id), suffixLen)] }

// Remove removes the working directory of a job that has ended with all its content. One
// that the job has left as it got it becomes that of a later job, unless processes of the job
// may still run in it; for each other one, Remove makes an empty one for a later job.
func (c *Claim) Remove(dir string, running bool) error {
	if c == nil {
		return Remove(dir)
	}
	if running {
		c.spares.forget(dir)
	} else if c.spares.takeBack(dir) {
		return nil
	}
	err := Remove(dir)
	c.spares.replace()
	return err
}

// Keep records that a working directory stays, whatever becomes of this agent.
func (c *Claim) Keep(dir string) error {
	if c == nil {
		return nil
	}
	c.spares.forget(dir)
	if err := os.WriteFile(filepath.Join(c.dir, filepath.Base(dir)), nil, 0o600); err != nil {
		return fmt.Errorf("recording a working directory: %w", err)
	}
	return nil
}

// FilesDir returns the directory for files of jobs that are not in their working
// directories. The next agent removes what a killed one has left there. It returns
// fallback if c is nil.
func (c *Claim) FilesDir(fallback string) string {
	if c == nil {
		return fallback
	}
	return filepath.Join(c.dir, filesDir)
}

// AddSocketDir records the directory for the sockets of jobs, which is outside of the
// build path, because the path of a socket must be short.
func (c *Claim) AddSocketDir(dir string) error {
	if c == nil {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.dir, socketFile), []byte(dir), 0o600); err != nil {
		return fmt.Errorf("recording the directory of sockets: %w", err)
	}
	return nil
}

// AddCgroup records the control group of the agent's jobs.
func (c *Claim) AddCgroup(dir string) error {
	if c == nil {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.dir, cgroupFile), []byte(dir), 0o600); err != nil {
		return fmt.Errorf("recording the control group: %w", err)
	}
	return nil
}

// removeStale ends what killed agents have left in a build path. The caller holds
// the lock of all claims.
func removeStale(buildPath string, cleanup Cleanup, isSockets func(string) bool, logger *zap.Logger) error {
	claims := filepath.Join(buildPath, claimsDir)
	entries, err := os.ReadDir(claims)
	if err != nil {
		return fmt.Errorf("listing claims: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		lock := flock.New(filepath.Join(claims, entry.Name(), lockFile))
		if locked, err := lock.TryLock(); err != nil || !locked {
			errs = append(errs, err)
			continue
		}
		logger.Info("removing what the jobs of a killed agent left", zap.String("claim", entry.Name()))
		errs = append(errs, removeClaim(buildPath, entry.Name(), cleanup, isSockets, logger), lock.Close())
	}
	return errors.Join(errs...)
}

// removeClaim ends what one killed agent has left, and removes its claim.
func removeClaim(buildPath, id string, cleanup Cleanup, isSockets func(string) bool, logger *zap.Logger) error {
	if err := process.KillClaimed(id, killLimit); err != nil {
		return fmt.Errorf("ending the jobs of a killed agent: %w", err)
	}
	claim := filepath.Join(buildPath, claimsDir, id)
	if dir, err := os.ReadFile(filepath.Join(claim, cgroupFile)); err == nil { //nolint:gosec // in the operator's build path
		if err := process.RemoveCgroups(string(dir), id, killLimit); err != nil {
			return fmt.Errorf("ending the jobs of a killed agent: %w", err)
		}
	}
	if err := removeSockets(claim, isSockets); err != nil {
		return err
	}
	entries, err := os.ReadDir(buildPath)
	if err != nil {
		return fmt.Errorf("listing the working directories of a killed agent: %w", err)
	}
	for _, entry := range entries {
		dir := filepath.Join(buildPath, entry.Name())
		switch _, err := os.Lstat(filepath.Join(claim, entry.Name())); {
		case !strings.HasPrefix(entry.Name(), namePrefix), !strings.HasSuffix(entry.Name(), suffixOf(id)), err == nil: // kept
		case !cleanup.Removes(false):
			logger.Info("keeping the working directory of a killed agent's job", zap.String("directory", dir))
		default:
			if err := Remove(dir); err != nil {
				return err
			}
		}
	}
	if err := os.RemoveAll(claim); err != nil {
		return fmt.Errorf("removing the claim of a killed agent: %w", err)
	}
	return nil
}

// removeSockets removes the directory for sockets that a claim records, if it is still
// there. Jobs can write to the claim, so nothing but such a directory is removed.
func removeSockets(claim string, isSockets func(string) bool) error {
	path, err := os.ReadFile(filepath.Join(claim, socketFile)) //nolint:gosec // in the operator's build path
	if err != nil {
		return nil //nolint:nilerr // the agent had no sockets
	}
	dir := string(path)
	info, err := os.Lstat(dir) //nolint:gosec // it is not followed
	if err != nil || !info.IsDir() || !filepath.IsAbs(dir) || !isSockets(dir) {
		return nil //nolint:nilerr // it is gone, or something else
	}
	if err := os.RemoveAll(dir); err != nil { //nolint:gosec // isSockets has checked it
		return fmt.Errorf("removing the sockets of a killed agent: %w", err)
	}
	return nil
}
