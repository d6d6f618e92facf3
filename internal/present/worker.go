package present

import (
	"io"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Workers writes a table of workers, as they stand now.
func Workers(w io.Writer, workers []*switchyardv1.Worker, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(workers)), []string{"ID", "NAME", "STATE", "QUEUE", "BY", "JOB", "SEEN", "NOTE"})
	for _, worker := range workers {
		rows = append(rows, []string{
			worker.GetId(), cell(worker.GetName()), WorkerStanding(worker), cell(worker.GetQueue()), via(worker),
			cell(worker.GetJobId()), age(now, worker.GetLastSeenAt()), cell(worker.GetPauseReason()),
		})
	}
	return table(w, rows)
}

// WorkerStanding is where a worker stands: its state, and whether it is paused or
// on its way out.
func WorkerStanding(worker *switchyardv1.Worker) string {
	standing := WorkerState(worker.GetState())
	if worker.GetPaused() {
		standing += ",paused"
	}
	if worker.GetStopping() && worker.GetState() == switchyardv1.WorkerState_WORKER_STATE_CONNECTED {
		standing += ",stopping"
	}
	return standing
}

// via is how a connected worker is reached.
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
