package controlplane_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// TestIDPrefix names jobs and workers by the beginning of their ID. To a caller whose token
// is limited to a queue only the jobs of that queue exist.
func TestIDPrefix(t *testing.T) {
	b := start(t)
	one, two := b.submit("a", "true").GetId(), b.submit("b", "true").GetId()
	limited := bearer(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, ofQueues("a")))
	all := bearer(b.AdminToken())
	for _, row := range []struct {
		name    string
		ref     string
		caller  connect.ClientOption
		want    string
		message string
	}{
		{"an ID", one, all, one, ""},
		{"most of an ID", one[:35], all, one, ""},
		{"in upper case", strings.ToUpper(two[:35]), all, two, ""},
		{"of several", one[:4], all, "", "is \"" + one[:4] + "\", with which the IDs of several jobs begin: " + one + ", " + two},
		{"too short", one[:3], all, "", "there is no job"},
		{"of none", "ffff", all, "", "there is no job"},
		{"limited, of several", one[:4], limited, one, ""},
		{"limited, of another queue", two[:35], limited, "", "there is no job"},
	} {
		t.Run(row.name, func(t *testing.T) {
			jobs := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), row.caller)
			got, err := jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: row.ref})
			if row.message != "" {
				if err == nil || !strings.Contains(err.Error(), row.message) {
					t.Errorf("error %v, want %s", err, row.message)
				}
				return
			}
			if err != nil || got.GetJob().GetId() != row.want {
				t.Errorf("got %s, %v, want %s", got.GetJob().GetId(), err, row.want)
			}
		})
	}
	worker := b.register("box", "a")
	got, err := b.workers.GetWorker(t.Context(), &switchyardv1.GetWorkerRequest{Id: worker.id[:12]})
	if err != nil || got.GetWorker().GetId() != worker.id {
		t.Errorf("worker %s, %v, want %s", got.GetWorker().GetId(), err, worker.id)
	}
}
