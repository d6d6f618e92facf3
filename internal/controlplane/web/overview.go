package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/recent"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// shownQueues and latestJobs are how many the overview shows.
	shownQueues, latestJobs = 200, 12
	// sparkHeight and sparkStep are the measures of the chart of the last hour.
	sparkHeight, sparkStep = 32, 4
)

// overviewData is what the overview shows.
type overviewData struct {
	Problems                                     []trouble
	Queues                                       []*switchyardv1.Queue
	MoreQueues                                   int64
	Running, Queued, Idle, Workers, Failed, Peak int
	Hour                                         recent.Hour
	Bars                                         []bar
	Jobs                                         []*switchyardv1.Job
	NoJobs                                       string // why the jobs are not known
}

// bar is a rectangle of a chart.
type bar struct {
	Class, Tip          string
	X, Y, Width, Height string
}

// overview shows what is going on, and what is wrong.
func (s *site) overview(w http.ResponseWriter, r *http.Request) error {
	v := s.view(r, "Overview")
	if !v.May.ListJobs {
		http.Redirect(w, r, "/jobs/new", http.StatusSeeOther)
		return nil
	}
	queues, err := s.Calls.ListQueues(r.Context(), &switchyardv1.ListQueuesRequest{PageSize: shownQueues})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	jobs, err := s.Calls.ListJobs(r.Context(), &switchyardv1.ListJobsRequest{PageSize: latestJobs})
	if err != nil && connect.CodeOf(err) != connect.CodeUnavailable {
		return err //nolint:wrapcheck // as above
	}
	data := overviewData{
		Queues: queues.GetQueues(), MoreQueues: queues.GetTotal() - int64(len(queues.GetQueues())),
		Jobs: jobs.GetJobs(), Hour: s.Hour(),
	}
	if err != nil { // the rest is known without the store, and the page says what is wrong
		_, data.NoJobs, _ = explained(err)
	}
	for _, queue := range data.Queues {
		data.Running += int(queue.GetRunning() + queue.GetStarting())
		data.Queued += int(queue.GetQueued())
		workers := queue.GetWorkers()
		data.Idle += int(workers.GetIdle())
		data.Workers += int(workers.GetIdle() + workers.GetBusy() + workers.GetPaused() + workers.GetSilent() + workers.GetDraining())
	}
	data.Failed = data.Hour.Ended - data.Hour.Succeeded
	data.Bars, data.Peak = spark(&data.Hour)
	data.Problems = s.troubles(r.Context(), data.Queues)
	v.Live, v.Data = livePath, data
	s.show(w, "overview", v)
	return nil
}

// spark returns the chart of the jobs that ended in each minute, and the most in one.
func spark(hour *recent.Hour) (bars []bar, peak int) {
	for i := range hour.Minutes {
		peak = max(peak, hour.Minutes[i].Ended)
	}
	for i := range hour.Minutes {
		minute := &hour.Minutes[i]
		if minute.Ended == 0 {
			continue
		}
		ago := time.Duration(len(hour.Minutes)-1-i) * time.Minute
		tip := fmt.Sprintf("%s ago: %d ended, %d succeeded", cmp.Or(span(ago), "now"), minute.Ended, minute.Succeeded)
		over := float64(minute.Succeeded) * sparkHeight / float64(peak)
		under := float64(minute.Ended-minute.Succeeded) * sparkHeight / float64(peak)
		place := func(class string, y, height float64) {
			if height > 0 {
				bars = append(bars, bar{
					Class: class, Tip: tip, X: coordinate(float64(sparkStep * i)), Y: coordinate(y), Height: coordinate(max(1, height)),
				})
			}
		}
		place(classGood, sparkHeight-over, over)
		place(classFailed, sparkHeight-over-under, under)
	}
	return bars, peak
}

func coordinate(f float64) string { return fmt.Sprintf("%.1f", f) }

// jobsOf returns the address of the queued jobs of a queue.
func jobsOf(queue string) string { return "/jobs?state=queued&queue=" + url.QueryEscape(queue) }
