package job

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// actor is a process that plays a part.
type actor struct {
	done       chan struct{}
	onSignal   func(*actor)
	onKill     func(*actor)
	signals    []string
	signaledAt []time.Time
}

func (a *actor) exited() <-chan struct{} { return a.done }

func (a *actor) terminate() error {
	a.signals, a.signaledAt = append(a.signals, "term"), append(a.signaledAt, time.Now())
	if a.onSignal != nil {
		a.onSignal(a)
	}
	return nil
}

func (a *actor) kill() error {
	a.signals, a.signaledAt = append(a.signals, "kill"), append(a.signaledAt, time.Now())
	if a.onKill == nil {
		return errors.New("not permitted")
	}
	a.onKill(a)
	return nil
}

func endAfter(d time.Duration) func(*actor) {
	return func(a *actor) { time.AfterFunc(d, func() { close(a.done) }) }
}

const superviseGrace = 10 * time.Second

func TestSupervise(t *testing.T) {
	t.Parallel()
	const (
		grace    = superviseGrace
		killWait = 7 * time.Second
	)
	tests := []struct {
		name     string
		begin    func(*actor)
		onSignal func(*actor)
		onKill   func(*actor)
		cancelAt time.Duration // 0: never
		want     ending        // without signaledAt, cause and unsent
		signals  []string
		over     time.Duration
	}{
		{name: "ends by itself", begin: endAfter(time.Hour), want: ending{gone: true}, over: time.Hour},
		{
			name: "ends at once when told", onSignal: endAfter(0), cancelAt: time.Second,
			want: ending{gone: true}, signals: []string{"term"}, over: time.Second,
		},
		{
			name: "ends within the grace", onSignal: endAfter(grace - 1), cancelAt: time.Second,
			want: ending{gone: true, took: grace - 1}, signals: []string{"term"}, over: time.Second + grace - 1,
		},
		{
			name: "is killed after the grace", onKill: endAfter(time.Second), cancelAt: time.Second,
			want:    ending{gone: true, killed: true, took: grace + time.Second},
			signals: []string{"term", "kill"}, over: time.Second + grace + time.Second,
		},
		{
			name: "survives the kill", onKill: func(*actor) {}, cancelAt: time.Second,
			want: ending{killed: true, took: grace + killWait}, signals: []string{"term", "kill"}, over: time.Second + grace + killWait,
		},
		{
			name: "cannot be killed", cancelAt: time.Second,
			want: ending{killed: true, took: grace + killWait}, signals: []string{"term", "kill"}, over: time.Second + grace + killWait,
		},
		{
			name: "has ended when it is cancelled", begin: func(a *actor) { close(a.done) }, cancelAt: time.Nanosecond,
			want: ending{gone: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &actor{done: make(chan struct{}), onSignal: tt.onSignal, onKill: tt.onKill}
				if tt.begin != nil {
					tt.begin(a)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cancelAt > 0 {
					time.AfterFunc(tt.cancelAt, func() { cancel(ErrCanceled) })
				}
				began := time.Now()
				got := supervise(ctx, a, grace, killWait)
				if over := time.Since(began); over != tt.over {
					t.Errorf("took %v, want %v", over, tt.over)
				}
				checkEnding(t, a, got, tt.want, tt.signals)
				synctest.Wait()
			})
		})
	}
}

func checkEnding(t *testing.T, a *actor, got, want ending, signals []string) {
	t.Helper()
	if got.gone != want.gone || got.killed != want.killed || got.took != want.took {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(a.signals, signals) {
		t.Errorf("signals %v, want %v", a.signals, signals)
	}
	var cause error
	if len(signals) > 0 {
		cause = ErrCanceled
	}
	if !errors.Is(got.cause, cause) {
		t.Errorf("cause %v, want %v", got.cause, cause)
	}
	if len(a.signaledAt) == 2 && a.signaledAt[1].Sub(a.signaledAt[0]) != superviseGrace {
		t.Errorf("killed %v after the cancel signal, want %v", a.signaledAt[1].Sub(a.signaledAt[0]), superviseGrace)
	}
}

// When a process has ended and its job is cancelled in the same instant, it has
// ended by itself, however often it is tried.
func TestSupervisePrefersTheTruth(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &actor{done: make(chan struct{})}
	close(a.done)
	for range 100 {
		if end := supervise(ctx, a, time.Second, time.Second); end.cause != nil {
			t.Fatal("an ended process was cancelled")
		}
	}
}
