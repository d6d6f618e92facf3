package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// TestSubmitFile has files of jobs, and responses to the calls.
func TestSubmitFile(t *testing.T) {
	t.Parallel()
	lost := &client.Error{Doing: "submitting jobs", Endpoint: "there", Code: connect.CodeUnavailable, Err: errors.New("connection reset")}
	denied := &client.Error{Doing: "submitting jobs", Endpoint: "there", Code: connect.CodePermissionDenied, Err: errors.New("not allowed")}
	const a, b, keyed = `{"command":["a"]}`, `{"command":["b"],"queue":"q"}`, `{"command":["k"],"idempotencyKey":"k"}`
	for _, row := range []struct {
		name   string
		text   string
		key    string
		fails  []error // of the first calls
		calls  []int   // how many jobs each call has
		sent   string  // the jobs of all calls that succeed
		notes  []string
		err    string
		stored int
	}{
		{name: "nothing", text: "\n \n"},
		{name: "two, without a line end", text: a + "\n" + b, calls: []int{2}, sent: "a@default b@q", stored: 2},
		{name: "keys of the lines", text: a + "\n\n" + keyed, key: "r", calls: []int{2}, sent: "a@default#r-1 k@default#k", stored: 2},
		{
			name: "bad lines", text: a + "\n{\"comand\":[]}\n" + b + "\nnot json\n{\"command\":[\"bad\"]}\n", calls: []int{3}, sent: "a@default b@q bad@default",
			notes: []string{`line 2: not a job in JSON: column 2: unknown field "comand"; write it like {"command":`, "line 4: not a job in JSON", "line 5: refused"},
			err:   "3 of 5 lines were not submitted: 2, 4, 5", stored: 2,
		},
		{
			name: "values of another type", text: `{"command":["a"],"timeout":"10"}` + "\n" + `{"command":["a"],"timeout":600}` + "\n" + `{"command":"a"}`,
			notes: []string{
				`line 1: not a job in JSON: column 28: invalid duration "10"; write it like`,
				`line 2: not a job in JSON: column 28: unexpected token 600; write it like`,
				`line 3: not a job in JSON: column 12: unexpected token "a"; write it like`,
			},
			err: "3 of 3 lines were not submitted: 1, 2, 3",
		},
		{
			name: "a long line", text: a + "\n" + strings.Repeat("x", maxLine+1) + "\n" + b, calls: []int{2}, sent: "a@default b@q", stored: 2,
			notes: []string{"line 2: the line has more than"}, err: "1 of 3 lines were not submitted: 2",
		},
		{name: "many", text: strings.Repeat(a+"\n", callJobs+1), calls: []int{callJobs, 1}, stored: callJobs + 1},
		{name: "no response, with keys", text: keyed, fails: []error{lost, lost}, calls: []int{1, 1, 1}, sent: "k@default#k", stored: 1},
		{name: "no response, without keys", text: a, fails: []error{lost}, calls: []int{1}, err: "of lines 1 to 1 some may be stored"},
		{name: "no response for too long", text: keyed, fails: slices.Repeat([]error{lost}, 99), calls: slices.Repeat([]int{1}, 11), err: "some may be stored"},
		{name: "refused as a whole", text: a + "\n" + keyed, fails: []error{denied}, calls: []int{2}, err: "line 1 and those after it were not submitted"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls []int
				var sent, notes []string
				stored := 0
				f := &fileSubmission{
					queue: "default", key: row.key, patience: 10 * time.Second,
					submit: func(_ context.Context, jobs []*switchyardv1.SubmitJobRequest) (results []*switchyardv1.SubmitJobsResult, _ error) {
						calls = append(calls, len(jobs))
						if n := len(calls); n <= len(row.fails) {
							return nil, row.fails[n-1]
						}
						for _, job := range jobs {
							text := job.GetCommand()[0] + "@" + job.GetQueue()
							if job.GetIdempotencyKey() != "" {
								text += "#" + job.GetIdempotencyKey()
							}
							sent = append(sent, text)
							r := &switchyardv1.SubmitJobsResult{JobId: text}
							if job.GetCommand()[0] == "bad" {
								r = &switchyardv1.SubmitJobsResult{Code: "invalid_argument", Message: "refused"}
							}
							results = append(results, r)
						}
						return results, nil
					},
					stored:  func(*switchyardv1.SubmitJobsResult) error { stored++; return nil },
					refused: func(line int, message string) { notes = append(notes, fmt.Sprintf("line %d: %s", line, message)) },
				}
				err := f.run(t.Context(), strings.NewReader(row.text))
				if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
					t.Errorf("got %v, want %q", err, row.err)
				}
				if !slices.Equal(calls, row.calls) || stored != row.stored {
					t.Errorf("calls of %v, %d stored; want %v, %d", calls, stored, row.calls, row.stored)
				}
				if got := strings.Join(sent, " "); row.sent != "" && got != row.sent {
					t.Errorf("submitted %s, want %s", got, row.sent)
				}
				if !slices.EqualFunc(slices.Sorted(slices.Values(notes)), row.notes, strings.HasPrefix) {
					t.Errorf("notes %q, want %q", notes, row.notes)
				}
			})
		})
	}
}
