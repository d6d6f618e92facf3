package agentwire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// An agent with default flags needs these variables: those without which it
// refuses a job, no checkout without a repository, and the command.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	const first = "018bcfe5-687b-7000-8000-000000000001" // of 1700000000123 ms since 1970
	none := map[string]string{
		"BUILDKITE":                       "true",
		"BUILDKITE_AGENT_META_DATA_QUEUE": "linux",
		"BUILDKITE_BUILD_NUMBER":          "1700000000123",
		"BUILDKITE_BUILD_URL":             "https://switchyard.invalid/builds/" + first,
		"BUILDKITE_LABEL":                 "true a b",
		"BUILDKITE_MESSAGE":               "true a b",
		"BUILDKITE_PIPELINE_NAME":         "jobs",
		"BUILDKITE_PULL_REQUEST":          "false",
		"BUILDKITE_RETRY_COUNT":           "1",
		"BUILDKITE_RETRY_TYPE":            "automatic",
		"BUILDKITE_SOURCE":                "api",
		"BUILDKITE_STEP_ID":               first,
		"BUILDKITE_TAG":                   "",
		"BUILDKITE_AGENT_ID":              "worker-id",
		"BUILDKITE_AGENT_NAME":            "worker",
		"BUILDKITE_BRANCH":                "main",
		"BUILDKITE_BUILD_ID":              first,
		"BUILDKITE_COMMAND":               "exec true 'a b'",
		"BUILDKITE_COMMIT":                "HEAD",
		"BUILDKITE_JOB_ID":                "second",
		"BUILDKITE_ORGANIZATION_SLUG":     "switchyard",
		"BUILDKITE_PIPELINE_PROVIDER":     "git",
		"BUILDKITE_PIPELINE_SLUG":         "jobs",
		"BUILDKITE_REPO":                  "https://switchyard.invalid/none.git",
		"BUILDKITE_SKIP_CHECKOUT":         "true",
	}
	const absent = "\x00"
	for _, row := range []struct {
		name    string
		given   map[string]string
		timeout time.Duration
		other   map[string]string // differences from none
	}{
		{"nothing", nil, 0, nil},
		{
			"other variables",
			map[string]string{"MINE": "1", "EMPTY": "", "BUILDKITE_MESSAGE": "hello"},
			0,
			map[string]string{"MINE": "1", "EMPTY": "", "BUILDKITE_MESSAGE": "hello"},
		},
		{
			"a repository",
			map[string]string{"BUILDKITE_REPO": "git@example.com:x.git", "BUILDKITE_COMMIT": "abc", "BUILDKITE_BRANCH": "topic"},
			0,
			map[string]string{
				"BUILDKITE_REPO": "git@example.com:x.git", "BUILDKITE_COMMIT": "abc", "BUILDKITE_BRANCH": "topic",
				"BUILDKITE_SKIP_CHECKOUT": absent,
			},
		},
		{
			"a repository without checkout",
			map[string]string{"BUILDKITE_REPO": "r", "BUILDKITE_SKIP_CHECKOUT": "true"},
			0,
			map[string]string{"BUILDKITE_REPO": "r", "BUILDKITE_BRANCH": "HEAD"},
		},
		{
			"submitted names",
			map[string]string{
				"BUILDKITE_AGENT_NAME": "n", "BUILDKITE_ORGANIZATION_SLUG": "o", "BUILDKITE_PIPELINE_SLUG": "p",
				"BUILDKITE_PIPELINE_PROVIDER": "github", "BUILDKITE_BUILD_ID": "b",
			},
			0,
			map[string]string{
				"BUILDKITE_AGENT_NAME": "n", "BUILDKITE_ORGANIZATION_SLUG": "o", "BUILDKITE_PIPELINE_SLUG": "p",
				"BUILDKITE_PIPELINE_PROVIDER": "github", "BUILDKITE_BUILD_ID": "b",
			},
		},
		{
			"empty required variables",
			map[string]string{"BUILDKITE_REPO": "", "BUILDKITE_COMMIT": "", "BUILDKITE_BRANCH": "", "BUILDKITE_PIPELINE_SLUG": ""},
			0, nil,
		},
		{"submitted command and job ID", map[string]string{"BUILDKITE_COMMAND": "rm -rf /", "BUILDKITE_JOB_ID": "third"}, 0, nil},
		{"variables that describe", map[string]string{"BUILDKITE_LABEL": "", "BUILDKITE_PULL_REQUEST": "7"}, 0, map[string]string{"BUILDKITE_LABEL": "", "BUILDKITE_PULL_REQUEST": "7"}},
		{"a timeout", nil, 61 * time.Second, map[string]string{"BUILDKITE_TIMEOUT": "2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{}
			for _, values := range []map[string]string{none, row.other} {
				for name, value := range values {
					if value == absent {
						delete(want, name)
						continue
					}
					want[name] = value
				}
			}
			got := environment(record.Job{ID: "second", BuildID: first, RetryCount: 1, Queue: "linux", Command: []string{"true", "a b"}, Env: row.given, Timeout: row.timeout, Job: lifecycle.Job{WorkerID: "worker-id", WorkerName: "worker"}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the environment differs (-want +got):\n%s", diff)
			}
		})
	}
}
