package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Settings are the operator's settings for all jobs of an agent.
type Settings struct {
	// BuildPath is the directory in which each job gets a working directory;
	// required. It is created if missing.
	BuildPath string
	// Cleanup is the policy for the removal of working directories; empty means
	// workspace.CleanupAlways.
	Cleanup workspace.Cleanup
	// Environ is the agent's environment, of which jobs get the variables of an
	// allow-list; nil means os.Environ.
	Environ []string
	// Shell is the program, with its arguments, to which the script is appended; nil
	// means "/bin/sh -e -c" ("cmd.exe /D /S /C" on Windows).
	Shell []string
	// Executor is the absolute path of a program that runs every job in place of the
	// shell, see FindExecutor; empty means none. It runs without arguments in the
	// working directory. It finds the variables of the job in its environment and in
	// the files named by BUILDKITE_ENV_FILE and BUILDKITE_ENV_JSON_FILE. The job
	// need not have a command then, and the executor checks out the repository.
	Executor string
	// NoSubmodules leaves submodules out of checkouts; a job can do so by itself.
	NoSubmodules bool
	// PTY runs each job on a terminal, which ends lines with CR LF. Not on Windows.
	PTY bool

	// SpoolSize is the most bytes of one job's log in the spool; 0 means 1 GiB.
	SpoolSize int64
	// RedactedVars are glob patterns of the names of variables whose values are
	// hidden in the log; nil means wire.DefaultRedactedVars.
	RedactedVars []string
	// TimestampLines puts the time at the start of each line of the log.
	TimestampLines bool

	// Limits bound what one job may use, whatever its submitter asks for. They need
	// control groups; without them an agent with limits does not start.
	Limits wire.Limits
	// CancelSignal is sent to a canceled job first; 0 means SIGTERM.
	CancelSignal syscall.Signal
	// CancelGrace is the time from the cancel signal to SIGKILL; 0 means 10 s.
	CancelGrace time.Duration
	// KillWait is how long a killed command may take to end before the job is
	// finished without it; 0 means 10 s.
	KillWait time.Duration
	// OutputGrace is how long processes that a command left running may hold its
	// output open, before they are killed; 0 means 5 s.
	OutputGrace time.Duration
	// FlushTimeout bounds the upload of the rest of the log; 0 means 1 h (wire-facts,
	// section 3: the limit for a chunk's retries).
	FlushTimeout time.Duration
	// FinishTimeout bounds the delivery of the result; 0 means 1 h.
	FinishTimeout time.Duration
	// LeaveTimeout replaces both when the agent stops; 0 means 10 s.
	LeaveTimeout time.Duration
}

// Shared is what the jobs of one agent process share. Every field may be empty.
type Shared struct {
	Spool     *spool.Spool         // keeps what is undelivered; nil keeps it in memory only
	Claim     *workspace.Claim     // the agent's claim on the build path
	Cgroups   *process.Cgroups     // makes a control group for each job
	Reaper    *process.Reaper      // finds more of what jobs leave running
	Inherited *Inherited           // what the environments of jobs have in common; nil makes it for each job
	Cleaner   *Cleaner             // removes working directories beside other jobs; nil removes each at the end of its job
	Links     *joblink.Server      // connects the commands of jobs with the agent; nil creates one for each job
	Tracing   trace.TracerProvider // receives the spans of jobs; nil makes none
}

// Options are everything that [Run] needs besides the job. They may be shared by
// concurrent calls.
type Options struct {
	Settings
	Shared

	// Secrets are hidden in logs, besides those of the job: the worker's tokens.
	Secrets []string
	// StatusInterval is the least time between two requests for the job's state; 0
	// means 1 s (wire-facts, section 1, job_status_interval).
	StatusInterval time.Duration
	// Stop is when the agent begins to stop. A signal of another process that ends a job
	// then may count as the agent's stop: it was sent to both. Nil means never.
	Stop *Stop
	// Logger is the agent's log; nil means none.
	Logger *zap.Logger

	// For tests; 0 means workspace.DefaultRetryPause, workspace.DefaultStallLimit,
	// Spec.ChunkInterval and defaultSyncDelay.
	checkoutPause, checkoutStall, chunkInterval, syncDelay time.Duration
}

const (
	defaultSpoolSize      = 1 << 30
	defaultStatusInterval = time.Second
	defaultCancelGrace    = 10 * time.Second
	defaultKillWait       = 10 * time.Second
	defaultOutputGrace    = 5 * time.Second
	defaultFlushTimeout   = time.Hour
	defaultFinishTimeout  = time.Hour
	defaultLeaveTimeout   = 10 * time.Second
)

// WithDefaults returns the settings with every zero replaced as its field says, and
// with an absolute build path. An error names the field.
func (s Settings) WithDefaults() (Settings, error) {
	if s.BuildPath == "" {
		return s, errors.New("BuildPath is empty: must be the directory for working directories")
	}
	path, err := filepath.Abs(s.BuildPath)
	if err != nil {
		return s, fmt.Errorf("BuildPath %q: %w", s.BuildPath, err)
	}
	s.BuildPath = path
	if s.PTY && runtime.GOOS == "windows" {
		return s, errors.New("PTY is set: Windows has no pseudo-terminals")
	}
	if s.Environ == nil {
		s.Environ = os.Environ()
	}
	if len(s.Shell) == 0 {
		s.Shell = defaultShell()
	}
	if s.RedactedVars == nil {
		s.RedactedVars = wire.DefaultRedactedVars()
	}
	if err := CheckRedactedVars(s.RedactedVars); err != nil {
		return s, fmt.Errorf("RedactedVars: %w", err)
	}
	if s.CancelSignal == 0 {
		s.CancelSignal = syscall.SIGTERM
	}
	err = errors.Join(
		setDefault("SpoolSize", &s.SpoolSize, defaultSpoolSize),
		setDefault("CancelGrace", &s.CancelGrace, defaultCancelGrace),
		setDefault("KillWait", &s.KillWait, defaultKillWait),
		setDefault("OutputGrace", &s.OutputGrace, defaultOutputGrace),
		setDefault("FlushTimeout", &s.FlushTimeout, defaultFlushTimeout),
		setDefault("FinishTimeout", &s.FinishTimeout, defaultFinishTimeout),
		setDefault("LeaveTimeout", &s.LeaveTimeout, defaultLeaveTimeout),
	)
	return s, err
}

// setDefault replaces a zero. It returns an error if the value is negative.
func setDefault[T ~int64](name string, value *T, fallback T) error {
	if *value < 0 {
		return fmt.Errorf("%s is %v: must not be negative", name, *value)
	}
	if *value == 0 {
		*value = fallback
	}
	return nil
}

func defaultShell() []string {
	if runtime.GOOS == "windows" {
		return []string{"cmd.exe", "/D", "/S", "/C"}
	}
	return []string{"/bin/sh", "-e", "-c"}
}

// withDefaults returns the options with every zero replaced as its field says.
func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Settings, err = o.Settings.WithDefaults(); err != nil {
		return o, err
	}
	if o.Inherited == nil {
		o.Inherited = newInherited(o.Settings)
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.checkoutPause == 0 {
		o.checkoutPause = workspace.DefaultRetryPause
	}
	if o.checkoutStall == 0 {
		o.checkoutStall = workspace.DefaultStallLimit
	}
	return o, setDefault("StatusInterval", &o.StatusInterval, defaultStatusInterval)
}
