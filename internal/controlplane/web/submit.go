package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// submitData is what the form to submit a job shows.
type submitData struct {
	Problem, Key string
	Form         url.Values
}

// submitForm shows the form to submit a job. Its key makes it safe to send twice.
func (s *site) submitForm(w http.ResponseWriter, r *http.Request) error {
	v := s.view(r, "Submit a job")
	v.Data = submitData{Key: uuid.NewString(), Form: url.Values{queueField: {r.URL.Query().Get(queueField)}}}
	s.show(w, "submit", v)
	return nil
}

// submit submits a job, or shows the form again with what is wrong in it.
func (s *site) submit(w http.ResponseWriter, r *http.Request) error {
	req, err := submission(r.PostForm)
	if err == nil {
		var submitted *switchyardv1.SubmitJobResponse
		if submitted, err = s.Calls.SubmitJob(r.Context(), req); err == nil {
			to := jobAddress(submitted.GetJob().GetId()) + "?done=submitted"
			http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // an ID of ours, escaped
			return nil
		}
	}
	status, text, ok := explained(err)
	if !ok || status == http.StatusForbidden {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	v := s.view(r, "Submit a job")
	v.Data = submitData{text, r.PostForm.Get("key"), r.PostForm}
	s.pages.render(w, http.StatusBadRequest, "submit", v, s.Logger)
	return nil
}

// submission returns the request of a form. The API checks its bounds.
func submission(form url.Values) (*switchyardv1.SubmitJobRequest, error) {
	bad := func(text string) error { return &problem{http.StatusBadRequest, text} }
	text := strings.TrimSpace(strings.ReplaceAll(form.Get("command"), "\r\n", "\n"))
	if text == "" {
		return nil, bad("The command is missing.")
	}
	req := &switchyardv1.SubmitJobRequest{
		Command: []string{"sh", "-c", text}, Queue: strings.TrimSpace(form.Get(queueField)), Env: map[string]string{},
		IdempotencyKey: keyOf(form),
	}
	for name, target := range map[string]*int32{"priority": &req.Priority, "retries": &req.Retries} {
		if text := strings.TrimSpace(form.Get(name)); text != "" {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return nil, bad("The " + name + " must be a whole number.")
			}
			*target = int32(n)
		}
	}
	if text := strings.TrimSpace(form.Get("timeout")); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil {
			return nil, bad("The timeout must be a duration such as 90s or 30m.")
		}
		req.Timeout = durationpb.New(timeout)
	}
	for tag := range strings.SplitSeq(form.Get("tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			req.Tags = append(req.Tags, tag)
		}
	}
	for line := range strings.Lines(strings.ReplaceAll(form.Get("env"), "\r\n", "\n")) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, bad("Each line of the environment must be NAME=VALUE.")
		}
		req.Env[strings.TrimSpace(name)] = value
	}
	return req, nil
}

// keyOf returns the idempotency key of a form.
func keyOf(form url.Values) string {
	if key := form.Get("key"); uuid.Validate(key) == nil {
		return "web-" + key
	}
	return ""
}

// jobAddress returns the address of a job.
func jobAddress(id string) string { return "/jobs/" + url.PathEscape(id) }

// openJob goes to the job with an ID, for those who may not list jobs.
func (s *site) openJob(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, jobAddress(strings.TrimSpace(r.URL.Query().Get("id"))), http.StatusSeeOther) //nolint:gosec // escaped, below /jobs/
	return nil
}

// cancel requests the cancellation of a job.
func (s *site) cancel(w http.ResponseWriter, r *http.Request) error {
	canceled, err := s.Calls.CancelJob(r.Context(), &switchyardv1.CancelJobRequest{Id: r.PathValue("id"), Reason: r.PostForm.Get("reason")})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	http.Redirect(w, r, jobAddress(canceled.GetJob().GetId())+"?done="+word(canceled.GetUnchanged(), "canceled"), http.StatusSeeOther)
	return nil
}

// rerun submits a job that has ended again.
func (s *site) rerun(w http.ResponseWriter, r *http.Request) error {
	again, err := s.Calls.RerunJob(r.Context(), &switchyardv1.RerunJobRequest{Id: r.PathValue("id"), IdempotencyKey: keyOf(r.PostForm)})
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	http.Redirect(w, r, jobAddress(again.GetJob().GetId())+"?done=rerun", http.StatusSeeOther)
	return nil
}

// word returns the word for what was done, or for nothing.
func word(unchanged bool, did string) string {
	if unchanged {
		return "unchanged"
	}
	return did
}
