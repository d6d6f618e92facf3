//go:build unix

package job

import (
	"math"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestLimitsOfASubmitter runs jobs with limits where the agent has no control groups: they
// are refused before anything is run, and the log and the result say why.
func TestLimitsOfASubmitter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		limits wire.Limits
		log    string // part of it
	}{
		"memory":     {wire.Limits{Memory: 1 << 30}, "limits cannot be kept: this agent may make no control groups"},
		"processors": {wire.Limits{CPUs: 0.5}, "limits cannot be kept: this agent may make no control groups"},
		"processes":  {wire.Limits{PIDs: 7}, "limits cannot be kept: this agent may make no control groups"},
		"bad":        {wire.Limits{CPUs: -1}, "limits cannot be kept: cpus is -1"},
		"not bad":    {wire.Limits{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "echo ran")
			spec.Limits = tt.limits
			result, err := Run(t.Context(), spec, cp, opts)
			log, _ := cp.log()
			if tt.log == "" {
				if err != nil || result.ExitStatus != "0" || string(log) != "ran\n" {
					t.Errorf("%v, %+v, %q", err, result, log)
				}
				return
			}
			if err == nil || len(cp.finished) != 1 || cp.finished[0].SignalReason != wire.ReasonAgentRefused || cp.finished[0].ExitStatus != wire.ExitStatusNeverRan {
				t.Errorf("%v, %+v", err, cp.finished)
			}
			if !strings.Contains(string(log), tt.log) || strings.Contains(string(log), "ran\n") {
				t.Errorf("log %q, want %q", log, tt.log)
			}
		})
	}
}

// TestLoweredLimits names the limits that the agent lowers.
func TestLoweredLimits(t *testing.T) {
	t.Parallel()
	agent := wire.Limits{Memory: 3 << 19, CPUs: 0.5, PIDs: 10}
	for _, tt := range []struct {
		asked wire.Limits
		want  string
	}{
		{wire.Limits{}, ""},
		{agent, ""},
		{wire.Limits{Memory: 1 << 20, CPUs: 0.1, PIDs: 1}, ""},
		{wire.Limits{Memory: math.MaxInt32 + 1}, "the job asked for --memory 2048, and has 1.5: --job-memory of this agent is lower"},
		{wire.Limits{CPUs: 1.5, PIDs: 11}, "the job asked for --cpus 1.5, and has 0.5: --job-cpus of this agent is lower\n" +
			"the job asked for --pids 11, and has 10: --job-pids of this agent is lower"},
	} {
		if got := strings.Join(loweredLimits(tt.asked, tt.asked.Within(agent)), "\n"); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.asked, got, tt.want)
		}
	}
}
