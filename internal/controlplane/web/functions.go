package web

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// functions are what templates call.
func functions(a assets) template.FuncMap {
	return template.FuncMap{
		"asset": a.path, "safe": present.Safe, "lines": lines, "command": command, "short": short, "count": count,
		"moment": moment, "utc": utc, "age": age, "wait": wait, "ran": ran, "options": options,
		"outcome": outcome, "jobClass": jobClass,
		"workerState": workerState, "workerClass": workerClass, "jobsBy": present.JobsBy, "note": note, "changesNote": changesNote,
	}
}

// shownCommand bounds a command in a list, in bytes.
const shownCommand = 160

func command(argv []string) string {
	if len(argv) == 3 && (argv[0] == "sh" || argv[0] == "/bin/sh") && argv[1] == "-c" {
		return bounded(argv[2])
	}
	return bounded(present.Command(argv))
}

func bounded(text string) string {
	if len(text) > shownCommand {
		text = strings.ToValidUTF8(text[:shownCommand], "") + "…"
	}
	return present.Safe(text)
}

// lines is present.Safe for a text of several lines.
func lines(text string) string {
	list := strings.Split(text, "\n")
	for i := range list {
		list[i] = present.Safe(strings.ReplaceAll(list[i], "\t", "    "))
	}
	return strings.Join(list, "\n")
}

// short returns the end of an ID, which tells jobs of one moment apart.
func short(id string) string { return id[max(0, len(id)-shortID):] }

// shortID is the length of the end of an ID.
const shortID = 8

func number[N int | int32 | int64](n N) string { return present.Count(int64(n)) }

// count is number for templates.
func count(n any) string {
	switch n := n.(type) {
	case int:
		return number(n)
	case int32:
		return number(n)
	case int64:
		return number(n)
	default:
		return fmt.Sprint(n)
	}
}

func moment(at *timestamppb.Timestamp) string { return at.AsTime().Format(time.RFC3339Nano) }

func utc(at *timestamppb.Timestamp) string { return at.AsTime().Format("2006-01-02 15:04:05") }

// age returns the time since a moment, as app.js does every second.
func age(at *timestamppb.Timestamp) string { return span(time.Since(at.AsTime())) }

// span returns a duration with at most two units.
func span(d time.Duration) string {
	seconds := max(0, int64(d/time.Second))
	const minute, hour, day = 60, 3600, 86400
	switch {
	case seconds < minute:
		return fmt.Sprintf("%ds", seconds)
	case seconds < hour:
		return fmt.Sprintf("%dm %02ds", seconds/minute, seconds%minute)
	case seconds < day:
		return fmt.Sprintf("%dh %02dm", seconds/hour, seconds%hour/minute)
	default:
		return fmt.Sprintf("%dd %02dh", seconds/day, seconds%day/hour)
	}
}

// wait returns a duration in a few digits.
func wait(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return span(d)
	}
}

// ran returns how long a job has run.
func ran(job *switchyardv1.Job) string {
	switch began, ended := job.GetStartedAt(), job.GetFinishedAt(); {
	case began == nil:
		return "–"
	case ended != nil:
		return wait(ended.AsTime().Sub(began.AsTime()))
	default:
		return age(began)
	}
}

// outcome returns the state of a job in one or two words and, after its end, how it ended.
func outcome(job *switchyardv1.Job) string {
	switch job.GetOutcome() {
	case switchyardv1.JobOutcome_JOB_OUTCOME_UNSPECIFIED:
		return strings.ReplaceAll(present.Outcome(job), ",", ", ")
	case switchyardv1.JobOutcome_JOB_OUTCOME_FAILED:
		return "failed " + present.Safe(cmp.Or(job.GetSignal(), job.GetExitStatus()))
	default:
		return present.JobOutcome(job.GetOutcome())
	}
}

// option is a choice of a select element.
type option struct{ Value, Name string }

// options returns the choices of a select element as HTML.
func options(list []option, selected string) template.HTML {
	var b strings.Builder
	for _, o := range list {
		mark := ""
		if o.Value == selected {
			mark = " selected"
		}
		fmt.Fprintf(&b, `<option value="%s"%s>%s</option>`, template.HTMLEscapeString(o.Value), mark, template.HTMLEscapeString(o.Name))
	}
	return template.HTML(b.String()) //nolint:gosec // escaped
}

// The classes of colors, as style.css has them.
const (
	classGood   = "good"
	classWorks  = "works"
	classHeld   = "held"
	classWaits  = "waits"
	classFailed = "failed"
	classEnded  = "ended"
)

// jobClass returns the class of the color of a job's state.
func jobClass(job *switchyardv1.Job) string {
	switch job.GetOutcome() {
	case switchyardv1.JobOutcome_JOB_OUTCOME_SUCCEEDED:
		return classGood
	case switchyardv1.JobOutcome_JOB_OUTCOME_FAILED, switchyardv1.JobOutcome_JOB_OUTCOME_TIMED_OUT,
		switchyardv1.JobOutcome_JOB_OUTCOME_LOST, switchyardv1.JobOutcome_JOB_OUTCOME_NEVER_RAN:
		return classFailed
	case switchyardv1.JobOutcome_JOB_OUTCOME_CANCELED, switchyardv1.JobOutcome_JOB_OUTCOME_AGENT_STOPPED:
		return classEnded
	case switchyardv1.JobOutcome_JOB_OUTCOME_UNSPECIFIED:
	}
	return stateClass(job.GetState())
}

// stateClass returns the class of the color of a state.
func stateClass(state switchyardv1.JobState) string {
	switch state {
	case switchyardv1.JobState_JOB_STATE_RUNNING:
		return classWorks
	case switchyardv1.JobState_JOB_STATE_ASSIGNED, switchyardv1.JobState_JOB_STATE_ACCEPTED:
		return classHeld
	case switchyardv1.JobState_JOB_STATE_QUEUED:
		return classWaits
	case switchyardv1.JobState_JOB_STATE_LOST:
		return classFailed
	case switchyardv1.JobState_JOB_STATE_FINISHED, switchyardv1.JobState_JOB_STATE_CANCELED, switchyardv1.JobState_JOB_STATE_UNSPECIFIED:
	}
	return classEnded
}

// workerClass returns the class of the color of a worker's state.
func workerClass(w *switchyardv1.Worker) string {
	switch {
	case w.GetState() == switchyardv1.WorkerState_WORKER_STATE_LOST, w.GetRevoked(), w.GetUnheard():
		return classFailed
	case w.GetState() == switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED:
		return classEnded
	case w.GetPaused(), w.GetStopping():
		return classWaits
	case w.GetJobId() != "":
		return classWorks
	default:
		return classGood
	}
}

// workerState returns the state of a worker in a few words: of one that is connected, and
// nothing more, whether it has a job.
func workerState(w *switchyardv1.Worker) string {
	switch summary := present.WorkerSummary(w); {
	case summary != present.WorkerState(switchyardv1.WorkerState_WORKER_STATE_CONNECTED):
		return strings.ReplaceAll(summary, ",", ", ")
	case w.GetUnheard():
		return "silent"
	case w.GetJobId() != "":
		return "busy"
	default:
		return "idle"
	}
}

func changesNote() string { return present.MachineChangesNote }

func note(w *switchyardv1.Worker) string { return present.WorkerNote(w, time.Now()) }
