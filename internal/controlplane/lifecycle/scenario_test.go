package lifecycle_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// TestScenarios runs the scripts of testdata/jobs. A script is a job's life: each
// command is one event, with its fields as arguments, and the answer is the
// transition, the effects, and what the machine knows then.
//
//	go test ./internal/controlplane/lifecycle -run TestScenarios -args -rewrite
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, filepath.Join("..", "..", "..", "testdata", "jobs"), func(t *testing.T, path string) {
		var job lifecycle.Job
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "history" {
				return history(job)
			}
			ev := event(t, d, &job)
			before := job.State
			after, decision := lifecycle.Next(job, ev)
			job = after
			return answer(before, job, decision)
		})
	})
}

// event reads a command: the name of the event, and its fields.
func event(t *testing.T, d *datadriven.TestData, job *lifecycle.Job) lifecycle.Event {
	t.Helper()
	ev := lifecycle.Event{Reason: "why"}
	found := false
	for _, k := range lifecycle.EventKinds() {
		if k.String() == d.Cmd {
			ev.Kind, found = k, true
		}
	}
	if !found {
		d.Fatalf(t, "%s is not an event", d.Cmd)
	}
	for _, arg := range d.CmdArgs {
		value := ""
		if len(arg.Vals) > 0 {
			value = arg.Vals[0]
		}
		switch arg.Key {
		case "worker":
			ev.WorkerID, ev.WorkerName = value, value
		case "token":
			ev.Token = value
		case "exit":
			ev.Result.ExitStatus = value
		case "signal":
			ev.Result.Signal = value
		case "because":
			ev.Result.SignalReason = value
		case "overdue":
			ev.Overdue = true
		case "no-retry":
			ev.NoRetry = true
		case "retry":
			ev.RetryID = value
		case "retries": // of the job, at its submission
			retries, err := strconv.Atoi(value)
			if err != nil {
				d.Fatalf(t, "retries: %v", err)
			}
			job.RetriesLeft = retries
		case "reason":
			ev.Reason = value
		default:
			d.Fatalf(t, "%s is not a field of an event", arg.Key)
		}
	}
	return ev
}

func answer(before lifecycle.State, job lifecycle.Job, d lifecycle.Decision) string {
	var b strings.Builder
	switch {
	case d.Row == nil:
		return "ignored: " + d.Ignored + "\n"
	case d.Refusal != "":
		fmt.Fprintf(&b, "%s: refused [%s]: %s\n", before, d.Row.When.Name, d.Refusal)
		return b.String()
	case !d.Changed:
		fmt.Fprintf(&b, "%s: unchanged [%s]\n", before, d.Row.When.Name)
		return b.String()
	}
	fmt.Fprintf(&b, "%s -> %s", before, job.State)
	if d.Row.When.Name != "" {
		fmt.Fprintf(&b, " [%s]", d.Row.When.Name)
	}
	b.WriteByte('\n')
	for _, e := range d.Effects {
		fmt.Fprintf(&b, "  %v %s\n", e.Kind, e.ID)
	}
	for _, f := range []struct{ name, value string }{
		{"worker", job.WorkerID},
		{"tokens", strings.Join(job.Tokens, ",")},
		{"exit", job.ExitStatus},
		{"signal", job.Signal},
		{"retried by", job.RetriedBy},
		{"lost", job.LostReason},
		{"outcome", string(job.Outcome())},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, "  %s: %s\n", f.name, f.value)
		}
	}
	if job.LateResult != nil {
		fmt.Fprintf(&b, "  late result: %s\n", job.LateResult.ExitStatus)
	}
	return b.String()
}

func history(job lifecycle.Job) string {
	var b strings.Builder
	for _, e := range job.History.Entries {
		fmt.Fprintf(&b, "%s: %s -> %s", e.Event, e.From, e.To)
		if e.WorkerID != "" {
			fmt.Fprintf(&b, " (%s)", e.WorkerID)
		}
		if e.Reason != "" {
			fmt.Fprintf(&b, ": %s", e.Reason)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
