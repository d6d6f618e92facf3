package present

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxCommandColumn keeps a long command from pushing a table over many lines.
const maxCommandColumn = 60

// neverRan is the exit status of a job whose command never ran, or whose end was
// not seen.
const neverRan = "-1"

// EndedWithAgent reports whether a job's agent ended before it did, so that how it
// ended is not known: its agent, started again, has said so.
func EndedWithAgent(job *switchyardv1.Job) bool {
	return job.GetExitStatus() == neverRan && job.GetSignal() == "" && job.GetSignalReason() == "agent_stop"
}

// Jobs writes a table of jobs, as they stand now.
func Jobs(w io.Writer, jobs []*switchyardv1.Job, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(jobs)), []string{"ID", "STATE", "QUEUE", "AGENT", "AGE", "COMMAND"})
	for _, job := range jobs {
		rows = append(rows, []string{
			job.GetId(), Outcome(job), cell(job.GetQueue()), cell(job.GetWorkerName()),
			age(now, job.GetSubmittedAt()), shorten(Safe(Command(job.GetCommand())), maxCommandColumn),
		})
	}
	return table(w, rows)
}

// Job writes everything about a job, but what is empty.
func Job(w io.Writer, job *switchyardv1.Job) error {
	return details(w, [][2]string{
		{"id", job.GetId()},
		{"command", Safe(Command(job.GetCommand()))},
		{"state", Outcome(job)},
		{"waits", Safe(job.GetWaitingReason())},
		{"queue", Safe(job.GetQueue())},
		{"priority", nonZero(int64(job.GetPriority()))},
		{"timeout", duration(job)},
		{"env", Safe(environment(job.GetEnv()))},
		{"agent", Safe(agentOf(job))},
		{"canceled", Safe(job.GetCancelReason())},
		{"submitted", moment(job.GetSubmittedAt())},
		{"assigned", moment(job.GetAssignedAt())},
		{"accepted", moment(job.GetAcceptedAt())},
		{"started", moment(job.GetStartedAt())},
		{"finished", moment(job.GetFinishedAt())},
		{"log", fmt.Sprintf("%d bytes", job.GetLogSize())},
		{"log pieces lost", nonZero(int64(job.GetChunksFailedCount()))},
		{"idempotency key", Safe(job.GetIdempotencyKey())},
		{"retries left", nonZero(int64(job.GetRetriesLeft()))},
		{"retry of", job.GetRetryOf()},
		{"retried by", job.GetRetriedBy()},
	})
}

// Outcome is where a job stands in a word or two: its state and, once it has
// ended, how.
func Outcome(job *switchyardv1.Job) string {
	state := JobState(job.GetState())
	if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		if job.GetCancelRequested() && !job.GetState().Final() {
			return state + ",canceling"
		}
		return state
	}
	switch {
	case job.GetSignal() != "":
		return state + "," + Safe(job.GetSignal())
	case EndedWithAgent(job):
		return state + ",end-unseen"
	case job.GetExitStatus() == neverRan:
		return state + ",never-ran"
	default:
		return state + "," + Safe(job.GetExitStatus())
	}
}

func agentOf(job *switchyardv1.Job) string {
	if job.GetWorkerId() == "" {
		return ""
	}
	return strings.TrimSpace(job.GetWorkerName() + " " + job.GetWorkerId())
}

func duration(job *switchyardv1.Job) string {
	if d := job.GetTimeout().AsDuration(); d != 0 {
		return d.String()
	}
	return ""
}

func environment(env map[string]string) string {
	pairs := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, name+"="+env[name])
	}
	return Command(pairs)
}

func nonZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// shorten cuts s to at most width characters.
func shorten(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	return string(runes[:width-1]) + "…"
}
