package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/controlplane/web/logview"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// lifeWidth is the width of the chart of a job's states, and minWidth that of the shortest
// one.
const lifeWidth, minWidth = 400, 2

// jobData is what the page of a job shows.
type jobData struct {
	logData

	Job     *switchyardv1.Job
	State   string
	Ended   bool
	Key     string // of a form
	Facts   []fact
	Changes []change
	Bars    []bar
	Env     []fact
	Runner  *switchyardv1.Worker // nil if it is not known
	Picture bool
}

// fact is a line of a list of facts.
type fact struct{ Name, Value, Href string }

// change is an entry of a job's history.
type change struct{ Class, State, Event, Worker, At, Clock, Lasted, Why string }

// job shows a job. With the parameter part it leaves out the log, for the script, which
// loads the rest again.
func (s *site) job(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	got, err := s.Calls.GetJob(ctx, &switchyardv1.GetJobRequest{Id: r.PathValue("id")})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	job := got.GetJob()
	v := s.view(r, command(job.GetCommand()))
	data := jobData{
		Job: job, State: present.JobState(job.GetState()), Ended: final(job.GetState()), Key: uuid.NewString(),
		Facts: jobFacts(job), Env: environment(job), Picture: s.JobPicture != nil && s.WorkerPicture != nil,
	}
	data.Changes, data.Bars = history(job, s.now())
	if v.May.Workers && job.GetWorkerId() != "" {
		if worker, err := s.Calls.GetWorker(ctx, &switchyardv1.GetWorkerRequest{Id: job.GetWorkerId()}); err == nil {
			data.Runner = worker.GetWorker() // else it has expired
		}
	}
	if r.URL.Query().Get("part") == "" {
		line, _ := strconv.Atoi(r.URL.Query().Get("line"))
		if data.logData, err = s.log(ctx, job, line); err != nil {
			return err
		}
	}
	v.Data = data
	s.show(w, "job", v)
	return nil
}

func final(state switchyardv1.JobState) bool {
	switch state {
	case switchyardv1.JobState_JOB_STATE_FINISHED, switchyardv1.JobState_JOB_STATE_CANCELED, switchyardv1.JobState_JOB_STATE_LOST:
		return true
	default:
		return false
	}
}

// jobFacts returns what is known of a job, without what is empty.
func jobFacts(job *switchyardv1.Job) []fact {
	facts := []fact{
		{"Result", result(job), ""},
		{"Queue", job.GetQueue(), "/queue?name=" + url.QueryEscape(job.GetQueue())},
		{"Tags", strings.Join(job.GetTags(), ", "), ""},
		{"Worker", job.GetWorkerName(), "/workers/" + job.GetWorkerId()},
		{"Submitted", at(job.GetSubmittedAt()), ""},
		{"Started", at(job.GetStartedAt()), ""},
		{"Ended", at(job.GetFinishedAt()), ""},
		{"Ran for", strings.Trim(ran(job), "–"), ""},
	}
	if usage := job.GetUsage(); usage != nil {
		memory := "" // not known
		if peak := usage.GetPeakMemory(); peak > 0 {
			memory = logview.Size(peak)
		}
		if limit := usage.GetMemoryLimitExceeded(); limit > 0 {
			memory += ", killed at the limit of " + logview.Size(limit)
		}
		facts = append(facts, fact{"CPU", usage.GetCpu().AsDuration().Round(time.Millisecond).String(), ""}, fact{"Peak memory", memory, ""})
	}
	if n := job.GetPriority(); n != 0 {
		facts = append(facts, fact{"Priority", strconv.Itoa(int(n)), ""})
	}
	if job.GetTimeout() != nil {
		facts = append(facts, fact{"Timeout", job.GetTimeout().AsDuration().String(), ""})
	}
	facts = append(facts, fact{"Limits", limits(job.GetLimits()), ""})
	if job.GetRetries() > 0 {
		facts = append(facts, fact{"Retry", fmt.Sprintf("%d of %d", job.GetRetryCount(), job.GetRetries()), ""})
	}
	facts = append(facts,
		fact{"Retry of", job.GetRetryOf(), jobAddress(job.GetRetryOf())},
		fact{"Retried by", job.GetRetriedBy(), jobAddress(job.GetRetriedBy())},
		fact{"Key", job.GetIdempotencyKey(), ""},
		fact{"ID", job.GetId(), ""},
	)
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// result returns how a job ended, in words.
func result(job *switchyardv1.Job) string {
	if job.GetOutcome() == switchyardv1.JobOutcome_JOB_OUTCOME_UNSPECIFIED {
		return ""
	}
	parts := []string{present.JobOutcome(job.GetOutcome())}
	if signal := job.GetSignal(); signal != "" {
		parts = append(parts, "signal "+signal)
	}
	if status := job.GetExitStatus(); status != "" && status != "-1" {
		parts = append(parts, "exit status "+status)
	}
	if reason := job.GetSignalReason(); reason != "" {
		parts = append(parts, reason)
	}
	if late := job.GetLateResult(); late != nil {
		parts = append(parts, "known too late: "+wire.Ending(late.GetExitStatus(), late.GetSignal(), late.GetSignalReason()))
	}
	return strings.Join(parts, ", ")
}

func limits(l *switchyardv1.Limits) string {
	var parts []string
	if n := l.GetMemory(); n > 0 {
		parts = append(parts, "memory "+logview.Size(n))
	}
	if n := l.GetCpus(); n > 0 {
		parts = append(parts, strconv.FormatFloat(n, 'g', -1, 64)+" CPUs")
	}
	if n := l.GetPids(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d processes", n))
	}
	return strings.Join(parts, ", ")
}

func at(moment *timestamppb.Timestamp) string {
	if moment == nil {
		return ""
	}
	return utc(moment)
}

func environment(job *switchyardv1.Job) (env []fact) {
	for _, name := range slices.Sorted(maps.Keys(job.GetEnv())) {
		env = append(env, fact{Name: name, Value: job.GetEnv()[name]})
	}
	return env
}

// history returns the changes of a job, and a chart of how long each state lasted.
func history(job *switchyardv1.Job, now time.Time) (changes []change, bars []bar) {
	entries := job.GetHistory()
	var spans []float64 // how long each bar lasted
	for i, entry := range entries {
		if i == int(job.GetHistoryHead()) && job.GetHistoryDropped() > 0 {
			left := fmt.Sprintf("%d changes are left out", job.GetHistoryDropped())
			changes = append(changes, change{Class: classEnded, State: "…", Event: left})
		}
		began := entry.GetAt().AsTime()
		until, open := now, !final(entry.GetTo())
		if i+1 < len(entries) {
			until, open = entries[i+1].GetAt().AsTime(), true
		}
		c := change{
			Class: stateClass(entry.GetTo()), State: present.JobState(entry.GetTo()), Event: present.EventWords(entry.GetEvent()),
			Worker: entry.GetWorkerName(), At: moment(entry.GetAt()), Clock: began.Format("15:04:05.000"), Why: entry.GetReason(),
		}
		if i == len(entries)-1 {
			c.Class = jobClass(job)
		}
		if lasted := max(0, until.Sub(began)); open {
			c.Lasted = wait(lasted)
			bars, spans = append(bars, bar{Class: c.Class, Tip: c.State + " for " + c.Lasted}), append(spans, float64(lasted))
		}
		changes = append(changes, c)
	}
	return changes, scale(bars, spans)
}

// scale sets the places of bars by how long each lasted. None is narrower than one can see.
func scale(bars []bar, spans []float64) []bar {
	total := 0.0
	for _, span := range spans {
		total += span
	}
	free, x := lifeWidth-minWidth*float64(len(bars)), 0.0
	if total <= 0 || free <= 0 {
		return nil
	}
	for i := range bars {
		width := minWidth + free*spans[i]/total
		bars[i].X, bars[i].Width = coordinate(x), coordinate(width)
		x += width
	}
	return bars
}
