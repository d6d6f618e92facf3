package worldtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// TestBrokenPromisesAreFound breaks one promise in each trial, and requires that the
// checks of a world name it. The same steps keep every promise without the break.
func TestBrokenPromisesAreFound(t *testing.T) {
	const usual = "submit 3s 7 0 0,wait 1m"
	// The first machine is the one without a GPU.
	const tagged = "submit 3s 0 0 0 gpu=*,submit 3s 0 0 0 gpu=*,submit 3s 0 0 0 gpu=*,wait 1m"
	// The first worker cannot start its job in time, so that a second one accepts it.
	const late = "fault start hang,submit 40s 0 0 0,wait 75s,fault start ok,wait 2m"
	for name, trial := range map[string]struct {
		steps string
		broke func(*world)
		want  string
	}{
		"two workers start one job":    {late, breaking(startAlways), "was started on"},
		"tags are not stored":          {tagged, breaking(dropTags), "was started on m0, which has"},
		"a submission is not stored":   {usual, breaking(answerWithOtherID), "was acknowledged and is forgotten"},
		"a result is not stored":       {usual, breaking(dropResult), "what is recorded is"},
		"a job is changed by hand":     {usual, meddling(func(job *record.Job) { job.State = wire.StateQueued }), "the history has gained 0"},
		"a change without an event":    {usual, meddling(inventChange), "no event of the table leads there"},
		"a token is added by hand":     {usual, meddling(func(job *record.Job) { job.Tokens = []string{"x", "y"} }), "the history has gained 0"},
		"a command is changed by hand": {usual, meddling(func(job *record.Job) { job.Command = []string{"false"} }), "a change of what was submitted"},
		"a worker is changed by hand":  {usual, reviving, "no event of the table leads there"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plot{replicas: 1, modes: []fsm.Mode{fsm.Auto, fsm.Auto}, steps: strings.Split(trial.steps, ",")}
			var whole, broken error
			inBubble(t, func(t *testing.T) { whole = p.play(t, nil) })
			if whole != nil {
				t.Fatalf("without the break: %v", whole)
			}
			inBubble(t, func(t *testing.T) { broken = p.play(t, trial.broke) })
			if broken == nil || !strings.Contains(broken.Error(), trial.want) {
				t.Errorf("the checks say %v, want %q", broken, trial.want)
			}
		})
	}
}

// breaking lets a function handle requests in place of the control plane.
func breaking(handle func(w http.ResponseWriter, r *http.Request, next http.Handler) bool) func(*world) {
	return func(w *world) { w.faults.breakWith(handle) }
}

// startAlways grants every start, whatever the control plane says.
func startAlways(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	if routeOf(r.URL.Path) != wire.PathStart {
		return false
	}
	next.ServeHTTP(discarded{http.Header{}}, r)
	_, _ = io.WriteString(w, "{}")
	return true
}

// dropResult acknowledges results and stores none.
func dropResult(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if routeOf(r.URL.Path) != wire.PathFinish {
		return false
	}
	_, _ = io.WriteString(w, "{}")
	return true
}

// answerWithOtherID acknowledges submissions with the ID of no job.
func answerWithOtherID(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	if routeOf(r.URL.Path) != "SubmitJob" {
		return false
	}
	r.Header.Del("Accept-Encoding")
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	var response switchyardv1.SubmitJobResponse
	if err := proto.Unmarshal(recorded.Body.Bytes(), &response); err != nil {
		panic(err)
	}
	response.GetJob().Id = strings.Repeat("0", len(response.GetJob().GetId()))
	body, err := proto.Marshal(&response)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
	_, _ = w.Write(body)
	return true
}

// meddleAfter is when somebody changes the store by hand: the usual job has ended.
const meddleAfter = 20 * time.Second

// meddling changes the record of a job by hand.
func meddling(edit func(*record.Job)) func(*world) {
	return withStore(func(ctx context.Context, w *world, st *store.Store) error {
		var id string
		for id = range w.storedJobs() {
			break
		}
		job, err := st.Job(ctx, id)
		if err != nil {
			return err
		}
		edit(&job)
		_, err = st.PutJob(ctx, job)
		return err
	})
}

// inventChange adds a change to the history that did not happen.
func inventChange(job *record.Job) {
	entry := job.History.Entries[0]
	entry.From, entry.To = job.State, wire.StateQueued
	job.State, job.History = wire.StateQueued, job.History.With(entry)
}

// reviving marks a worker as lost, without a state to which it returns.
func reviving(w *world) {
	withStore(func(ctx context.Context, w *world, st *store.Store) error {
		worker, err := st.Worker(ctx, w.agents[0].workerID())
		if err != nil {
			return err
		}
		worker.State = "lost"
		_, err = st.PutWorker(ctx, worker)
		return err
	})(w)
}

// withStore runs a function on a connection of its own to the store, once.
func withStore(change func(context.Context, *world, *store.Store) error) func(*world) {
	return func(w *world) {
		w.calls.Go(func() {
			pause(w.ctx, meddleAfter)
			st, err := store.Open(w.ctx, store.Options{Server: w.storage})
			if err == nil {
				err = change(w.ctx, w, st)
				st.Close()
			}
			if err != nil {
				w.failf("changing a record by hand: %v", err)
			}
		})
	}
}
