package agentstatus

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A worker whose stream is lost after two seconds and in control again after five, with
// two pings in between, the second of which fails.
func TestObserve(t *testing.T) {
	t.Parallel()
	m, begin := New(), time.Unix(1000, 0)
	config := fsm.Config{}
	machine, err := fsm.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at    int // in seconds
		event fsm.Event
	}{
		{0, config.Start()},
		{1, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}},
		{3, fsm.Event{Kind: fsm.StreamLost, Epoch: 1}},
		{3, fsm.Event{Kind: fsm.PollDue}},
		{4, fsm.Event{Kind: fsm.AnsweredIdle, Epoch: 1}},
		{6, fsm.Event{Kind: fsm.PollDue}},
		{7, fsm.Event{Kind: fsm.PollFailed, Epoch: 2}},
		{8, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 2}},
		{20, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 2}},
		{21, fsm.Event{Kind: fsm.DrainRequested}},
	} {
		if _, err := machine.Step(step.event); err != nil {
			t.Fatal(err)
		}
		m.Observe(machine.Record(begin.Add(time.Duration(step.at)*time.Second), "w", ""))
	}
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP switchyard_agent_pings_total Pings that were answered or have failed, by what came of them.
# TYPE switchyard_agent_pings_total counter
switchyard_agent_pings_total{result="AnsweredDisconnect"} 0
switchyard_agent_pings_total{result="AnsweredIdle"} 1
switchyard_agent_pings_total{result="AnsweredJob"} 0
switchyard_agent_pings_total{result="AnsweredPause"} 0
switchyard_agent_pings_total{result="PollFailed"} 1
switchyard_agent_pings_total{result="PollRefused"} 0
# HELP switchyard_agent_state_seconds_total Time that workers have spent in each state, together, up to the last event of each.
# TYPE switchyard_agent_state_seconds_total counter
switchyard_agent_state_seconds_total{state="FallingBack"} 3
switchyard_agent_state_seconds_total{state="PollingBusy"} 2
switchyard_agent_state_seconds_total{state="Reclaiming"} 0
switchyard_agent_state_seconds_total{state="Running"} 0
switchyard_agent_state_seconds_total{state="StreamHealthy"} 16
# HELP switchyard_agent_transitions_total Changes of state of workers, by both states and the event that caused it.
# TYPE switchyard_agent_transitions_total counter
switchyard_agent_transitions_total{event="AnsweredIdle",from="PollingBusy",to="FallingBack"} 1
switchyard_agent_transitions_total{event="DrainRequested",from="StreamHealthy",to="Stopped"} 1
switchyard_agent_transitions_total{event="PollDue",from="FallingBack",to="PollingBusy"} 2
switchyard_agent_transitions_total{event="PollFailed",from="PollingBusy",to="FallingBack"} 1
switchyard_agent_transitions_total{event="ReceivedResume",from="FallingBack",to="StreamHealthy"} 1
switchyard_agent_transitions_total{event="Started",from="Initial",to="StreamHealthy"} 1
switchyard_agent_transitions_total{event="StreamLost",from="StreamHealthy",to="FallingBack"} 1
`), "switchyard_agent_pings_total", "switchyard_agent_state_seconds_total", "switchyard_agent_transitions_total"); err != nil {
		t.Error(err)
	}
	var got []string
	gathered, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range gathered {
		for _, sample := range metric.GetMetric() {
			if h := sample.GetHistogram(); h.GetSampleCount() > 0 {
				got = append(got, fmt.Sprint(metric.GetName(), sample.GetLabel(), h.GetSampleCount(), h.GetSampleSum()))
			}
		}
	}
	want := []string{
		`switchyard_agent_reclaim_seconds[] 1 5`, `switchyard_agent_stream_duration_seconds[name:"event"  value:"StreamLost"] 1 2`,
	}
	if text := strings.Join(got, "\n"); strings.ReplaceAll(text, "  ", " ") != strings.ReplaceAll(strings.Join(want, "\n"), "  ", " ") {
		t.Errorf("got\n%s\nwant\n%s", text, strings.Join(want, "\n"))
	}
	if len(m.workers) != 0 {
		t.Error("a worker that has stopped is not forgotten")
	}
}

// Each job that was started has one outcome.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]wire.FinishRequest{
		succeeded:    {ExitStatus: "0"},
		failed:       {ExitStatus: "7"},
		canceled:     {ExitStatus: "0", SignalReason: wire.ReasonCancel},
		timedOut:     {ExitStatus: "-1", Signal: "SIGTERM", SignalReason: wire.ReasonTimedOut},
		agentStopped: {ExitStatus: "-1", Signal: "SIGTERM", SignalReason: wire.ReasonAgentStop},
		neverRan:     {ExitStatus: "-1", SignalReason: wire.ReasonProcessRunError},
	} {
		m := New()
		m.JobEnded(job.Result{FinishRequest: r, OutputBytes: 3})
		for _, outcome := range outcomes() {
			n := testutil.ToFloat64(m.jobs.WithLabelValues(outcome))
			if (outcome == want) != (n == 1) {
				t.Errorf("%+v: %v jobs %s, want one %s", r, n, outcome, want)
			}
		}
		if n := testutil.ToFloat64(m.output); n != 3 {
			t.Errorf("%v bytes of output", n)
		}
	}
	m := New()
	m.JobEnded(job.Result{FinishRequest: wire.FinishRequest{
		ExitStatus: "-1", Signal: "SIGKILL", Usage: wire.Usage{CPUMicros: 1_500_000, PeakMemory: 64 << 20, MemoryLimit: 64 << 20},
	}})
	m.JobEnded(job.Result{FinishRequest: wire.FinishRequest{ExitStatus: "-1", SignalReason: wire.ReasonProcessRunError}}) // nothing was used
	if cpu, killed := testutil.ToFloat64(m.cpu), testutil.ToFloat64(m.killed); cpu != 1.5 || killed != 1 {
		t.Errorf("%v s of CPU, %v killed", cpu, killed)
	}
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP switchyard_agent_job_peak_memory_bytes Most memory that a job used: all of its processes if it had a control group, else its largest one, if that had more than the agent.
# TYPE switchyard_agent_job_peak_memory_bytes histogram
switchyard_agent_job_peak_memory_bytes_bucket{le="1.048576e+06"} 0
switchyard_agent_job_peak_memory_bytes_bucket{le="4.194304e+06"} 0
switchyard_agent_job_peak_memory_bytes_bucket{le="1.6777216e+07"} 0
switchyard_agent_job_peak_memory_bytes_bucket{le="6.7108864e+07"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="2.68435456e+08"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="1.073741824e+09"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="4.294967296e+09"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="1.7179869184e+10"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="6.8719476736e+10"} 1
switchyard_agent_job_peak_memory_bytes_bucket{le="+Inf"} 1
switchyard_agent_job_peak_memory_bytes_sum 6.7108864e+07
switchyard_agent_job_peak_memory_bytes_count 1
`), "switchyard_agent_job_peak_memory_bytes"); err != nil {
		t.Error(err)
	}
	if n := testutil.ToFloat64(m.jobs.WithLabelValues(failed)); n != 1 {
		t.Errorf("a job that was ended by a signal is not counted as %s", failed)
	}
}
