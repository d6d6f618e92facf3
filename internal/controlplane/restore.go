package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/backup"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Restored is the result of Restore.
type Restored struct {
	// Records is how many records were restored, and Canceled how many jobs of them
	// were canceled because they were waiting.
	Records, Canceled int
	// BeganAt is when the backup was made.
	BeganAt time.Time
}

// Restore stores the content of a backup in the store of config, which must be empty
// and must not be in use. When ctx ends, so does the restore, with its cause.
//
// A job that was waiting at the time of the backup may have been run since. It is
// canceled, so that it does not run again, unless keepWaiting is set. A job that was
// running is left to its agent: it ends with the result that the agent delivers, or is
// lost when the agent does not have it any more.
func Restore(ctx context.Context, config Config, path string, keepWaiting bool) (result Restored, err error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return result, err
	}
	file, err := backup.Open(ctx, path)
	if err != nil {
		return result, err //nolint:wrapcheck // it names the file
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if version := file.Header().GetStoreVersion(); version > store.Version {
		return result, fmt.Errorf("the backup %s was made by a newer version of this program (version %d of the store; "+
			"this program reads versions up to %d); restore it with that version", path, version, store.Version)
	}
	result.BeganAt = file.Header().GetBeganAt().AsTime()
	dir, err := lockDataDir(config.DataDir, config.Logger)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	result.Records, err = store.Restore(ctx, storeOptions(config), func() (store.Message, bool, error) {
		stored, more, err := file.Next()
		if err != nil || !more {
			return store.Message{}, false, err //nolint:wrapcheck // it says what is wrong with the file
		}
		m := store.Message{
			Subject: stored.GetSubject(), Header: stored.GetHeaders(), Data: stored.GetData(),
			StoredAt: stored.GetStoredAt().AsTime(),
		}
		if m.Header == nil {
			m.Header = map[string]string{}
		}
		m, canceled, err := restoredJob(m, result.BeganAt, keepWaiting, config.Retention)
		if canceled {
			result.Canceled++
		}
		return m, true, err
	})
	if err != nil {
		return result, fmt.Errorf("restoring %s: %w", path, err)
	}
	return result, nil
}

// restoredJob returns the message of a job as it is restored, and every other message as
// it is. A job that waits is canceled, unless keepWaiting is set. One whose log may have
// grown after the backup records when the backup began.
func restoredJob(m store.Message, began time.Time, keepWaiting bool, retention time.Duration) (_ store.Message, canceled bool, err error) {
	job, ok, err := store.JobOf(m)
	switch {
	case err != nil || !ok:
		return m, false, err //nolint:wrapcheck // it names the job
	case waits(job.State) && keepWaiting:
		return m, false, nil
	case waits(job.State):
		job, err = canceledJob(job, began)
		if err != nil {
			return m, false, err
		}
		m, err = store.MessageOf(job, retention)
		return m, true, err //nolint:wrapcheck // it names the job
	}
	log, changed, _ := logstate.Next(&job.Job, job.Log, logstate.Event{Kind: logstate.Restored, BackupAt: began})
	if !changed {
		return m, false, nil
	}
	job.Log = log
	// The message stays as it is otherwise: it expires when it would have.
	if m.Data, err = record.Encode(&job); err != nil {
		return m, false, fmt.Errorf("restoring job %s: %w", job.ID, err)
	}
	return m, false, nil
}

// canceledJob returns a job that was waiting as a canceled one.
func canceledJob(job record.Job, began time.Time) (record.Job, error) {
	next, decision := lifecycle.Next(job.Job, lifecycle.Event{
		Kind: lifecycle.CancelRequested, Actor: "control plane", At: time.Now(),
		Reason: fmt.Sprintf("it was waiting in the backup of %s, which was restored, and may have been run since: "+
			"submit it again if it was not",
			began.UTC().Format(time.RFC3339)),
	})
	if !decision.Changed {
		return job, fmt.Errorf("job %s is %s in the backup and cannot be canceled: %s", job.ID, job.State, decision.Refusal)
	}
	job.Job = next
	return job, nil
}

// waits reports whether a job was not accepted yet.
func waits(state wire.JobState) bool {
	return state == wire.StateQueued || state == wire.StateAssigned
}

// storeOptions returns the options of the store of a configuration.
func storeOptions(c Config) store.Options {
	return store.Options{
		DataDir: c.DataDir, URL: c.NATSURL, Access: c.NATSAccess, Replicas: c.NATSReplicas,
		Retention: c.Retention, LogRetention: c.LogRetention, WorkerRetention: c.WorkerRetention, MaxStore: c.MaxStore,
		Logger: c.Logger.Named("store"),
	}
}
