package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

const (
	throughputWorkers, throughputSubmitters = 50, 32
	throughputReach                         = 1000 // jobs a second
	// jobRecords is how many records of a job are stored one after the other: when it
	// is submitted and assigned, accepted, started, and when it has ended.
	jobRecords = 4
	// throughputLimit bounds one of the runs.
	throughputLimit = 3 * time.Minute
)

// measureThroughput measures how many jobs a second are submitted, run by workers that
// need no time, and finished, with every record on disk before it is acknowledged.
func measureThroughput(ctx context.Context, l *lab) (results []result, err error) {
	dir, err := os.MkdirTemp(l.dir, "throughput-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	syncs, err := syncTimes(dir)
	if err != nil {
		return nil, err
	}
	bare, err := bareGroupCommit(dir, throughputWorkers+throughputSubmitters, jobRecords, l.plan.throughput, l.plan.syncDelay)
	if err != nil {
		return nil, err
	}
	s, err := startServer(ctx, l.binary, filepath.Join(dir, "data"), l.plan.syncDelay)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if _, err := s.ready(ctx); err != nil {
		return nil, err
	}
	workers, err := startBareWorkers(ctx, s, throughputWorkers, throughputWorkers)
	if err != nil {
		return nil, err
	}
	defer workers.end()
	keys := 0
	for n, run := range []struct {
		key   string
		keyed bool
	}{{keyThroughput, false}, {keyKeyed, true}} {
		before, err := cpuTimes(s.cmd.Process.Pid, os.Getpid())
		if err != nil {
			return results, err
		}
		key := func() string { return "" }
		if run.keyed {
			key = func() string { keys++; return "bench-" + strconv.Itoa(keys) }
		}
		file := ""
		if l.plan.profiles != "" {
			file = filepath.Join(l.plan.profiles, fmt.Sprintf("throughput-%d.pprof", n+1))
		}
		var rate float64
		err = s.profileMeanwhile(ctx, file, func() (err error) {
			rate, err = throughput(ctx, s, workers, l.plan.throughput, key)
			return err
		})
		if err != nil {
			return results, err
		}
		after, err := cpuTimes(s.cmd.Process.Pid, os.Getpid())
		if err != nil {
			return results, err
		}
		perJob := func(i int) float64 { return (after[i] - before[i]).Seconds() * 1000 / float64(l.plan.throughput) }
		results = append(results, result{
			key: run.key, value: fmt.Sprintf("%.0f a second", rate), samples: l.plan.throughput,
			outcome: outcomeOf(true, rate >= throughputReach),
			notes: []string{fmt.Sprintf("a bare writer with group commit: %.0f; CPU of the control plane: %.3f ms a job, and "+
				"of this program, which is the workers and submitters: %.3f ms; a write with its sync took %s, and %v more",
				bare, perJob(0), perJob(1), spread(syncs, median, percent99), l.plan.syncDelay)},
		})
	}
	return results, nil
}

// cpuTimes is cpuTime for several processes.
func cpuTimes(pids ...int) (times []time.Duration, err error) {
	for _, pid := range pids {
		used, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		times = append(times, used)
	}
	return times, nil
}

// throughput submits jobs from several submitters, and returns how many of them a
// second were finished, from the first submission to the last finish.
func throughput(ctx context.Context, s *serverProcess, workers *bareWorkers, jobs int, key func() string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, throughputLimit)
	defer cancel()
	token, err := s.token(datadir.AdminTokenFile)
	if err != nil {
		return 0, err
	}
	c := &rawCaller{address: s.address()}
	defer c.close()
	todo := make(chan string, jobs)
	for range jobs {
		todo <- key()
	}
	close(todo)
	var submitters sync.WaitGroup
	var failed atomic.Pointer[error]
	began := time.Now()
	for range throughputSubmitters {
		submitters.Go(func() {
			for key := range todo {
				if err := c.submit(ctx, token, key); err != nil {
					failed.Store(&err)
					cancel()
					return
				}
			}
		})
	}
	for n := range jobs {
		select {
		case <-workers.finished:
		case <-ctx.Done():
			submitters.Wait()
			if err := failed.Load(); err != nil {
				return 0, *err
			}
			return 0, errors.Join(fmt.Errorf("%d of %d jobs were finished: %w", n, jobs, context.Cause(ctx)), workers.failure())
		}
	}
	took := time.Since(began)
	submitters.Wait()
	return float64(jobs) / took.Seconds(), nil
}

// submit submits a job with an idempotency key, which may be empty.
func (c *rawCaller) submit(ctx context.Context, token, key string) error {
	job, err := proto.Marshal(&switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue, IdempotencyKey: key})
	if err == nil {
		_, err = c.send(ctx, request{
			method: http.MethodPost, path: switchyardv1connect.JobServiceSubmitJobProcedure,
			token: "Bearer " + token, contentType: "application/proto", body: job,
		})
	}
	if err != nil {
		return fmt.Errorf("submitting a job: %w", err)
	}
	return nil
}
