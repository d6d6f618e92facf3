package controlplane_test

import (
	"testing"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// A stream that follows a job ends when the token is revoked with which it was opened;
// those of other tokens go on.
func TestARevokedTokenEndsItsStreams(t *testing.T) {
	b := start(t)
	job := b.submit("q", "true")
	follow := func(secret string) *connect.ServerStreamForClient[switchyardv1.FollowJobResponse] {
		client := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(secret))
		stream, err := client.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{Id: job.GetId()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stream.Close() })
		if !stream.Receive() {
			t.Fatalf("following: %v", stream.Err())
		}
		return stream
	}
	secret := b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ)
	revoked, stays := follow(secret), follow(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, ofQueues("q")))
	id, _ := token.Named.ID(secret)
	if _, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	for revoked.Receive() {
		if state := revoked.Msg().GetJob().GetState(); state == switchyardv1.JobState_JOB_STATE_CANCELED {
			t.Fatal("a stream of a revoked token received the end of the job")
		}
	}
	expectError(t, "following", revoked.Err(), connect.CodeUnauthenticated, `token "test" was revoked`)
	canceled := errorOf(b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: job.GetId()}))
	if canceled != nil {
		t.Fatal(canceled)
	}
	for stays.Receive() {
		continue
	}
	if err := stays.Err(); err != nil {
		t.Errorf("the stream of another token ended with %v", err)
	}
}
