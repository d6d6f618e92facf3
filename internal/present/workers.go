package present

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Workers writes a table of workers. now is the time for the columns MACHINE and SEEN.
func Workers(w io.Writer, workers []*switchyardv1.Worker, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(workers)), []string{"ID", "NAME", stateColumn, "QUEUE", "BY", "MACHINE", "JOB", "SEEN", "NOTE"})
	for _, worker := range workers {
		rows = append(rows, []string{
			worker.GetId(), cell(worker.GetName()), WorkerSummary(worker), cell(worker.GetQueue()), JobsBy(worker),
			machine(worker, now), cell(worker.GetJobId()), age(now, worker.GetLastSeenAt()), cell(WorkerNote(worker, now)),
		})
	}
	return table(w, rows)
}

// Worker writes every field of a worker that is not empty. now is the time from which
// ages are counted.
func Worker(w io.Writer, worker *switchyardv1.Worker, now time.Time) error {
	by := JobsBy(worker)
	if by == none {
		by = ""
	}
	reported := ""
	if at := worker.GetMachineReportedAt(); at != nil {
		reported = fmt.Sprintf("%s since %s (%s), reported %s ago",
			Safe(worker.GetMachineState()), moment(worker.GetMachineSince()), age(now, worker.GetMachineSince()), age(now, at))
	}
	seen := ""
	if at := worker.GetLastSeenAt(); at != nil {
		seen = fmt.Sprintf("%s (%s ago)", moment(at), age(now, at))
	}
	fields := [][]string{
		{"id", worker.GetId()},
		{"name", Safe(worker.GetName())},
		{"state", WorkerSummary(worker)},
		{"machine", reported},
		{"jobs come by", by},
		{"job", worker.GetJobId()},
		{"queue", Safe(worker.GetQueue())},
		{"tags", Safe(strings.Join(worker.GetTags(), ", "))},
		{"last received", seen},
		{"note", Safe(WorkerNote(worker, now))},
		{"paused since", moment(worker.GetPausedAt())},
		{"host", Safe(worker.GetHostname())},
		{"system", Safe(strings.Trim(worker.GetOs()+"/"+worker.GetArch(), "/"))},
		{"version", Safe(worker.GetVersion())},
		{"registered", moment(worker.GetRegisteredAt())},
		{"registered with", Safe(RegisteredWith(worker))},
	}
	fields = slices.DeleteFunc(fields, func(field []string) bool { return field[1] == "" })
	return table(w, append(fields, machineChanges(worker.GetMachineChanges(), now)...))
}

// RegisteredWith returns the name of the token with which a worker registered, or its ID if
// the name is not known.
func RegisteredWith(worker *switchyardv1.Worker) string {
	return cmp.Or(worker.GetRegistrationTokenName(), worker.GetRegistrationTokenId())
}

// MachineChangesNote describes which changes of a worker's machine a control plane knows.
const MachineChangesNote = "A state that was left before the worker's next report is not among them; " +
	"switchyard agent status on its host has every one."

// machineChanges returns the rows of the last changes of a worker's machine.
func machineChanges(changes []*switchyardv1.MachineChange, now time.Time) (rows [][]string) {
	for _, c := range changes {
		from := cmp.Or(Safe(c.GetFrom()), "(not reported)")
		text := fmt.Sprintf("%s (%s ago) %s -> %s", moment(c.GetAt()), age(now, c.GetAt()), from, Safe(c.GetTo()))
		if cause := c.GetCause(); cause != "" {
			text += ": " + Safe(cause)
		}
		rows = append(rows, []string{"", text})
	}
	if rows != nil {
		rows[0][0] = "last changes"
		rows = append(rows, []string{"", MachineChangesNote})
	}
	return rows
}

// JobsBy returns how a connected worker gets its jobs. What the agent reports comes before
// the stream that the control plane has: a proxy can keep that open after the agent has
// given it up.
func JobsBy(worker *switchyardv1.Worker) string {
	switch {
	case worker.GetState() != switchyardv1.WorkerState_WORKER_STATE_CONNECTED:
		return none
	case worker.GetMachineControl() != "":
		return cell(worker.GetMachineControl())
	case worker.GetStreaming():
		return "stream"
	default:
		return "poll"
	}
}

// machine returns the state of a worker's machine and how long it has been in it.
func machine(worker *switchyardv1.Worker, now time.Time) string {
	if worker.GetMachineState() == "" || worker.GetState() != switchyardv1.WorkerState_WORKER_STATE_CONNECTED {
		return none
	}
	return Safe(worker.GetMachineState()) + "," + age(now, worker.GetMachineSince())
}

// WorkerNote returns what an operator has to know about a worker, or "".
func WorkerNote(worker *switchyardv1.Worker, now time.Time) string {
	var notes []string
	if worker.GetUnheard() {
		notes = append(notes, "nothing received for "+age(now, worker.GetLastSeenAt()))
	}
	if worker.GetPaused() {
		by := "paused by " + cmp.Or(worker.GetPausedBy(), "an operator")
		if reason := worker.GetPauseReason(); reason != "" {
			by += ": " + reason
		}
		notes = append(notes, by)
	}
	if reason := worker.GetStopReason(); reason != "" {
		notes = append(notes, reason)
	}
	return strings.Join(notes, "; ")
}
