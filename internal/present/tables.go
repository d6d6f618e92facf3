package present

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxCommandColumn is the most characters of a command that a table shows.
const maxCommandColumn = 60

const mebibyte = 1 << 20 // in bytes

// Jobs writes a table of jobs. now is the time for the column AGE.
func Jobs(w io.Writer, jobs []*switchyardv1.Job, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(jobs)), []string{"ID", stateColumn, "QUEUE", "WORKER", "AGE", "COMMAND"})
	for _, job := range jobs {
		rows = append(rows, []string{
			job.GetId(), Outcome(job), cell(job.GetQueue()), cell(job.GetWorkerName()),
			age(now, job.GetSubmittedAt()), ShortCommand(job),
		})
	}
	return table(w, rows)
}

// ShortCommand returns the beginning of a job's command.
func ShortCommand(job *switchyardv1.Job) string {
	return shorten(Safe(Command(job.GetCommand())), maxCommandColumn)
}

// Job writes every field of a job that is not empty, then the changes of the job.
func Job(w io.Writer, job *switchyardv1.Job) error {
	fields := [][]string{
		{"id", job.GetId()},
		{"command", Safe(Command(job.GetCommand()))},
		{"state", Outcome(job)},
		{"outcome", outcome(job)},
		{"waits", Safe(job.GetWaitingReason())},
		{"queue", Safe(job.GetQueue())},
		{"tags", Safe(strings.Join(job.GetTags(), ", "))},
		{"priority", nonZero(int64(job.GetPriority()))},
		{"timeout", duration(job)},
		{"limits", limits(job.GetLimits())},
		{"env", Safe(environment(job.GetEnv()))},
		{"worker", Safe(workerOf(job))},
		{"canceled", Safe(job.GetCancelReason())},
		{"lost", Safe(job.GetLostReason())},
		{"late result", lateResult(job)},
		{"submitted", moment(job.GetSubmittedAt())},
		{"assigned", moment(job.GetAssignedAt())},
		{"accepted", moment(job.GetAcceptedAt())},
		{"started", moment(job.GetStartedAt())},
		{"finished", moment(job.GetFinishedAt())},
		{"used", usage(job.GetUsage())},
		{"log", logSize(job)},
		{"log restored", logBackup(job)},
		{"log chunks lost", nonZero(int64(job.GetChunksFailedCount()))},
		{"idempotency key", Safe(job.GetIdempotencyKey())},
		{"retry", retryNumber(job)},
		{"retries left", retriesLeft(job)},
		{"retried by", job.GetRetriedBy()},
	}
	if err := table(w, slices.DeleteFunc(fields, func(field []string) bool { return field[1] == "" })); err != nil {
		return err
	}
	return Timeline(w, job)
}

// outcome returns how a job ended, and why its command never ran.
func outcome(job *switchyardv1.Job) string {
	word := JobOutcome(job.GetOutcome())
	if why := notStarted(job); why != "" {
		word += " (not started: " + why + ")"
	}
	return word
}

// retryNumber returns which retry of which job a job is, or "".
func retryNumber(job *switchyardv1.Job) string {
	if job.GetRetryOf() == "" {
		return ""
	}
	return fmt.Sprintf("%d of %d, of job %s", job.GetRetryCount(), job.GetRetries(), job.GetRetryOf())
}

// retriesLeft returns how many more times a job that has not ended is retried, or "" if
// no retries were asked for.
func retriesLeft(job *switchyardv1.Job) string {
	if job.GetRetries() == 0 || job.GetState().Final() {
		return ""
	}
	return strconv.Itoa(int(job.GetRetriesLeft()))
}

// logSize returns the size of a job's log, and whether it was cut; or who deleted it.
func logSize(job *switchyardv1.Job) string {
	if deletion := job.GetLogDeletion(); deletion != nil {
		return LogDeletion(deletion)
	}
	size := fmt.Sprintf("%d bytes", job.GetLogSize())
	if job.GetLogCut() {
		size += ", cut at the limit of a log; the rest was not kept"
	}
	return size
}

// limits returns the limits that a job was submitted with, or "".
func limits(l *switchyardv1.Limits) string {
	var texts []string
	if memory := l.GetMemory(); memory > 0 {
		texts = append(texts, fmt.Sprintf("%.1f MiB of memory", float64(memory)/mebibyte))
	}
	if cpus := l.GetCpus(); cpus > 0 {
		texts = append(texts, strconv.FormatFloat(cpus, 'f', -1, 64)+" CPUs")
	}
	if pids := l.GetPids(); pids > 0 {
		texts = append(texts, fmt.Sprintf("%d processes", pids))
	}
	return strings.Join(texts, ", ")
}

// usage returns what a job took, or "".
func usage(u *switchyardv1.Usage) string {
	if u == nil {
		return ""
	}
	memory := "" // not known
	if peak := float64(u.GetPeakMemory()) / mebibyte; u.GetGroup() {
		memory = fmt.Sprintf(", %.1f MiB at most (all processes)", peak)
	} else if peak > 0 {
		memory = fmt.Sprintf(", %.1f MiB at most (largest process)", peak)
	}
	killed := ""
	if limit := u.GetMemoryLimitExceeded(); limit > 0 {
		killed = fmt.Sprintf("; killed for more memory than its limit of %.1f MiB", float64(limit)/mebibyte)
	}
	return fmt.Sprintf("%v, %v of CPU%s%s",
		u.GetWall().AsDuration().Round(time.Millisecond), u.GetCpu().AsDuration().Round(time.Millisecond),
		memory, killed)
}

// LogDeletion returns who deleted a log, when and why, and how large it was.
func LogDeletion(deletion *switchyardv1.LogDeletion) string {
	return fmt.Sprintf("deleted by %s at %s, with %d bytes%s",
		Safe(deletion.GetBy()), moment(deletion.GetAt()), deletion.GetBytes(), because(deletion.GetReason()))
}

// logBackup returns from which backup a log was restored, if it may lack something.
func logBackup(job *switchyardv1.Job) string {
	if at := job.GetLogBackupAt(); at != nil && job.GetLogDeletion() == nil {
		return "from the backup of " + moment(at) + "; output that came after it may be missing"
	}
	return ""
}

// lateResult returns the result that arrived after a job was lost, if any.
func lateResult(job *switchyardv1.Job) string {
	switch late := job.GetLateResult(); {
	case late != nil:
		ending := wire.Ending(late.GetExitStatus(), late.GetSignal(), late.GetSignalReason())
		return Safe(ending) + ", received after the job was lost and retried"
	case job.GetLate():
		return "received after the job was lost"
	}
	return ""
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

const columnGap = 2

// stateColumn is the heading of the states of jobs, workers and queues.
const stateColumn = "STATE"

// none stands in an empty column, so that a program can split a row at white space.
const none = "-"

// table writes rows in columns. The first row is the heading.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(t, strings.Join(row, "\t")) // Flush returns the error
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// cell returns a text from the network as a column shows it.
func cell(s string) string {
	if s == "" {
		return none
	}
	return Safe(s)
}

// age returns the time since at, in its two largest units.
func age(now time.Time, at *timestamppb.Timestamp) string {
	if at == nil {
		return none
	}
	const day = 24 * time.Hour
	switch d := max(now.Sub(at.AsTime()), 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
	}
}

// moment returns a time in the local time zone, to the millisecond.
func moment(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Local().Format("2006-01-02 15:04:05.000 MST")
}
