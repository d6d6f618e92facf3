package worldtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// checkRecords returns an error for each stored change that no event of its table
// leads to. A message that was not copied before the server stopped leaves a gap in
// the messages of its subject; the change over a gap is not checked.
func checkRecords(all []stored) error {
	var errs []error
	last := map[string]stored{}
	for _, next := range all {
		before := last[next.subject]
		last[next.subject] = next
		if next.replaces != before.sequence {
			continue
		}
		kind, _, _ := strings.Cut(next.subject, ".")
		var err error
		switch kind {
		case "job":
			err = checkJob(before.data, next.data)
		case "worker":
			err = checkWorker(before.data, next.data)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, message %d after %d: %w\nbefore %s\nafter  %s",
				next.subject, next.sequence, before.sequence, err, before.data, next.data))
		}
	}
	return errors.Join(errs...)
}

func checkJob(beforeData, afterData []byte) error {
	var before, after record.Job
	if err := decode(beforeData, &before, afterData, &after); err != nil {
		return err
	}
	if beforeData == nil {
		before = after
		before.Job = lifecycle.Job{RetriesLeft: after.RetriesLeft}
	}
	// What the submitter has decided stays.
	same := after
	same.Job, same.Log, same.RetryStored = before.Job, before.Log, before.RetryStored
	if encode(same) != encode(before) {
		return errors.New("a change of what was submitted")
	}
	if before.RetryStored != after.RetryStored {
		return checkRetryStored(before, after)
	}
	if encode(before.Log) != encode(after.Log) {
		return checkLogChange(before, after)
	}
	return checkJobChange(before.Job, after.Job)
}

// checkRetryStored checks that a job was retried of which that is recorded, which changes
// nothing else, and stays.
func checkRetryStored(before, after record.Job) error {
	same := after
	same.RetryStored = false
	if encode(same) != encode(before) || after.RetriedBy == "" {
		return errors.New("a retry is recorded as stored, or is not any more, with another change or for no retry")
	}
	return nil
}

// checkLogChange checks a change of the log of a job, which changes nothing else.
func checkLogChange(before, after record.Job) error {
	if encode(before.Job) != encode(after.Job) {
		return errors.New("a change of the job with that of its log")
	}
	events := []logstate.Event{{Kind: logstate.ChunkArrived}, {Kind: logstate.Restored, BackupAt: after.Log.BackupAt}}
	if after.Log.Deletion != nil {
		events = append(events, logstate.Event{Kind: logstate.DeleteRequested, Deletion: *after.Log.Deletion})
	}
	for _, ev := range events {
		if next, changed, _ := logstate.Next(&before.Job, before.Log, ev); changed && encode(next) == encode(after.Log) {
			return nil
		}
	}
	return errors.New("no event of the table leads there")
}

// checkJobChange applies what the history of a job has gained. Only a submission
// stores two changes at once: that of a job that is offered immediately.
func checkJobChange(before, after lifecycle.Job) error {
	gained := len(after.History.Entries) + after.History.Dropped - len(before.History.Entries) - before.History.Dropped
	if gained < 1 || gained > 2 || gained == 2 && before.State != "" {
		return fmt.Errorf("the history has gained %d entries", gained)
	}
	entries := after.History.Entries[len(after.History.Entries)-gained:]
	if gained == 2 {
		before, _ = lifecycle.Next(before, lifecycle.Event{
			Kind: lifecycle.Submitted, At: entries[0].At, Actor: entries[0].Actor, Reason: entries[0].Reason,
		})
	}
	for _, ev := range jobEvents(before, after, entries[gained-1]) {
		if next, d := lifecycle.Next(before, ev); d.Changed && encode(next) == encode(after) {
			return nil
		}
	}
	return errors.New("no event of the table leads there")
}

// jobEvents returns the events that may have led from one job to the other: every kind,
// with each value that either of them names.
func jobEvents(before, after lifecycle.Job, entry lifecycle.Entry) (events []lifecycle.Event) {
	results := []lifecycle.Result{after.Result, {LogSize: after.LogSize}}
	if after.LateResult != nil {
		results = append(results, *after.LateResult)
	}
	tokens := append(slices.Concat(after.Tokens, before.Tokens), "")
	for _, kind := range lifecycle.EventKinds() {
		for _, token := range tokens {
			for _, result := range results {
				for _, flags := range [][2]bool{{false, false}, {true, false}, {false, true}} {
					events = append(events, lifecycle.Event{
						Kind: kind, At: entry.At, Actor: entry.Actor, Reason: entry.Reason,
						WorkerID: entry.WorkerID, WorkerName: entry.WorkerName, Token: token, Result: result,
						Overdue: flags[0], NoRetry: flags[1], RetryID: after.RetriedBy,
					})
				}
			}
		}
	}
	return events
}

func checkWorker(beforeData, afterData []byte) error {
	var before, after record.Worker
	if err := decode(beforeData, &before, afterData, &after); err != nil {
		return err
	}
	if beforeData == nil {
		before = after
		before.Worker = workerstate.Worker{}
	}
	same := after
	same.Worker = before.Worker
	if encode(same) != encode(before) {
		return errors.New("a change of what was registered")
	}
	for _, ev := range workerEvents(after.Worker) {
		if next, d := workerstate.Next(before.Worker, ev); d.Changed && encode(next) == encode(after.Worker) {
			return nil
		}
	}
	return errors.New("no event of the table leads there")
}

func workerEvents(after workerstate.Worker) (events []workerstate.Event) {
	for _, kind := range workerstate.EventKinds() {
		for _, at := range []time.Time{after.RegisteredAt, after.LeftAt, after.PausedAt} {
			for _, reason := range []string{after.PauseReason, after.StopReason} {
				for _, flags := range [][2]bool{{false, false}, {true, false}, {false, true}} {
					for _, by := range []workerstate.PausedBy{workerstate.ByOperator, workerstate.ByWorker, workerstate.ByJob} {
						events = append(events, workerstate.Event{
							Kind: kind, At: at, By: by, Reason: reason, NoRetry: flags[0], LastJob: flags[1],
						})
					}
				}
			}
		}
	}
	return events
}

// decode reads two records; the first may be missing.
func decode(beforeData []byte, before any, afterData []byte, after any) error {
	if beforeData != nil {
		if err := json.Unmarshal(beforeData, before); err != nil {
			return err
		}
	}
	return json.NewDecoder(bytes.NewReader(afterData)).Decode(after)
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // a record is stored as JSON
	}
	return string(data)
}
