package schedule

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestScripts runs the scripts of testdata/queues. A command changes what an index knows,
// or asks it; the answer to each is the claims that were made, and what was asked.
//
//	go test ./internal/controlplane/schedule -run TestScripts -args -rewrite
func TestScripts(t *testing.T) {
	datadriven.Walk(t, filepath.Join("..", "..", "..", "testdata", "queues"), func(t *testing.T, path string) {
		s := &script{x: New(), now: time.Date(2026, 1, 31, 18, 0, 0, 0, time.UTC), ids: map[string]string{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.run(t, d) })
	})
}

// script is an index, and the names by which a script calls its records.
type script struct {
	x        *Index
	now      time.Time
	revision uint64
	ids      map[string]string
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var name, queue, by, reason, tags string
	var revision uint64
	priority := 0
	d.MaybeScanArgs(t, "name", &name)
	d.MaybeScanArgs(t, "queue", &queue)
	d.MaybeScanArgs(t, "tags", &tags)
	d.MaybeScanArgs(t, "by", &by)
	d.MaybeScanArgs(t, "reason", &reason)
	d.MaybeScanArgs(t, "priority", &priority)
	d.MaybeScanArgs(t, "revision", &revision)
	if revision == 0 {
		s.revision++
		revision = s.revision
	}
	switch d.Cmd {
	case "job":
		s.x.ApplyJob(record.Job{
			ID: s.id(name), Queue: queue, Tags: required(t, tags), Priority: int32(priority), Revision: revision,
			Job: lifecycle.Job{State: wire.StateQueued},
		}, s.now, time.Time{})
	case "cancel":
		s.x.ApplyJob(record.Job{
			ID: s.id(name), Queue: queue, Tags: required(t, tags), Revision: revision, Job: lifecycle.Job{State: wire.StateCanceled},
		}, s.now, s.now)
	case "worker": // with a stream, unless it polls
		s.x.ApplyWorker(record.Worker{
			ID: s.id(name), Name: name, Queue: queue, Tags: strings.Fields(tags), Revision: revision,
			Worker: workerstate.Worker{State: workerstate.Available},
		}, s.now)
		if !d.HasArg("polls") {
			s.x.Attach(s.id(name), nullStream{})
		}
	case "ping":
		_, claim, _ := s.x.Ping(s.id(name), s.now)
		if claim == nil {
			return "no job"
		}
		return s.claimed(claim)
	case "submit": // a new job, which the write that stores it may assign
		claim := s.x.ClaimIdle(queue, required(t, tags))
		if claim == nil {
			return "no worker is claimed"
		}
		s.x.Release(claim)
		return s.claimed(claim)
	case "pause", "resume":
		s.x.ApplyQueuePause(record.QueuePause{
			Queue: queue, Paused: d.Cmd == "pause", By: by, Reason: reason, At: s.now, Revision: revision,
		})
	case "tidy": // after the watch has reached every record
		s.x.Loaded(s.revision)
		s.x.Tidy(s.now, time.Hour)
		return fmt.Sprintf("pauses known: %d", len(s.x.pauses))
	case "groups":
		return s.groups()
	case "unmatched":
		return fmt.Sprint(s.x.Stats().Queues[queue].Unmatched)
	case "waits":
		return s.x.WaitingReason(queue, required(t, tags), s.now)
	case "wait":
		s.now = s.now.Add(time.Minute)
		return "a minute"
	case "queues":
		return s.queues()
	default:
		d.Fatalf(t, "%s is not a command", d.Cmd)
	}
	var claims []string
	for _, c := range s.x.Match() {
		claims = append(claims, s.claimed(c))
	}
	slices.Sort(claims)
	if len(claims) == 0 {
		return "no claim"
	}
	return strings.Join(claims, "\n")
}

// required returns the tags that a job requires, as the index knows them.
func required(t *testing.T, tags string) []string {
	t.Helper()
	list, err := wire.RequiredTags(strings.Fields(tags))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// groups lists the groups of each queue, and the tags that are known.
func (s *script) groups() string {
	var lines []string
	for name, q := range s.x.queues {
		lines = append(lines, fmt.Sprintf("%s: %d tags", name, len(q.tags)))
		for key, g := range q.groups {
			lines = append(lines, fmt.Sprintf("%s: %s, %d ready", name, key, g.ready.Len()))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// id returns the ID of a name: those of later names sort after those of earlier ones.
func (s *script) id(name string) string {
	if s.ids[name] == "" {
		s.ids[name] = newIDAt(s.now, byte(len(s.ids)+1))
	}
	return s.ids[name]
}

// claimed describes a claim, which is left pending.
func (s *script) claimed(c *Claim) string {
	job := "the new job"
	for name, id := range s.ids {
		if id == c.JobID {
			job = name
		}
	}
	return job + " for " + c.WorkerName
}

// queues lists queues in pages of two.
func (s *script) queues() string {
	var b strings.Builder
	for token := ""; ; {
		page, next, total, err := s.x.Queues(Page{Size: 2, Token: token}, s.now)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "page of %d\n", total)
		for _, q := range page {
			fmt.Fprintf(&b, "  %s: queued %d, workers %d, paused %v", q.Name, q.Jobs[wire.StateQueued], len(q.Workers), q.Pause.Paused)
			if q.Waiting != "" {
				fmt.Fprintf(&b, "; %s", q.Waiting)
			}
			b.WriteString("\n")
		}
		if next == "" {
			return b.String()
		}
		token = next
	}
}
