package controlplane_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestListJobs(t *testing.T) {
	b := start(t)
	var ids []string                  // newest first, as they are listed
	var middle *timestamppb.Timestamp // the submission of the third job
	for i := range 5 {
		job := b.submit([]string{"even", "odd"}[i%2], "true")
		ids = slices.Insert(ids, 0, job.GetId())
		if i == 2 {
			id := uuid.MustParse(job.GetId())
			middle = timestamppb.New(time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)))
		}
		// IDs order jobs by the millisecond of their submission.
		for begin := time.Now().UnixMilli(); time.Now().UnixMilli() == begin; {
			runtime.Gosched()
		}
	}
	oldest := slices.Clone(ids)
	slices.Reverse(oldest)
	canceled := ids[4]
	if _, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: canceled, Reason: "no need"}); err != nil {
		t.Fatal(err)
	}
	queuedState := []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_QUEUED}
	for _, row := range []struct {
		name string
		req  *switchyardv1.ListJobsRequest
		want []string
	}{
		{"all", &switchyardv1.ListJobsRequest{}, ids},
		{"in pages", &switchyardv1.ListJobsRequest{PageSize: 2}, ids},
		{"a queue", &switchyardv1.ListJobsRequest{Queue: "odd"}, []string{ids[1], ids[3]}},
		{"a queue in pages", &switchyardv1.ListJobsRequest{Queue: "even", PageSize: 1}, []string{ids[0], ids[2], ids[4]}},
		{"a state", &switchyardv1.ListJobsRequest{States: queuedState}, ids[:4]},
		{"a state twice", &switchyardv1.ListJobsRequest{States: append(queuedState, queuedState...)}, ids[:4]},
		{"another state", &switchyardv1.ListJobsRequest{States: []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_CANCELED}}, []string{canceled}},
		{"an unknown worker", &switchyardv1.ListJobsRequest{WorkerId: unknownID}, nil},
		{"an unknown queue", &switchyardv1.ListJobsRequest{Queue: "none"}, nil},
		{"the oldest first", &switchyardv1.ListJobsRequest{PageSize: 2, Order: switchyardv1.ListOrder_LIST_ORDER_OLDEST_FIRST}, oldest},
		{"since a moment", &switchyardv1.ListJobsRequest{Since: middle}, ids[:3]},
		{"until a moment", &switchyardv1.ListJobsRequest{Until: middle}, ids[3:]},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for pages := 0; ; pages++ {
				res, err := b.jobs.ListJobs(t.Context(), row.req)
				if err != nil {
					t.Fatal(err)
				}
				if row.req.GetPageToken() == "" && int(res.GetTotal()) != len(row.want) {
					t.Errorf("there are %d jobs, want %d", res.GetTotal(), len(row.want))
				}
				if size := int(row.req.GetPageSize()); size > 0 && len(res.GetJobs()) > size {
					t.Fatalf("a page has %d jobs", len(res.GetJobs()))
				}
				for _, job := range res.GetJobs() {
					got = append(got, job.GetId())
				}
				if row.req.PageToken = res.GetNextPageToken(); row.req.GetPageToken() == "" {
					break
				}
				if pages > len(ids) {
					t.Fatal("the pages do not end")
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("listed %v, want %v", got, row.want)
			}
		})
	}
}

func TestListValidation(t *testing.T) {
	b := start(t)
	for name, row := range map[string]struct {
		size     int32
		token    string
		state    int32
		contains string
	}{
		"a negative page":   {-1, "", 1, "page_size is -1"},
		"a huge page":       {1001, "", 1, "page_size is 1001, must be 1 to 1000"},
		"an invalid token":  {0, "made up", 1, "page_token is not a token of a previous page"},
		"a huge token":      {0, strings.Repeat("x", 100<<10), 1, "page_token is not a token of a previous page"},
		"state unspecified": {0, "", 0, "states has unknown state"},
		"an unknown state":  {0, "", 99, "states has unknown state"},
	} {
		_, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{
			PageSize: row.size, PageToken: row.token, States: []switchyardv1.JobState{switchyardv1.JobState(row.state)},
		})
		expectError(t, "jobs, "+name, err, connect.CodeInvalidArgument, row.contains)
		_, err = b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{
			PageSize: row.size, PageToken: row.token, States: []switchyardv1.WorkerState{switchyardv1.WorkerState(row.state)},
		})
		expectError(t, "workers, "+name, err, connect.CodeInvalidArgument, row.contains)
	}
	_, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{Order: 7})
	expectError(t, "an unknown order", err, connect.CodeInvalidArgument, "order has unknown value 7")
	_, err = b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{Since: &timestamppb.Timestamp{Nanos: -1}})
	expectError(t, "an invalid moment", err, connect.CodeInvalidArgument, "since is not a moment")
	_, err = b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{Until: &timestamppb.Timestamp{Seconds: 1 << 62}})
	expectError(t, "an invalid moment", err, connect.CodeInvalidArgument, "until is not a moment")
	_, err = b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{States: make([]switchyardv1.JobState, 1000)})
	expectError(t, "a thousand states", err, connect.CodeInvalidArgument, "states must have")
	_, err = b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{WorkerId: strings.Repeat("x", 100<<10)})
	expectError(t, "a long worker_id", err, connect.CodeInvalidArgument, "worker_id is")
}
