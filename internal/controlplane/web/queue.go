package web

import (
	"net/http"
	"net/url"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// queueData is what the page of a queue shows.
type queueData struct {
	Queue   *switchyardv1.Queue
	Summary string
}

// queue shows a queue.
func (s *site) queue(w http.ResponseWriter, r *http.Request) error {
	got, err := s.Calls.GetQueue(r.Context(), &switchyardv1.GetQueueRequest{Name: r.URL.Query().Get("name")})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	v := s.view(r, "Queue "+present.Safe(got.GetQueue().GetName()))
	v.Live, v.Data = livePath, queueData{got.GetQueue(), punctuated(present.QueueSummary(got.GetQueue()))}
	s.show(w, "queue", v)
	return nil
}

func (s *site) pauseQueue(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	paused, err := s.Calls.PauseQueue(r.Context(), &switchyardv1.PauseQueueRequest{Name: name, Reason: r.PostForm.Get("reason")})
	return s.queueControlled(w, r, name, word(paused.GetUnchanged(), "paused"), err)
}

func (s *site) resumeQueue(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	resumed, err := s.Calls.ResumeQueue(r.Context(), &switchyardv1.ResumeQueueRequest{Name: name})
	return s.queueControlled(w, r, name, word(resumed.GetUnchanged(), "resumed"), err)
}

// queueControlled goes back to the page of the queue.
func (s *site) queueControlled(w http.ResponseWriter, r *http.Request, name, did string, err error) error {
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/queue?"+url.Values{"name": {name}, "done": {did}}.Encode(), http.StatusSeeOther)
	return nil
}
