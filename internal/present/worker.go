package present

import (
	"io"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Workers writes a table of workers. now is the time for the column SEEN.
func Workers(w io.Writer, workers []*switchyardv1.Worker, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(workers)), []string{"ID", "NAME", "STATE", "QUEUE", "BY", "JOB", "SEEN", "NOTE"})
	for _, worker := range workers {
		rows = append(rows, []string{
			worker.GetId(), cell(worker.GetName()), WorkerSummary(worker), cell(worker.GetQueue()), via(worker),
			cell(worker.GetJobId()), age(now, worker.GetLastSeenAt()), cell(worker.GetPauseReason()),
		})
	}
	return table(w, rows)
}

// WorkerSummary returns the state of a worker, and whether it is paused or
// stopping.
func WorkerSummary(worker *switchyardv1.Worker) string {
	summary := WorkerState(worker.GetState())
	if worker.GetPaused() {
		summary += ",paused"
	}
	if worker.GetStopping() && worker.GetState() == switchyardv1.WorkerState_WORKER_STATE_CONNECTED {
		summary += ",stopping"
	}
	return summary
}

// via returns how a connected worker gets its jobs.
func via(worker *switchyardv1.Worker) string {
	switch {
	case worker.GetState() != switchyardv1.WorkerState_WORKER_STATE_CONNECTED:
		return none
	case worker.GetStreaming():
		return "stream"
	default:
		return "poll"
	}
}
