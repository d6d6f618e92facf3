//go:build unix

package e2e_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/anishathalye/porcupine"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/cluster"
	"github.com/switchyard-ci/switchyard/internal/promises"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

const (
	// submitTimeout bounds one attempt to submit, and slowestRefusal how long the control
	// plane may take to report that it cannot store a job, on a busy machine.
	submitTimeout  = 10 * time.Second
	slowestRefusal = 6 * time.Second
	// maxSubmitting bounds the submissions that wait for an acknowledgement.
	maxSubmitting = 200
	// clusterPage is how many jobs are listed at a time.
	clusterPage = 500
)

// clusterRun is a cluster, its agents, and what its clients see.
type clusterRun struct {
	c      *cluster.Cluster
	admin  string // the token
	dir    string
	agents []*cluster.Process
	links  [3][]*link // of each replica to each NATS server
	doors  []switchyardv1connect.JobServiceClient

	began, submitted time.Time // when submissions began and ended
	unready          time.Duration

	mu           sync.Mutex
	history      []porcupine.Operation
	acked        map[string]string // the job of each key
	ackedAt      []time.Time
	errors       map[string]int
	slowestError time.Duration
	jobs         map[string]*switchyardv1.Job // as listed at the end
	open         int
	notes        []string
}

// newClusterRun starts the cluster and its agents.
func newClusterRun(ctx context.Context, t *testing.T, natsProgram string) *clusterRun {
	t.Helper()
	r := &clusterRun{dir: t.TempDir(), acked: map[string]string{}, errors: map[string]int{}}
	config := cluster.Config{
		Dir: r.dir, Program: programPath(), NATSProgram: natsProgram, RegistrationToken: rand.Text(), AdminToken: rand.Text(),
		Lead: func(replica int, servers []string) (led []string) {
			for _, address := range servers {
				l := newLink(t, address)
				r.links[replica] = append(r.links[replica], l)
				led = append(led, l.proxy.Listen)
			}
			return led
		},
	}
	r.admin = config.AdminToken
	var err error
	if r.c, err = cluster.New(ctx, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range slices.Concat(r.agents, r.c.Replicas, r.c.NATS) {
			p.Kill()
			if t.Failed() {
				t.Logf("the last output of %s:\n%s", p.Name, p.LogTail(3000))
			}
		}
		endLeftovers(r.dir, false)
	})
	if err := r.c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range clusterAgents {
		agent, err := r.c.NewAgent(fmt.Sprint("agent", i+1), clusterWorkers)
		if err == nil {
			err = agent.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		r.agents = append(r.agents, agent)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxSubmitting}}
	t.Cleanup(client.CloseIdleConnections)
	for i := range r.c.Replicas {
		r.doors = append(r.doors, switchyardv1connect.NewJobServiceClient(client, r.c.URL(i), connect.WithInterceptors(
			connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
				return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
					req.Header().Set("Authorization", "Bearer "+config.AdminToken)
					return next(ctx, req)
				}
			}),
		)))
	}
	return r
}

func (r *clusterRun) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf("%6.1f s  %s", time.Since(r.began).Seconds(), what))
}

// now is the clock of the history.
func (r *clusterRun) now() int64 { return int64(time.Since(r.began)) }

// submitAll submits the jobs evenly, each until it is acknowledged.
func (r *clusterRun) submitAll(ctx context.Context) {
	var submitting errgroup.Group
	submitting.SetLimit(maxSubmitting)
	for i := range *clusterJobs {
		if !pause(ctx, time.Until(r.began.Add(*clusterTime*time.Duration(i)/time.Duration(*clusterJobs)))) {
			break
		}
		submitting.Go(func() error {
			for attempt := 0; !r.submitOnce(ctx, i, attempt) && pause(ctx, 300*time.Millisecond); attempt++ {
			}
			return nil
		})
	}
	_ = submitting.Wait() // an error is not returned
}

// submitOnce makes one attempt, through the next replica, and reports whether the job is
// acknowledged.
func (r *clusterRun) submitOnce(ctx context.Context, i, attempt int) bool {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	key := fmt.Sprint("job-", i)
	call, began := r.now(), time.Now()
	res, err := r.doors[(i+attempt)%len(r.doors)].SubmitJob(ctx, &switchyardv1.SubmitJobRequest{
		Command:        []string{"sh", "-c", fmt.Sprintf(`echo "$BUILDKITE_JOB_ID" >> '%s'; sleep 0.3; exit %d`, r.runsFile(), i%exitCodes)},
		IdempotencyKey: key,
	})
	took := time.Since(began)
	op := porcupine.Operation{
		Input: promises.Request{Do: "submit", Key: key}, Call: call, Return: r.now(),
		Output: promises.Response{Outcome: promises.OK, ID: res.GetJob().GetId()},
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		op.Output = promises.Response{Outcome: promises.Unknown}
		r.history = append(r.history, op)
		r.errors[connect.CodeOf(err).String()]++
		if connect.CodeOf(err) == connect.CodeUnavailable {
			r.slowestError = max(r.slowestError, took)
		}
		return false
	}
	r.history = append(r.history, op)
	r.acked[key] = res.GetJob().GetId()
	r.ackedAt = append(r.ackedAt, time.Now())
	return true
}

func (r *clusterRun) runsFile() string { return filepath.Join(r.dir, "runs") }

// awaitAll waits until every job has ended, as each replica lists them, or none has ended
// for clusterCalm. It keeps the list of the last replica.
func (r *clusterRun) awaitAll(ctx context.Context) {
	for i := range r.doors {
		most, since := -1, time.Now() // jobs that have ended
		for {
			call, began := r.now(), time.Now()
			jobs, open, err := r.list(ctx, i)
			if err == nil {
				r.jobs, r.open = jobs, open
			}
			if err == nil && open == 0 && len(jobs) >= len(r.acked) {
				r.observe(jobs, call)
				break
			}
			if n := len(jobs) - open; n > most {
				most, since = n, time.Now()
			}
			if time.Since(since) > clusterCalm || !pause(ctx, max(500*time.Millisecond, 5*time.Since(began))) {
				return
			}
		}
	}
}

// list returns all jobs as one replica lists them, and how many have not ended.
func (r *clusterRun) list(ctx context.Context, replica int) (jobs map[string]*switchyardv1.Job, open int, err error) {
	jobs = map[string]*switchyardv1.Job{}
	for token := ""; ; {
		res, err := r.doors[replica].ListJobs(ctx, &switchyardv1.ListJobsRequest{PageSize: clusterPage, PageToken: token})
		if err != nil {
			return nil, 0, fmt.Errorf("listing the jobs: %w", err)
		}
		for _, job := range res.GetJobs() {
			jobs[job.GetId()] = job
			if !ended(job) {
				open++
			}
		}
		if token = res.GetNextPageToken(); token == "" {
			return jobs, open, nil
		}
	}
}

// observe adds what a list shows to the history.
func (r *clusterRun) observe(jobs map[string]*switchyardv1.Job, call int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, id := range r.acked {
		out := promises.Response{Outcome: promises.OK}
		if job := jobs[id]; job != nil {
			out.State, out.Result = "finished", job.GetExitStatus()
		}
		r.history = append(r.history, porcupine.Operation{
			Input: promises.Request{Do: "get", Key: key, ID: id}, Call: call, Output: out, Return: r.now(),
		})
	}
}

// runs returns how often each job has run.
func (r *clusterRun) runs(t *testing.T) map[string]int {
	t.Helper()
	notes, err := os.ReadFile(r.runsFile())
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for id := range strings.Lines(string(notes)) {
		runs[strings.TrimSpace(id)]++
	}
	return runs
}

// longest returns the longest time between two of the moments that are within the time
// of the submissions.
func (r *clusterRun) longest(moments []time.Time) (gap time.Duration) {
	slices.SortFunc(moments, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
	last := r.began
	for _, at := range moments {
		if at.After(r.submitted) {
			break
		}
		gap, last = max(gap, at.Sub(last)), at
	}
	return gap
}
