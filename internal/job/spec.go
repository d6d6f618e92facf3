package job

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// Spec is one job as the control plane gave it.
type Spec struct {
	// ID of the job; required.
	ID string
	// Env is the job's environment. Env["BUILDKITE_COMMAND"] is the command: a
	// script for the shell.
	Env map[string]string
	// Token is the job's own token, for the commands that it runs. It is never
	// the agent's session token.
	Token string
	// ChunkMaxSize is the most bytes of output that one chunk may hold. Zero is
	// refused: the job is started and finished as ReasonAgentRefused, without
	// being run. Chunks are never larger than 1 MiB, whatever is allowed here.
	ChunkMaxSize uint64
	// ChunkInterval is the longest that a byte of output waits for its chunk to
	// fill; 0 means 1 s.
	ChunkInterval time.Duration
	// LogMaxSize is the output, in bytes, past which the agent warns in its own
	// log; 0 means 1 GiB. Uploads go on.
	LogMaxSize uint64
	// Timeout is the most time that the job may take, from its start to the end
	// of its process; 0 means no limit.
	Timeout time.Duration
	// TraceParent and TraceState are handed to the command for its own traces;
	// empty if there is none.
	TraceParent, TraceState string
}

// Options are the agent's own settings for every job that it runs. They may be
// shared by concurrent calls of [Run].
type Options struct {
	// BuildPath is the folder under which each job gets a fresh working
	// directory; required. It is made if missing.
	BuildPath string
	// Spool keeps what is owed to the control plane; nil means that it is kept
	// in memory alone.
	Spool *spool.Spool
	// SpoolSize is the most output of one job, in bytes, that the spool holds;
	// 0 means 1 GiB.
	SpoolSize int64
	// ReportEndpoint is the control plane's endpoint to which the job is
	// reported, for the spool.
	ReportEndpoint string
	// Endpoint is the agent endpoint of the control plane, for the commands
	// that the job runs.
	Endpoint string
	// Headers are the Buildkite-* request headers that the control plane asked
	// for, handed on to the job's commands. Others are ignored.
	Headers http.Header
	// Environ is the agent's environment, of which a job gets the few variables
	// of an allow-list; nil means os.Environ.
	Environ []string
	// Shell is the program, with its arguments, that the script is appended to;
	// nil means "/bin/sh -e -c" ("cmd.exe /D /S /C" on Windows).
	Shell []string
	// Executor is the absolute path of a program that runs every job in the
	// shell's place, see FindExecutor; empty means none. It is run without
	// arguments in the fresh working directory, with the job in its
	// environment, and with the variables that the control plane gave also in
	// the files that BUILDKITE_ENV_FILE and BUILDKITE_ENV_JSON_FILE name. A job
	// need not have a command then, and what is to be checked out is the
	// executor's business.
	Executor string
	// Pty gives jobs a terminal of their own for their input and output, which
	// ends lines with CR LF. Not on Windows.
	Pty bool
	// Cleanup says which working directories are removed; empty means
	// CleanupAlways.
	Cleanup Cleanup

	// RedactedVars are globs for the names of variables whose values are hidden
	// in the log; nil means [DefaultRedactedVars].
	RedactedVars []string
	// Secrets are hidden in the log too: the agent's own tokens.
	Secrets []string
	// SocketFolder is a folder for the sockets of jobs, private to this user,
	// as joblink.Folder makes it; empty means one of its own for each job.
	SocketFolder string
	// TimestampLines puts the time at the start of each line of the log, as an
	// escape sequence.
	TimestampLines bool

	// StatusInterval is the time between two questions for the job's state, to
	// which a random part of the same length is added each time; 0 means 1 s
	// (wire-facts, section 1, job_status_interval).
	StatusInterval time.Duration
	// CancelSignal is what a cancelled job's group gets first; 0 means SIGTERM.
	// Not used on Windows.
	CancelSignal syscall.Signal
	// CancelGrace is the time from the cancel signal to SIGKILL; 0 means 10 s.
	CancelGrace time.Duration
	// KillWait is how long a killed command may take to be gone, before it is
	// given up and the job finished without it; 0 means 10 s.
	KillWait time.Duration
	// PipeGrace is how long the output stays open for processes that the
	// command left behind when it ended by itself; after that its group is
	// killed and the output closed; 0 means 5 s.
	PipeGrace time.Duration
	// FlushTimeout is the most time for uploading what is left of the output
	// when the command has ended; 0 means 1 h (wire-facts, section 3: the cap
	// on a chunk's retries).
	FlushTimeout time.Duration
	// FinishTimeout is the most time for delivering the result; 0 means 1 h
	// (wire-facts, section 3).
	FinishTimeout time.Duration
	// LeaveTimeout replaces FlushTimeout and FinishTimeout, for each of the
	// two, from the moment that the agent stops; 0 means 10 s.
	LeaveTimeout time.Duration
	// Claim is this agent's claim on the build path; nil means that an agent
	// that comes after this one was killed does not know what this one has left
	// there.
	Claim *Claim
	// Reaper inherits what jobs leave running, so that it is found; nil means
	// that it is found by its mark alone. See Reaper for when it may be used.
	Reaper *Reaper

	// Logger is the agent's log; nil means none.
	Logger *zap.Logger

	socket        string        // the path of the running job's; empty if it has none
	checkoutPause time.Duration // the first pause after a checkout that failed; 0 means 2 s
}

// Defaults of Spec and Options; the reason for each is beside its field.
const (
	defaultChunkInterval  = time.Second
	defaultSpoolSize      = 1 << 30
	defaultLogMaxSize     = 1 << 30
	defaultStatusInterval = time.Second
	defaultCancelGrace    = 10 * time.Second
	defaultKillWait       = 10 * time.Second
	defaultPipeGrace      = 5 * time.Second
	defaultFlushTimeout   = time.Hour
	defaultFinishTimeout  = time.Hour
	defaultLeaveTimeout   = 10 * time.Second
)

// WithDefaults gives the options with every zero replaced as its field says,
// and with the build path made absolute. An error names the field.
func (o Options) WithDefaults() (Options, error) {
	if o.BuildPath == "" {
		return o, errors.New("BuildPath is empty: name the folder that jobs are to run in")
	}
	path, err := filepath.Abs(o.BuildPath)
	if err != nil {
		return o, fmt.Errorf("BuildPath %q: %w", o.BuildPath, err)
	}
	o.BuildPath = path
	if o.Pty && !hasTerminals {
		return o, errors.New("a terminal for each job was asked for (Pty), and this system has none")
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if len(o.Shell) == 0 {
		o.Shell = defaultShell()
	}
	if o.RedactedVars == nil {
		o.RedactedVars = DefaultRedactedVars()
	}
	if err := CheckRedactedVars(o.RedactedVars); err != nil {
		return o, fmt.Errorf("RedactedVars: %w", err)
	}
	if o.CancelSignal == 0 {
		o.CancelSignal = syscall.SIGTERM
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.SpoolSize < 0 {
		return o, fmt.Errorf("SpoolSize is %d: it must not be negative", o.SpoolSize)
	}
	if o.SpoolSize == 0 {
		o.SpoolSize = defaultSpoolSize
	}
	for _, wait := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"StatusInterval", &o.StatusInterval, defaultStatusInterval},
		{"CancelGrace", &o.CancelGrace, defaultCancelGrace},
		{"KillWait", &o.KillWait, defaultKillWait},
		{"PipeGrace", &o.PipeGrace, defaultPipeGrace},
		{"FlushTimeout", &o.FlushTimeout, defaultFlushTimeout},
		{"FinishTimeout", &o.FinishTimeout, defaultFinishTimeout},
		{"LeaveTimeout", &o.LeaveTimeout, defaultLeaveTimeout},
		{"checkoutPause", &o.checkoutPause, checkoutPause},
	} {
		if *wait.value < 0 {
			return o, fmt.Errorf("%s is %v: it must not be negative", wait.name, *wait.value)
		}
		if *wait.value == 0 {
			*wait.value = wait.fallback
		}
	}
	return o, nil
}

// withDefaults gives the job with every zero replaced as its field says. An
// error means that it cannot even be started; what only keeps it from being run
// is found later, so that the control plane hears of it.
func (s Spec) withDefaults() (Spec, error) {
	if s.ID == "" {
		return s, errors.New("the job has no ID")
	}

	// A negative interval can only come from outside, where zero already means
	// the default.
	if s.ChunkInterval <= 0 {
		s.ChunkInterval = defaultChunkInterval
	}
	if s.LogMaxSize == 0 {
		s.LogMaxSize = defaultLogMaxSize
	}
	return s, nil
}
