package controlplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/backup"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// backup writes a backup of the control plane to a file.
func (b *bed) backup() (path string) {
	b.t.Helper()
	client := switchyardv1connect.NewBackupServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	stream, err := client.Backup(b.t.Context(), &switchyardv1.BackupRequest{})
	if err != nil {
		b.t.Fatal(err)
	}
	path = filepath.Join(b.t.TempDir(), "backup.gz")
	if _, err := backup.Write(path, func() (*switchyardv1.BackupResponse, bool, error) {
		more := stream.Receive()
		return stream.Msg(), more, stream.Err()
	}); err != nil {
		b.t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// A backup that is made while jobs are submitted and run has every job that was
// acknowledged before it began. Restored, none that had ended runs again.
func TestBackupUnderLoad(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	ended := b.runJob(w)
	var mu sync.Mutex
	var acknowledged []string
	var load sync.WaitGroup
	stop := make(chan struct{})
	enough := make(chan struct{})
	for range 4 {
		load.Go(func() {
			for {
				res, err := b.jobs.SubmitJob(t.Context(), queued("waiting"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, res.GetJob().GetId())
				if len(acknowledged) == 200 {
					close(enough)
				}
				mu.Unlock()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	<-enough
	mu.Lock()
	before := append([]string(nil), acknowledged...)
	mu.Unlock()
	path := b.backup()
	close(stop)
	load.Wait()

	for name, row := range map[string]struct {
		keep bool
		want switchyardv1.JobState
	}{
		"waiting jobs are canceled": {false, switchyardv1.JobState_JOB_STATE_CANCELED},
		"waiting jobs are kept":     {true, switchyardv1.JobState_JOB_STATE_QUEUED},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			restored, err := controlplane.Restore(t.Context(), controlplane.Config{DataDir: dir}, path, row.keep)
			if err != nil || restored.Records < len(before)+2 || !row.keep && restored.Canceled < len(before) {
				t.Fatalf("%+v, %v", restored, err)
			}
			r := start(t, func(c *controlplane.Config) { c.DataDir = dir })
			for _, id := range before {
				if got := r.stateOf(id); got != row.want {
					t.Fatalf("job %s is %v, want %v", id, got, row.want)
				}
			}
			if got := r.stateOf(ended); got != switchyardv1.JobState_JOB_STATE_FINISHED {
				t.Errorf("the job that had ended is %v", got)
			}
			// The worker's session goes on, and it is offered nothing old.
			r.pingUntil(w, func(res response) bool { return res.body["job"] == nil })
		})
	}
}

// A file that is not a whole backup restores nothing, and says what is wrong.
func TestDamagedBackup(t *testing.T) {
	b := start(t)
	b.submit("q", "true")
	path := b.backup()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		content []byte
		want    string
	}{
		"cut in half":    {whole[:len(whole)/2], "incomplete"},
		"without an end": {whole[:len(whole)-9], "incomplete"},
		"damaged":        {append(append([]byte(nil), whole[:len(whole)-5]...), 0, 0, 0, 0, 0), "checksum"},
		"another file":   {[]byte("hello"), "not a backup"},
		"empty":          {nil, "not a backup"},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := filepath.Join(t.TempDir(), "backup.gz")
			if err := os.WriteFile(damaged, row.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := controlplane.Restore(t.Context(), controlplane.Config{DataDir: t.TempDir()}, damaged, false)
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), damaged) {
				t.Errorf("restoring: %v, want an error that names the file and %q", err, row.want)
			}
		})
	}
	if _, err := backup.Write(path, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("writing over a backup: %v", err)
	}
}

// A job that has ended is deleted with its log and its key; one that has not ended is
// not. A log alone is deleted too.
func TestDeleteJob(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	remove := func(id string, logOnly bool) error {
		_, err := b.jobs.DeleteJob(t.Context(), &switchyardv1.DeleteJobRequest{Id: id, LogOnly: logOnly})
		return err
	}
	keyed := &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", IdempotencyKey: "key"}
	job := b.accepted(w, keyed)
	token, id := job.text("token"), job.text("id")
	path := "/v3/jobs/" + id
	b.must(200, request{method: "PUT", path: path + "/start", token: token})
	b.must(200, request{method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", token: token, header: chunkHeader(), body: gzipped(t, "hello\n")})
	for _, logOnly := range []bool{false, true} {
		if err := remove(id, logOnly); connect.CodeOf(err) != connect.CodeFailedPrecondition || !strings.Contains(err.Error(), "a job that has ended can be deleted") {
			t.Errorf("deleting a running job (log only: %v): %v", logOnly, err)
		}
	}
	b.must(200, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`})
	logOf := func() (text string) {
		t.Helper()
		stream, err := b.jobs.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{Id: id, NoWait: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Close() }()
		for stream.Receive() {
			text += string(stream.Msg().GetLog().GetData())
		}
		if err := stream.Err(); err != nil {
			t.Error(err)
		}
		return text
	}
	if got := logOf(); got != "hello\n" {
		t.Errorf("the log is %q", got)
	}
	var deletions []*switchyardv1.LogDeletion
	for range 2 {
		response, err := b.jobs.DeleteJob(t.Context(), &switchyardv1.DeleteJobRequest{Id: id, LogOnly: true})
		if err != nil || response.GetLogBytes() != 6 {
			t.Errorf("deleting the log: %v, %v", response, err)
		}
		deletions = append(deletions, response.GetLogDeletion())
	}
	shown, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
	deletions = append(deletions, shown.GetJob().GetLogDeletion())
	for _, d := range deletions {
		if err != nil || d.GetBy() != "admin-token" || d.GetBytes() != 6 || d.GetAt() == nil || !proto.Equal(d, deletions[0]) {
			t.Errorf("deletion %v, %v", d, err)
		}
	}
	if shown.GetJob().GetLogSize() != 0 {
		t.Errorf("the deleted log has %d bytes", shown.GetJob().GetLogSize())
	}
	if got := logOf(); got != "" {
		t.Errorf("the deleted log is %q", got)
	}
	if got := b.stateOf(id); got != switchyardv1.JobState_JOB_STATE_FINISHED {
		t.Errorf("the job without its log is %v", got)
	}
	if err := remove(id, false); err != nil {
		t.Errorf("deleting the job: %v", err)
	}
	if err := remove(id, false); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("deleting the job again: %v", err)
	}
	if _, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("reading the deleted job: %v", err)
	}
	list, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{})
	if err != nil || len(list.GetJobs()) != 0 {
		t.Errorf("the list is %v, %v", list.GetJobs(), err)
	}
	if again := b.submitted(keyed); again.GetId() == id {
		t.Error("the key still names the deleted job")
	}
}
