package dispatch

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Every change of a job is one line with the job, its worker and the reason, and no
// line contains a token.
func TestChangesAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	p := newPlant(t, Options{Logger: zap.New(core)})
	a := p.register("a")
	id := p.submit(store.Job{Job: lifecycle.Job{RetriesLeft: 1}})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	p.passBeating(schedule.DefaultAssignTimeout+2*time.Second, a)
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, jobToken, err := p.Accept(t.Context(), a, id)
	must(t, err)
	p.startJob(p.grant(jobToken))
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	must(t, p.grant(jobToken).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	must(t, p.Heartbeat(t.Context(), a))

	var got []string
	for _, line := range logs.All() {
		fields := line.ContextMap()
		for name, value := range fields {
			if text, ok := value.(string); ok && (strings.Contains(text, "swj_") || strings.Contains(text, "sws_")) {
				t.Errorf("%s: the field %s contains a token", line.Message, name)
			}
		}
		if fields["job_id"] == id && line.Level > zapcore.DebugLevel {
			name, _ := fields["worker_name"].(string)
			reason, _ := fields["reason"].(string)
			got = append(got, line.Message+"|"+name+"|"+reason)
			if (name != "") != (fields["worker_id"] == a) || fields["queue"] != "default" {
				t.Errorf("%s has the fields %v", line.Message, fields)
			}
		}
	}
	want := `job submitted||a worker in queue default is free, and will be given the job when it polls
job assigned|a|offered in the response to its ping
job requeued|a|not accepted within 30s
job assigned|a|offered in the response to its ping
job accepted|a|
job started|a|
job lost|a|its worker was silent for 1m30s
late job result recorded|a|exit status 0`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
