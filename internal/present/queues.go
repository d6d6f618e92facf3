package present

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Queues writes a table of queues. now is the time for the column OLDEST.
func Queues(w io.Writer, queues []*switchyardv1.Queue, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(queues)),
		[]string{"NAME", stateColumn, "QUEUED", "OLDEST", "RUNNING", "IDLE", "BUSY", "PAUSED", "SILENT", "LOST", "NOTE"})
	number := func(n int32) string { return strconv.Itoa(int(n)) }
	for _, queue := range queues {
		workers := queue.GetWorkers()
		rows = append(rows, []string{
			cell(queue.GetName()), queueState(queue), number(queue.GetQueued()), age(now, queue.GetOldestQueuedAt()),
			number(queue.GetStarting() + queue.GetRunning()), number(workers.GetIdle()), number(workers.GetBusy()),
			number(workers.GetPaused()), number(workers.GetSilent()), number(workers.GetLost()),
			cell(cmp.Or(queue.GetPauseReason(), queue.GetWaitingReason())),
		})
	}
	return table(w, rows)
}

// Queue writes every field of a queue that is not empty. now is the time for the age of
// its oldest job.
func Queue(w io.Writer, queue *switchyardv1.Queue, now time.Time) error {
	paused, oldest := "", ""
	if queue.GetPaused() {
		paused = fmt.Sprintf("by %s since %s: %s", Safe(queue.GetPausedBy()), moment(queue.GetPausedAt()), Safe(queue.GetPauseReason()))
	}
	if queue.GetQueued() > 0 {
		oldest = ", the oldest for " + age(now, queue.GetOldestQueuedAt())
	}
	fields := [][]string{
		{"name", Safe(queue.GetName())},
		{"state", queueState(queue)},
		{"paused", paused},
		{"queued", Count(int64(queue.GetQueued())) + oldest},
		{"waits", Safe(queue.GetWaitingReason())},
		{"starting", nonZero(int64(queue.GetStarting()))},
		{"running", Count(int64(queue.GetRunning()))},
		{"workers", queueWorkers(queue.GetWorkers())},
	}
	return table(w, slices.DeleteFunc(fields, func(field []string) bool { return field[1] == "" }))
}

// QueueSummary returns the state of a queue, and what is in it, in one line.
func QueueSummary(queue *switchyardv1.Queue) string {
	return fmt.Sprintf("%s: %s queued, %s running, workers: %s", queueState(queue),
		Count(int64(queue.GetQueued())), Count(int64(queue.GetStarting()+queue.GetRunning())), queueWorkers(queue.GetWorkers()))
}

func queueState(queue *switchyardv1.Queue) string {
	if queue.GetPaused() {
		return "paused"
	}
	return "active"
}

// queueWorkers returns the numbers that are not zero, and how many have a stream.
func queueWorkers(workers *switchyardv1.QueueWorkers) string {
	var parts []string
	total := int32(0)
	for _, part := range []struct {
		n    int32
		what string
	}{
		{workers.GetIdle(), "idle"},
		{workers.GetBusy(), "busy"},
		{workers.GetPaused(), "paused"},
		{workers.GetSilent(), "silent"},
		{workers.GetDraining(), "draining"},
		{workers.GetLost(), "lost"},
	} {
		if total += part.n; part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if total == 0 {
		return "none"
	}
	return fmt.Sprintf("%s; %d with a stream", strings.Join(parts, ", "), workers.GetStreaming())
}
