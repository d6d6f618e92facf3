package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	stored "github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// keptPending is how many records are on their way to the store at a time.
	keptPending = 4000
	// keptStored bounds the wait for the last ones.
	keptStored = 2 * time.Minute
	// keptWorkers and keptQueues are how many workers ran the jobs, and of how many
	// queues.
	keptWorkers, keptQueues = 500, 8
	// keptInterval is the time between two submissions.
	keptInterval = 500 * time.Millisecond
)

// fillStore stores that many jobs that have ended, with the records of a real life
// each, in a new data directory. Nothing is on disk for certain before it returns,
// so that it takes seconds.
func fillStore(ctx context.Context, dataDir string, jobs int) error {
	// The streams are those of the control plane.
	st, err := store.Open(ctx, store.Options{DataDir: dataDir})
	if err != nil {
		return fmt.Errorf("creating the store: %w", err)
	}
	st.Close()
	fast, err := server.NewServer(&server.Options{
		ServerName: "switchyard", DontListen: true, JetStream: true, StoreDir: filepath.Join(dataDir, "jetstream"),
		NoSigs: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	fast.Start()
	defer fast.WaitForShutdown()
	defer fast.Shutdown()
	if !fast.ReadyForConnections(keptStored) {
		return errors.New("opening the store: not ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(fast))
	if err != nil {
		return fmt.Errorf("connecting to the store: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(keptPending))
	if err != nil {
		return fmt.Errorf("using the store: %w", err)
	}
	if err := storeJobs(ctx, js, jobs); err != nil {
		return err
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-time.After(keptStored):
		return errors.New("filling the store: not all records were acknowledged")
	}
}

func storeJobs(ctx context.Context, js jetstream.JetStream, jobs int) error {
	random := rand.New(rand.NewPCG(1, 2)) // the same jobs in each run
	begin := time.Now().Add(-time.Duration(jobs) * keptInterval)
	for i := range jobs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		job, err := endedJob(random, begin.Add(time.Duration(i)*keptInterval))
		if err != nil {
			return err
		}
		msg, err := store.JobMessage(job, store.DefaultRetention)
		if err != nil {
			return fmt.Errorf("filling the store: %w", err)
		}
		if _, err := js.PublishMsgAsync(msg); err != nil {
			return fmt.Errorf("filling the store: %w", err)
		}
	}
	return nil
}

// endedJob returns a job that was submitted at a moment and has ended: eight of ten
// succeed, one fails, one is canceled.
func endedJob(random *rand.Rand, at time.Time) (stored.Job, error) {
	id := idAt(random, at)
	n := random.IntN(keptWorkers)
	worker := lifecycle.Event{
		WorkerID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(strconv.Itoa(n))).String(), WorkerName: fmt.Sprintf("builder-%03d", n),
		Token: "6f1ed002ab5595859014ebf0951522d98d5f1f7d1f0d5f2a4f6bd5d1c7f0a9e1",
	}
	job := stored.Job{
		ID: id, Queue: fmt.Sprintf("queue-%d", n%keptQueues), Command: []string{"make", "-j8", "test", "PACKAGE=./internal/" + id[:8]},
		Env: map[string]string{"BRANCH": "main", "COMMIT": id, "REPOSITORY": "https://example.com/team/product.git"},
	}
	result, canceled := "0", false
	switch random.IntN(10) {
	case 0:
		result = "1"
	case 1:
		canceled = true
	}
	steps := []lifecycle.EventKind{lifecycle.Submitted, lifecycle.Assigned, lifecycle.Accepted, lifecycle.Started}
	if canceled {
		steps = append(steps, lifecycle.CancelRequested)
	}
	for i, kind := range append(steps, lifecycle.Finished) {
		ev := worker
		ev.Kind, ev.At, ev.Actor, ev.RetryID = kind, at.Add(time.Duration(i)*time.Second).UTC(), "worker", id
		ev.Result = lifecycle.Result{ExitStatus: result, LogSize: uint64(random.IntN(1 << 20))}
		if canceled {
			ev.Result.Signal, ev.Result.SignalReason = "SIGTERM", wire.ReasonCancel
		}
		next, decision := lifecycle.Next(job.Job, ev)
		if !decision.Changed {
			return job, fmt.Errorf("event %v of a generated job changes nothing: %+v", kind, decision)
		}
		job.Job = next
	}
	return job, nil
}

// idAt returns a UUIDv7 of that moment.
func idAt(random *rand.Rand, at time.Time) string {
	var id uuid.UUID
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	for i := 6; i < len(id); i++ {
		id[i] = byte(random.IntN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id.String()
}
