package dispatch

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
)

// DefaultLogGrace is far longer than log chunks overtake one another.
const DefaultLogGrace = 10 * time.Second

// Options configure a Dispatcher.
type Options struct {
	// Terms are the leases; zero fields have defaults.
	Terms schedule.Terms
	// AcquireAnyQueue lets a worker acquire, by its ID, a job of another queue than
	// its own.
	AcquireAnyQueue bool
	// LogGrace is how long Follow waits for a missing log chunk after a later one
	// has arrived; 0 is DefaultLogGrace.
	LogGrace time.Duration
	// MaxLog is the most bytes of the log of one job; 0 is joblog.DefaultMaxSize. It
	// is less if the store has little room: see joblog.Log.MaxSize.
	MaxLog uint64
	// Clock is the source of time and ticks; nil is the system's clock.
	Clock zapcore.Clock
	// Observer is called with what this replica does; nil is none.
	Observer Observer
	// Logger receives one line for each decision that a person may ask about; nil
	// is none. Tokens are never logged.
	Logger *zap.Logger
}

func (o Options) withDefaults() Options {
	o.Terms = o.Terms.WithDefaults()
	if o.LogGrace == 0 {
		o.LogGrace = DefaultLogGrace
	}
	if o.MaxLog == 0 {
		o.MaxLog = joblog.DefaultMaxSize
	}
	if o.Clock == nil {
		o.Clock = zapcore.DefaultClock
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

func (o Options) validate() error {
	if shortest := min(o.Terms.Shortest(), o.LogGrace); shortest < 0 {
		return fmt.Errorf("dispatch: a timeout in Options is %s, want more than zero", shortest)
	}
	return nil
}
