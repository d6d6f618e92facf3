package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// shownWorkers is how many workers a page shows, and workerJobs how many jobs the page
	// of one.
	shownWorkers, workerJobs = 200, 10
)

// workersData is what the list of workers shows.
type workersData struct {
	Groups       []workerGroup
	States       []option
	State, Queue string
	Total        int64
	Next         string
}

// workerGroup are the workers of a queue.
type workerGroup struct {
	Queue   string
	Workers []*switchyardv1.Worker
}

// Summary returns how many workers there are.
func (g workerGroup) Summary() string {
	busy := 0
	for _, worker := range g.Workers {
		if worker.GetJobId() != "" {
			busy++
		}
	}
	return fmt.Sprintf("%d shown, %d with a job", len(g.Workers), busy)
}

// workers shows the workers by queue.
func (s *site) workers(w http.ResponseWriter, r *http.Request) error {
	v, q := s.view(r, "Workers"), r.URL.Query()
	data := workersData{
		States: []option{{"", "connected"}, {allTime, "any"}, {"disconnected", "disconnected"}, {"lost", "lost"}},
		State:  q.Get("state"), Queue: strings.TrimSpace(q.Get(queueField)),
	}
	req := &switchyardv1.ListWorkersRequest{PageSize: shownWorkers, PageToken: q.Get("page"), Queue: data.Queue}
	switch data.State {
	case "":
	case allTime:
		req.States = []switchyardv1.WorkerState{
			switchyardv1.WorkerState_WORKER_STATE_CONNECTED, switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED,
			switchyardv1.WorkerState_WORKER_STATE_LOST,
		}
	default:
		state, err := present.ParseWorkerState(data.State)
		if err != nil {
			return refusedFilter("State", data.State, err)
		}
		req.States = []switchyardv1.WorkerState{state}
	}
	found, err := s.Calls.ListWorkers(r.Context(), req)
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	data.Groups, data.Total = groups(found.GetWorkers()), found.GetTotal()
	if next := found.GetNextPageToken(); next != "" {
		data.Next = "/workers?" + url.Values{"state": {data.State}, queueField: {data.Queue}, "page": {next}}.Encode()
	}
	v.Live, v.Data = livePath, data
	s.show(w, "workers", v)
	return nil
}

// groups returns workers by queue, both sorted by name.
func groups(workers []*switchyardv1.Worker) (list []workerGroup) {
	workers = slices.Clone(workers)
	slices.SortStableFunc(workers, func(a, b *switchyardv1.Worker) int {
		if order := strings.Compare(a.GetQueue(), b.GetQueue()); order != 0 {
			return order
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	for _, worker := range workers {
		if len(list) == 0 || list[len(list)-1].Queue != worker.GetQueue() {
			list = append(list, workerGroup{Queue: worker.GetQueue()})
		}
		group := &list[len(list)-1]
		group.Workers = append(group.Workers, worker)
	}
	return list
}

// workerData is what the page of a worker shows.
type workerData struct {
	Worker  *switchyardv1.Worker
	Facts   []fact
	Jobs    []*switchyardv1.Job
	Picture bool
	Here    bool // it is connected
}

// worker shows a worker.
func (s *site) worker(w http.ResponseWriter, r *http.Request) error {
	got, err := s.Calls.GetWorker(r.Context(), &switchyardv1.GetWorkerRequest{Id: r.PathValue("id")})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	worker := got.GetWorker()
	worker.RegistrationTokenName = s.Tokens.Name(worker.GetRegistrationTokenId())
	ran, err := s.Calls.ListJobs(r.Context(), &switchyardv1.ListJobsRequest{WorkerId: worker.GetId(), PageSize: workerJobs})
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	v := s.view(r, "Worker "+present.Safe(worker.GetName()))
	v.Live = livePath
	v.Data = workerData{
		Worker: worker, Facts: workerFacts(worker), Jobs: ran.GetJobs(), Picture: s.WorkerPicture != nil,
		Here: worker.GetState() == switchyardv1.WorkerState_WORKER_STATE_CONNECTED,
	}
	s.show(w, "worker", v)
	return nil
}

func workerFacts(w *switchyardv1.Worker) []fact {
	seen := ""
	if w.GetLastSeenAt() != nil {
		seen = age(w.GetLastSeenAt()) + " ago"
	}
	facts := []fact{
		{"Queue", w.GetQueue(), "/queue?name=" + url.QueryEscape(w.GetQueue())},
		{"Job", w.GetJobId(), jobAddress(w.GetJobId())},
		{"Jobs come by", strings.Trim(present.JobsBy(w), "-"), ""},
		{"Last received", seen, ""},
		{"Host", w.GetHostname(), ""},
		{"System", strings.Trim(w.GetOs()+"/"+w.GetArch(), "/"), ""},
		{"Version", w.GetVersion(), ""},
		{"Tags", strings.Join(w.GetTags(), ", "), ""},
		{"Registered", at(w.GetRegisteredAt()), ""},
		{"Registered with", present.RegisteredWith(w), ""},
		{"Paused since", at(w.GetPausedAt()), ""},
		{"ID", w.GetId(), ""},
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// pauseWorker, resumeWorker and stopWorker do what their buttons say.
func (s *site) pauseWorker(w http.ResponseWriter, r *http.Request) error {
	paused, err := s.Calls.PauseWorker(r.Context(), &switchyardv1.PauseWorkerRequest{Id: r.PathValue("id"), Reason: r.PostForm.Get("reason")})
	return s.controlled(w, r, paused.GetUnchanged(), "paused", err)
}

func (s *site) resumeWorker(w http.ResponseWriter, r *http.Request) error {
	resumed, err := s.Calls.ResumeWorker(r.Context(), &switchyardv1.ResumeWorkerRequest{Id: r.PathValue("id")})
	return s.controlled(w, r, resumed.GetUnchanged(), "resumed", err)
}

func (s *site) stopWorker(w http.ResponseWriter, r *http.Request) error {
	stopped, err := s.Calls.StopWorker(r.Context(), &switchyardv1.StopWorkerRequest{
		Id: r.PathValue("id"), Reason: r.PostForm.Get("reason"), Force: r.PostForm.Get("force") == "yes",
	})
	return s.controlled(w, r, stopped.GetUnchanged(), "stopped", err)
}

// controlled goes back to the page of the worker.
func (s *site) controlled(w http.ResponseWriter, r *http.Request, unchanged bool, did string, err error) error {
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/workers/"+url.PathEscape(r.PathValue("id"))+"?done="+word(unchanged, did), http.StatusSeeOther)
	return nil
}
