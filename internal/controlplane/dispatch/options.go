package dispatch

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Defaults of Options.
const (
	// DefaultLeaseTimeout is six heartbeats of the default interval.
	DefaultLeaseTimeout = time.Minute
	// DefaultAssignTimeout is longer than a worker takes to notice that its
	// stream is dead (15 s) and to poll.
	DefaultAssignTimeout = 30 * time.Second
	// DefaultStartTimeout is longer than a worker tries to start a job (7 attempts
	// within about two minutes).
	DefaultStartTimeout = 5 * time.Minute
	// DefaultAbsenceTimeout is three times as long as a ping may be in flight.
	DefaultAbsenceTimeout = 30 * time.Second
	// DefaultSilenceTimeout is longer than the pauses between a worker's attempts to
	// deliver the end of a job (12 within about ten minutes).
	DefaultSilenceTimeout = 10 * time.Minute
	// DefaultLogGrace is far longer than pieces of a log overtake one another.
	DefaultLogGrace = 10 * time.Second
)

// Options are the times by which the dispatcher judges silence. A replica that
// starts gives every worker and every job a full term, counted from when it
// first saw them: stored moments are never compared with its own clock.
type Options struct {
	// LeaseTimeout is how long a worker may be silent before it is lost; 0 is
	// DefaultLeaseTimeout. It should be several heartbeat intervals.
	LeaseTimeout time.Duration
	// AssignTimeout is how long a job may be on offer to a worker before it goes
	// back to its queue; 0 is DefaultAssignTimeout.
	AssignTimeout time.Duration
	// StartTimeout is how long an accepted job may take to start before it goes
	// back to its queue; 0 is DefaultStartTimeout.
	StartTimeout time.Duration
	// AbsenceTimeout is how long a worker must go on sending pings, without a word
	// about the job that it should be running, before that job is lost; 0 is
	// DefaultAbsenceTimeout. It must be longer than a ping can be in flight.
	AbsenceTimeout time.Duration
	// SilenceTimeout is how long nothing may be heard about a running job, whose
	// worker asks for its state every few seconds, before it is lost, even though
	// its worker is alive; 0 is DefaultSilenceTimeout.
	SilenceTimeout time.Duration
	// LogGrace is how long Follow waits for a missing piece of a log after a later
	// one has arrived; 0 is DefaultLogGrace.
	LogGrace time.Duration
	// Clock tells the time, and ticks; nil is the system's.
	Clock zapcore.Clock
	// Logger gets one line for each decision that a person may ask about; nil is
	// none. Tokens are never logged.
	Logger *zap.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.LeaseTimeout, DefaultLeaseTimeout)
	setDefault(&o.AssignTimeout, DefaultAssignTimeout)
	setDefault(&o.StartTimeout, DefaultStartTimeout)
	setDefault(&o.AbsenceTimeout, DefaultAbsenceTimeout)
	setDefault(&o.SilenceTimeout, DefaultSilenceTimeout)
	setDefault(&o.LogGrace, DefaultLogGrace)
	if o.Clock == nil {
		o.Clock = zapcore.DefaultClock
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func (o Options) validate() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"LeaseTimeout", o.LeaseTimeout},
		{"AssignTimeout", o.AssignTimeout},
		{"StartTimeout", o.StartTimeout},
		{"AbsenceTimeout", o.AbsenceTimeout},
		{"SilenceTimeout", o.SilenceTimeout},
		{"LogGrace", o.LogGrace},
	} {
		if f.d < 0 {
			return fmt.Errorf("dispatch: %s is %s, want more than zero", f.name, f.d)
		}
	}
	return nil
}
