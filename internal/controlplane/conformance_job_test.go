package controlplane_test

import (
	"net/http"
	"testing"
)

// acceptedJob is the response to accept. Every accept returns another token.
const acceptedJob = `{"id":"$job","endpoint":"","state":"accepted","chunks_max_size_bytes":524288,"chunks_interval_seconds":1,` +
	`"log_max_size_bytes":1073741824,"token":"$text","runnable_at":"$time","priority":4,"env":{"MINE":"1","BUILDKITE":"true",` +
	`"BUILDKITE_AGENT_META_DATA_QUEUE":"q","BUILDKITE_BUILD_NUMBER":"$text","BUILDKITE_BUILD_URL":"$text","BUILDKITE_LABEL":"echo a b",` +
	`"BUILDKITE_MESSAGE":"echo a b","BUILDKITE_PIPELINE_NAME":"jobs","BUILDKITE_PULL_REQUEST":"false","BUILDKITE_RETRY_COUNT":"0",` +
	`"BUILDKITE_SOURCE":"api","BUILDKITE_STEP_ID":"$job","BUILDKITE_TAG":"",` +
	`"BUILDKITE_AGENT_ID":"$worker","BUILDKITE_AGENT_NAME":"w","BUILDKITE_BUILD_ID":"$job","BUILDKITE_JOB_ID":"$job","BUILDKITE_COMMAND":"exec echo 'a b'",` +
	`"BUILDKITE_REPO":"https://switchyard.invalid/none.git","BUILDKITE_COMMIT":"HEAD","BUILDKITE_BRANCH":"main",` +
	`"BUILDKITE_ORGANIZATION_SLUG":"switchyard","BUILDKITE_PIPELINE_SLUG":"jobs","BUILDKITE_PIPELINE_PROVIDER":"git",` +
	`"BUILDKITE_SKIP_CHECKOUT":"true"}}`

// The calls about a job, in the order of its life.
func TestJobConformance(t *testing.T) {
	plain := http.Header{"Content-Type": {"text/plain"}}
	acquiring := http.Header{"X-Buildkite-Lock-Acquire-Job": {"1"}, "X-Buildkite-Backoff-Sequence": {"0"}}
	hello := gzipped(t, "hello\n")
	const end = `{"exit_status":"7","signal":"SIGTERM","signal_reason":"cancel","finished_at":"2026-01-02T03:04:06.5Z","chunks_failed_count":1}`
	checkExchanges(t, []exchange{
		{"accept again before start", "session", "PUT jobs/$job/accept", "", nil, 200, acceptedJob},
		{"accept a job of another worker", "session", "PUT jobs/$others/accept", "", nil, 422, anError},
		{"accept a finished job", "session", "PUT jobs/$done/accept", "", nil, 422, anError},
		{"accept an unknown job", "session", "PUT jobs/$unknown/accept", "", nil, 404, anError},
		{"accept, not an ID", "session", "PUT jobs/a%2Eb/accept", "", nil, 404, anError},
		{"accept with the job's token", "job", "PUT jobs/$job/accept", "", nil, 401, anError},
		{"acquire a job of another worker", "session", "PUT jobs/$others/acquire", "", acquiring, 422, anError},
		{"acquire a finished job", "session", "PUT jobs/$done/acquire", "", acquiring, 422, anError},
		{"acquire an unknown job", "session", "PUT jobs/$unknown/acquire", "", acquiring, 404, anError},
		{"acquire with an unknown token", "unknown", "PUT jobs/$queued/acquire", "", acquiring, 401, anError},

		{"state, accepted", "job", "GET jobs/$job", "", nil, 200, `{"state":"accepted"}`},
		{"state of another job", "job", "GET jobs/$others", "", nil, 404, anError},
		{"state of an unknown job", "job", "GET jobs/$unknown", "", nil, 404, anError},
		{"state with a session's token", "session", "GET jobs/$job", "", nil, 401, anError},

		{"start, invalid time", "job", "PUT jobs/$job/start", `{"started_at":"noon"}`, nil, 400, `{"message":"body: started_at must be a time in RFC 3339 format"}`},
		{"start another job", "job", "PUT jobs/$others/start", `{}`, nil, 404, anError},
		{"start with an unknown token", "unknown", "PUT jobs/$job/start", `{}`, nil, 401, anError},
		{"start a finished job", "done job", "PUT jobs/$done/start", `{}`, nil, 401, anError},
		{"start", "job", "PUT jobs/$job/start", `{"started_at":"2026-01-02T03:04:05.6Z"}`, nil, 200, empty},
		{"start again", "job", "PUT jobs/$job/start", `{"started_at":"2026-01-02T03:04:05.6Z"}`, nil, 200, empty},
		{"state, running", "job", "GET jobs/$job", "", nil, 200, `{"state":"running"}`},
		{"accept a running job", "session", "PUT jobs/$job/accept", "", nil, 422, anError},

		{"a chunk ahead of order", "job", "POST jobs/$job/chunks?sequence=2&offset=6&size=6", hello, chunkHeader(), 200, empty},
		{"a chunk", "job", "POST jobs/$job/chunks?sequence=1&offset=0&size=6", hello, chunkHeader(), 200, empty},
		{"a chunk again", "job", "POST jobs/$job/chunks?sequence=1&offset=0&size=6", hello, chunkHeader(), 200, empty},
		{"a chunk that is not compressed", "job", "POST jobs/$job/chunks?sequence=3&offset=12&size=2", "hi", plain, 200, empty},
		{"a chunk without a sequence", "job", "POST jobs/$job/chunks?offset=0&size=6", hello, chunkHeader(), 400, `{"message":"query: sequence must be a whole number of at least 1"}`},
		{"a chunk whose sequence is 0", "job", "POST jobs/$job/chunks?sequence=0&offset=0&size=6", hello, chunkHeader(), 400, `{"message":"query: sequence must be a whole number of at least 1"}`},
		{"a chunk with an offset below 0", "job", "POST jobs/$job/chunks?sequence=1&offset=-1&size=6", hello, chunkHeader(), 400, `{"message":"query: offset must be a whole number of at least 0"}`},
		{"a chunk of wrong size", "job", "POST jobs/$job/chunks?sequence=4&offset=14&size=7", hello, chunkHeader(), 400, `{"message":"body: it has 6 bytes, but the query says size 7"}`},
		{"a chunk that is too large", "job", "POST jobs/$job/chunks?sequence=4&offset=14&size=524289", hello, chunkHeader(), 413, anError},
		{"a chunk that is not gzip", "job", "POST jobs/$job/chunks?sequence=4&offset=14&size=6", "hello\n", chunkHeader(), 400, `{"message":"body: not gzip"}`},
		{"a chunk in an unknown encoding", "job", "POST jobs/$job/chunks?sequence=4&offset=14&size=6", hello, http.Header{"Content-Encoding": {"br"}}, 415, anError},
		{"a chunk of another job", "job", "POST jobs/$others/chunks?sequence=1&offset=0&size=6", hello, chunkHeader(), 404, anError},
		{"a chunk with a session's token", "session", "POST jobs/$job/chunks?sequence=1&offset=0&size=6", hello, chunkHeader(), 401, anError},

		{"no attributes", "job", "PUT jobs/$job", `{}`, nil, 200, `{"id":"$job"}`},
		{"an attribute", "job", "PUT jobs/$job", `{"timeout":"5"}`, nil, 422, anError},
		{"attributes of wrong type", "job", "PUT jobs/$job", `{"timeout":5}`, nil, 400, `{"message":"body: a member must not be a JSON number"}`},
		{"attributes that are a list", "job", "PUT jobs/$job", `[]`, nil, 400, `{"message":"body: the whole must not be a JSON array"}`},
		{"attributes of another job", "job", "PUT jobs/$others", `{}`, nil, 404, anError},
		{"promise failure", "job", "PUT jobs/$job/promise_failure", `{"exit_status":3,"reason":"x"}`, nil, 204, ""},
		{"promise success", "job", "PUT jobs/$job/promise_failure", `{"exit_status":0}`, nil, 400, `{"message":"body: exit_status must be a number other than 0"}`},
		{"promise failure of another job", "job", "PUT jobs/$others/promise_failure", `{"exit_status":3}`, nil, 404, anError},

		{"finish, exit status not a number", "job", "PUT jobs/$job/finish", `{"exit_status":"fine"}`, nil, 400, `{"message":"finishing a job: exit_status must be a whole number, in quotes"}`},
		{"finish, invalid time", "job", "PUT jobs/$job/finish", `{"exit_status":"0","finished_at":"noon"}`, nil, 400, `{"message":"body: finished_at must be a time in RFC 3339 format"}`},
		{"finish another job", "job", "PUT jobs/$others/finish", end, nil, 404, anError},
		{"finish with an unknown token", "unknown", "PUT jobs/$job/finish", end, nil, 401, anError},
		{"finish", "job", "PUT jobs/$job/finish", end, nil, 200, empty},
		{"finish again", "job", "PUT jobs/$job/finish", end, nil, 200, empty},
		{"finish with another result", "job", "PUT jobs/$job/finish", `{"exit_status":"0"}`, nil, 422, anError},
		{"state, finished", "job", "GET jobs/$job", "", nil, 401, anError},
		{"start after finish", "job", "PUT jobs/$job/start", `{}`, nil, 401, anError},
		{"a chunk after finish", "job", "POST jobs/$job/chunks?sequence=4&offset=14&size=6", hello, chunkHeader(), 200, empty},
		{"ping, idle", "session", "GET ping", "", nil, 200, empty},
	})
}

// The calls of commands inside a job. TestUnservedRoutes has those that are not
// served.
func TestCommandConformance(t *testing.T) {
	checkExchanges(t, []exchange{
		{"no keys", "job", "POST jobs/$job/data/keys", "", nil, 200, `[]`},
		{"set", "job", "POST jobs/$job/data/set", `{"key":"k","value":"v"}`, nil, 200, empty},
		{"set a batch", "job", "POST jobs/$job/data/set-batch", `{"items":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`, nil, 200, empty},
		{"get", "job", "POST jobs/$job/data/get", `{"key":"k"}`, nil, 200, `{"key":"k","value":"v"}`},
		{"get from the build", "job", "POST builds/$job/data/get", `{"key":"a"}`, nil, 200, `{"key":"a","value":"1"}`},
		{"get a key that is not set", "job", "POST jobs/$job/data/get", `{"key":"z"}`, nil, 404, anError},
		{"exists", "job", "POST jobs/$job/data/exists", `{"key":"b"}`, nil, 200, `{"exists":true}`},
		{"exists, not set", "job", "POST builds/$job/data/exists", `{"key":"z"}`, nil, 200, `{"exists":false}`},
		{"keys", "job", "POST jobs/$job/data/keys", "", nil, 200, `["a","b","k"]`},
		{"keys of the build", "job", "POST builds/$job/data/keys", `{}`, nil, 200, `["a","b","k"]`},
		{"keys of another job", "other job", "POST jobs/$others/data/keys", "", nil, 200, `[]`},
		{"set, no key", "job", "POST jobs/$job/data/set", `{"value":"v"}`, nil, 400, anError},
		{"set, not JSON", "job", "POST jobs/$job/data/set", `k`, nil, 400, anError},
		{"set in another job", "job", "POST jobs/$others/data/set", `{"key":"k","value":"v"}`, nil, 404, anError},
		{"set with a session's token", "session", "POST jobs/$job/data/set", `{"key":"k","value":"v"}`, nil, 401, anError},
		{"get from another build", "job", "POST builds/$others/data/get", `{"key":"k"}`, nil, 404, anError},
		{"set after finish", "done job", "POST jobs/$done/data/set", `{"key":"k","value":"v"}`, nil, 401, anError},
		{"annotate", "job", "POST jobs/$job/annotations", `{"body":"b"}`, nil, 404, `{"message":"POST /v3/jobs/$job/annotations is not served by this control plane"}`},
		{"delete an annotation", "job", "DELETE jobs/$job/annotations/default?scope=job", "", nil, 404, `{"message":"DELETE /v3/jobs/$job/annotations/default is not served by this control plane"}`},
		{"annotate with an unknown token", "unknown", "POST jobs/$job/annotations", `{"body":"b"}`, nil, 401, anError},
	})
}
