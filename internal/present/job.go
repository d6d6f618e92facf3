package present

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxCommandColumn is the most characters of a command that a table shows.
const maxCommandColumn = 60

// EndUnseen reports whether it is unknown how a job ended, because its agent ended
// first. The next process of the agent has reported the job.
func EndUnseen(job *switchyardv1.Job) bool {
	return wire.EndUnseen(job.GetExitStatus(), job.GetSignal(), job.GetSignalReason())
}

// Jobs writes a table of jobs. now is the time for the column AGE.
func Jobs(w io.Writer, jobs []*switchyardv1.Job, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(jobs)), []string{"ID", "STATE", "QUEUE", "WORKER", "AGE", "COMMAND"})
	for _, job := range jobs {
		rows = append(rows, []string{
			job.GetId(), Outcome(job), cell(job.GetQueue()), cell(job.GetWorkerName()),
			age(now, job.GetSubmittedAt()), shorten(Safe(Command(job.GetCommand())), maxCommandColumn),
		})
	}
	return table(w, rows)
}

// Job writes every field of a job that is not empty.
func Job(w io.Writer, job *switchyardv1.Job) error {
	fields := [][]string{
		{"id", job.GetId()},
		{"command", Safe(Command(job.GetCommand()))},
		{"state", Outcome(job)},
		{"waits", Safe(job.GetWaitingReason())},
		{"queue", Safe(job.GetQueue())},
		{"priority", nonZero(int64(job.GetPriority()))},
		{"timeout", duration(job)},
		{"env", Safe(environment(job.GetEnv()))},
		{"worker", Safe(workerOf(job))},
		{"canceled", Safe(job.GetCancelReason())},
		{"submitted", moment(job.GetSubmittedAt())},
		{"assigned", moment(job.GetAssignedAt())},
		{"accepted", moment(job.GetAcceptedAt())},
		{"started", moment(job.GetStartedAt())},
		{"finished", moment(job.GetFinishedAt())},
		{"log", fmt.Sprintf("%d bytes", job.GetLogSize())},
		{"log chunks lost", nonZero(int64(job.GetChunksFailedCount()))},
		{"idempotency key", Safe(job.GetIdempotencyKey())},
		{"retries left", nonZero(int64(job.GetRetriesLeft()))},
		{"retry of", job.GetRetryOf()},
		{"retried by", job.GetRetriedBy()},
	}
	return table(w, slices.DeleteFunc(fields, func(field []string) bool { return field[1] == "" }))
}

// Outcome returns a job's state in one or two words and, after its end, how it
// ended.
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
	case EndUnseen(job):
		return state + ",end-unseen"
	case job.GetExitStatus() == wire.ExitStatusNeverRan:
		return state + ",never-ran"
	default:
		return state + "," + Safe(job.GetExitStatus())
	}
}

func workerOf(job *switchyardv1.Job) string {
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

// shorten returns s cut to at most width characters.
func shorten(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	return string(runes[:width-1]) + "…"
}
