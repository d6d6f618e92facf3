package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// waitsLong is how long a job may wait in a queue before the overview says so.
const waitsLong = time.Minute

// trouble is something that is wrong now, in words.
type trouble struct {
	// Class is "failed" for what needs someone now, and "waits" for what someone should know.
	Class     string
	What, Why string
	Href      string
}

// troubles returns what is wrong now, the worst first.
func (s *site) troubles(ctx context.Context, queues []*switchyardv1.Queue) (list []trouble) {
	if err := s.Ready(ctx); err != nil {
		t := trouble{Class: classFailed, What: "The store cannot be used.", Why: punctuated(store.ErrUnavailable.Error())}
		switch limit, ok := errors.AsType[*store.LimitError](err); { // other details may name files
		case ok:
			t.What, t.Why = "No new job is accepted.", punctuated(limit.Error())
		case errors.Is(err, store.ErrFull):
			t.Why = punctuated(store.ErrFull.Error())
		}
		list = append(list, t)
	}
	if stats := s.Stats(); stats.Failing+stats.Postponed > 0 {
		list = append(list, trouble{
			Class: classFailed, What: "Changes could not be stored.",
			Why: fmt.Sprintf("%d jobs and workers have a change that is tried again, %d jobs wait for it.", stats.Failing, stats.Postponed),
		})
	}
	for _, queue := range queues {
		list = append(list, silent(queue)...)
	}
	for _, queue := range queues {
		list = append(list, held(queue)...)
	}
	return list
}

// silent returns what is wrong with the workers of a queue.
func silent(queue *switchyardv1.Queue) (list []trouble) {
	at := "/workers?state=all&queue=" + url.QueryEscape(queue.GetName())
	if n := queue.GetWorkers().GetLost(); n > 0 {
		list = append(list, trouble{
			classFailed, fmt.Sprintf("Queue %s: %s lost.", queue.GetName(), workers(n)), "Nothing was received for the time of the lease.", at,
		})
	}
	if n := queue.GetWorkers().GetSilent(); n > 0 {
		list = append(list, trouble{
			classFailed, fmt.Sprintf("Queue %s: %s not responding.", queue.GetName(), workers(n)),
			"Nothing is received, or an offer was not accepted.", at,
		})
	}
	return list
}

// held returns why the jobs of a queue wait, if someone should know.
func held(queue *switchyardv1.Queue) []trouble {
	name, at := queue.GetName(), "/queue?name="+url.QueryEscape(queue.GetName())
	if queue.GetPaused() {
		why := fmt.Sprintf("By %s: %s", queue.GetPausedBy(), queue.GetPauseReason())
		if n := queue.GetQueued(); n > 0 {
			why += fmt.Sprintf(" (%d queued)", n)
		}
		return []trouble{{classWaits, fmt.Sprintf("Queue %s is paused.", name), why, at}}
	}
	if oldest := queue.GetOldestQueuedAt(); oldest != nil && time.Since(oldest.AsTime()) >= waitsLong {
		return []trouble{{
			classWaits, fmt.Sprintf("Queue %s: %s, the oldest for %s.", name, waitingJobs(queue.GetQueued()), age(oldest)),
			punctuated(queue.GetWaitingReason()), jobsOf(name),
		}}
	}
	return nil
}

func workers(n int32) string {
	if n == 1 {
		return "1 worker is"
	}
	return fmt.Sprintf("%d workers are", n)
}

func waitingJobs(n int32) string {
	if n == 1 {
		return "1 job waits"
	}
	return number(n) + " jobs wait"
}
