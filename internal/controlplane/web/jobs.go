package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// pageSize is how many jobs a page shows.
	pageSize = 50
	// searchPage and maxSearched bound the jobs that are read for one page of a search.
	searchPage, maxSearched = 250, 1000
	// maxText bounds the text of a search, in bytes.
	maxText = 200
)

// queueField is the name of a queue in addresses and forms.
const queueField = "queue"

// active is the choice of all states that are not final.
const active = "active"

// jobFilter are the filters in the address of the list of jobs.
type jobFilter struct{ State, Outcome, Queue, Since, Text, Worker, Page string }

// Any reports whether a filter is set.
func (f jobFilter) Any() bool { f.Page = ""; return f != jobFilter{} }

func filterOf(q url.Values) jobFilter {
	return jobFilter{
		State: q.Get("state"), Outcome: q.Get("outcome"), Queue: strings.TrimSpace(q.Get(queueField)), Since: q.Get("since"),
		Text: strings.TrimSpace(q.Get("text")), Worker: q.Get("worker"), Page: q.Get("page"),
	}
}

// address returns the address of a page of the filtered list.
func (f jobFilter) address(page string) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"state": f.State, "outcome": f.Outcome, queueField: f.Queue, "since": f.Since, "text": f.Text, "worker": f.Worker, "page": page,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/jobs"
	}
	return "/jobs?" + q.Encode()
}

// request returns the request for a page of the filtered list.
func (f jobFilter) request(now time.Time) (*switchyardv1.ListJobsRequest, error) {
	if len(f.Text) > maxText {
		return nil, &problem{http.StatusBadRequest, "The text to search for is too long."}
	}
	req := &switchyardv1.ListJobsRequest{PageSize: pageSize, PageToken: f.Page, Queue: f.Queue, WorkerId: f.Worker, Count: true}
	switch f.State {
	case "":
	case active:
		req.States = []switchyardv1.JobState{
			switchyardv1.JobState_JOB_STATE_QUEUED, switchyardv1.JobState_JOB_STATE_ASSIGNED,
			switchyardv1.JobState_JOB_STATE_ACCEPTED, switchyardv1.JobState_JOB_STATE_RUNNING,
		}
	default:
		state, err := present.ParseJobState(f.State)
		if err != nil {
			return nil, refusedFilter("State", f.State, err)
		}
		req.States = []switchyardv1.JobState{state}
	}
	if f.Outcome != "" {
		outcome, err := present.ParseJobOutcome(f.Outcome)
		if err != nil {
			return nil, refusedFilter("Outcome", f.Outcome, err)
		}
		req.Outcomes = []switchyardv1.JobOutcome{outcome}
	}
	since, err := sinceOf(f.Since, now)
	req.Since = since
	return req, err
}

// refusedFilter returns the problem of a filter in the address that has a wrong value.
func refusedFilter(name, value string, err error) *problem {
	return &problem{http.StatusBadRequest, punctuated(fmt.Sprintf("%s %q %v", name, value, err))}
}

// sinceOf returns the moment that is a duration ago; nil for an empty one.
func sinceOf(text string, now time.Time) (*timestamppb.Timestamp, error) {
	if text == "" || text == allTime {
		return nil, nil //nolint:nilnil // no bound
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return nil, &problem{http.StatusBadRequest, "The time since which to show must be a duration such as 15m."}
	}
	return timestamppb.New(now.Add(-ago)), nil
}

// allTime is the choice without a bound where there is one by default.
const allTime = "all"

func sinces() []option {
	return []option{{"", "any time"}, {"15m", "15 minutes"}, {"1h", "1 hour"}, {"24h", "1 day"}, {"168h", "7 days"}}
}

// jobsData is what the list of jobs shows.
type jobsData struct {
	Filter                   jobFilter
	States, Outcomes, Sinces []option
	Jobs                     []*switchyardv1.Job
	Total                    int64
	Searched                 int
	First, Next              string
}

// jobs shows a page of jobs.
func (s *site) jobs(w http.ResponseWriter, r *http.Request) error {
	v, filter := s.view(r, "Jobs"), filterOf(r.URL.Query())
	req, err := filter.request(s.now())
	if err != nil {
		return err
	}
	data := jobsData{Filter: filter, States: jobStates(), Outcomes: jobOutcomes(), Sinces: sinces()}
	var next string
	if filter.Text == "" {
		found, err := s.Calls.ListJobs(r.Context(), req)
		if err != nil {
			return err //nolint:wrapcheck // an error of the API has its words
		}
		data.Jobs, data.Total, next = found.GetJobs(), found.GetTotal(), found.GetNextPageToken()
	} else if data.Jobs, data.Searched, next, err = s.search(r.Context(), req, filter.Text); err != nil {
		return err
	}
	if filter.Page != "" {
		data.First = filter.address("")
	}
	if next != "" {
		data.Next = filter.address(next)
	}
	v.Live, v.Data = livePath, data
	s.show(w, "jobs", v)
	return nil
}

// search returns the jobs of a list whose command, worker or ID contains a text, in any
// case. It reads at most maxSearched jobs, and returns the token of the place where it
// ended.
func (s *site) search(ctx context.Context, req *switchyardv1.ListJobsRequest, text string) (
	found []*switchyardv1.Job, searched int, next string, err error,
) {
	text = strings.ToLower(text)
	req.PageSize, req.Count = searchPage, false
	for {
		page, err := s.Calls.ListJobs(ctx, req)
		if err != nil {
			return nil, 0, "", err //nolint:wrapcheck // an error of the API has its words
		}
		for _, job := range page.GetJobs() {
			if contains(job, text) {
				found = append(found, job)
			}
		}
		searched += len(page.GetJobs())
		next = page.GetNextPageToken()
		if next == "" || len(found) >= pageSize || searched >= maxSearched {
			return found, searched, next, nil
		}
		req.PageToken = next
	}
}

func contains(job *switchyardv1.Job, text string) bool {
	for _, part := range append(job.GetCommand(), job.GetWorkerName(), job.GetId(), job.GetIdempotencyKey()) {
		if strings.Contains(strings.ToLower(part), text) {
			return true
		}
	}
	return false
}

func jobStates() []option {
	return append([]option{{"", "any"}, {active, "not ended"}}, named(present.JobStates())...)
}

func jobOutcomes() []option { return append([]option{{"", "any"}}, named(present.JobOutcomes())...) }

// named returns a choice for each name.
func named(names []string) (list []option) {
	for _, name := range names {
		list = append(list, option{name, name})
	}
	return list
}
