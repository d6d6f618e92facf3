package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		edit  func(*Config)
		names string // the field that the error must name; empty if the config is valid
	}{
		{"minimal", func(*Config) {}, ""},
		{"no token", func(c *Config) { c.Token = "" }, "Token"},
		{"too many workers", func(c *Config) { c.Spawn = MaxSpawn + 1 }, "Spawn"},
		{"negative workers", func(c *Config) { c.Spawn = -1 }, "Spawn"},
		{"two workers for one job", func(c *Config) { c.AcquireJob, c.Spawn = "J1", 2 }, "Spawn"},
		{"acquire without a job", func(c *Config) { c.Mode = fsm.Acquire }, "AcquireJob"},
		{"negative idle", func(c *Config) { c.DisconnectAfterIdle = -1 }, "DisconnectAfterIdle"},
		{"negative uptime", func(c *Config) { c.DisconnectAfterUptime = -1 }, "DisconnectAfterUptime"},
		{"a tag without a value", func(c *Config) { c.Tags = []string{"os"} }, "Tags"},
		{"the queue as a tag", func(c *Config) { c.Tags = []string{"queue=x"} }, "Queue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := Config{Token: "registration"}
			c.edit(&config)
			_, err := New(config)
			switch {
			case c.names == "" && err != nil:
				t.Errorf("New: %v", err)
			case c.names != "" && (err == nil || !strings.Contains(err.Error(), c.names)):
				t.Errorf("New: %v, which does not name %s", err, c.names)
			}
		})
	}
}

// TestFeatures checks that streams are a feature unless the mode opens none, and
// that every other feature is named where it is in use.
func TestFeatures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Mode: fsm.Auto}, "no-plugins streaming-pings"},
		{Config{Mode: fsm.StreamOnly}, "no-plugins streaming-pings"},
		{Config{Mode: fsm.PollOnly}, "no-plugins"},
		{Config{Mode: fsm.Acquire, AcquireJob: "J1"}, "no-plugins streaming-pings acquire-job"},
		{
			Config{DisconnectAfterJob: true, DisconnectAfterIdle: time.Minute, DisconnectAfterUptime: time.Hour},
			"no-plugins streaming-pings disconnect-after-job disconnect-after-idle disconnect-after-uptime",
		},
	} {
		if got := strings.Join(c.config.features(), " "); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestIdleClock checks that the clock expires when all workers have been idle at
// the same time for the limit.
func TestIdleClock(t *testing.T) {
	t.Parallel()
	type step struct {
		wait time.Duration
		idle bool // one worker becomes idle, or stops being idle
	}
	for _, c := range []struct {
		name    string
		steps   []step
		expires time.Duration // after the last step; zero for never
	}{
		{"one of two", []step{{0, true}}, 0},
		{"both", []step{{0, true}, {time.Second, true}}, time.Minute},
		{"busy again", []step{{0, true}, {0, true}, {59 * time.Second, false}}, 0},
		{"busy and idle again", []step{{0, true}, {0, true}, {59 * time.Second, false}, {time.Second, true}}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var expired time.Time
				clock := newIdleClock(time.Minute, 2, func() { expired = time.Now() })
				defer clock.stop()
				for _, s := range c.steps {
					time.Sleep(s.wait)
					clock.set(s.idle)
				}
				last := time.Now()
				time.Sleep(time.Hour)
				synctest.Wait()
				switch {
				case c.expires == 0 && !expired.IsZero():
					t.Errorf("expired after %v", expired.Sub(last))
				case c.expires != 0 && expired.Sub(last) != c.expires:
					t.Errorf("expired after %v, want %v", expired.Sub(last), c.expires)
				}
			})
		})
	}
}

// TestIdleClockObserves checks that a worker counts as busy while it has a job, and
// that the other observer gets every record.
func TestIdleClockObserves(t *testing.T) {
	t.Parallel()
	machine, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	clock := newIdleClock(time.Hour, 1, func() {})
	defer clock.stop()
	records := 0
	observe := clock.observe(func(fsm.Record) { records++ })
	for i, step := range []struct {
		event fsm.Event
		busy  int
	}{
		{fsm.Event{Kind: fsm.Started}, 0},
		{fsm.Event{Kind: fsm.ReceivedJob, Epoch: 1, Job: "J1"}, 1},
		{fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, 1},
		{fsm.Event{Kind: fsm.JobFinished, Job: "J1"}, 0},
		{fsm.Event{Kind: fsm.ReceivedPause, Epoch: 1}, 1},
		{fsm.Event{Kind: fsm.StreamLost, Epoch: 1}, 1},
		{fsm.Event{Kind: fsm.PollDue}, 1},
		{fsm.Event{Kind: fsm.AnsweredIdle, Epoch: 1}, 0},
		{fsm.Event{Kind: fsm.PollDue}, 0}, // a ping in flight is not work
		{fsm.Event{Kind: fsm.AnsweredJob, Epoch: 2, Job: "J2"}, 1},
		{fsm.Event{Kind: fsm.JobFinished, Job: "J2"}, 0},
	} {
		if _, err := machine.Step(step.event); err != nil {
			t.Fatal(err)
		}
		observe(machine.Record(time.Now(), "w", ""))
		if clock.busy != step.busy || records != i+1 {
			t.Errorf("after %v: %d busy, %d records", step.event, clock.busy, records)
		}
	}
}

// TestJoinDistinct checks that a common reason is not repeated.
func TestJoinDistinct(t *testing.T) {
	t.Parallel()
	wrong, other := errors.New("wrong token"), errors.New("no route")
	if err := joinDistinct([]error{nil, wrong, nil, errors.New("wrong token"), other}); err == nil ||
		err.Error() != "wrong token\nno route" || !errors.Is(err, other) {
		t.Errorf("joined: %v", err)
	}
	if err := joinDistinct([]error{nil, nil}); err != nil {
		t.Errorf("nothing joined: %v", err)
	}
}

// TestSetToken checks which tokens replace the one before, and that all of them stay
// secrets of jobs.
func TestSetToken(t *testing.T) {
	t.Parallel()
	a, err := New(Config{Token: "first"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		token   string
		changed bool
		want    string
	}{{"first", false, "first"}, {"second", true, "second"}, {"", false, "second"}, {"second", false, "second"}, {"first", true, "first"}} {
		if changed := a.SetToken(step.token); changed != step.changed || a.token() != step.want {
			t.Errorf("SetToken(%q) = %t, and the token is %q; want %t, %q", step.token, changed, a.token(), step.changed, step.want)
		}
	}
	if all := a.allTokens(); !slices.Contains(all, "first") || !slices.Contains(all, "second") {
		t.Errorf("the tokens so far are %q", all)
	}
}
