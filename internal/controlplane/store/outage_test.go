package store

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestOutages notes results of requests, in words: at which second a request began, of which
// kind it was, at which second it ended, and how. Then it shows which kinds of requests are
// in vain at the last second.
func TestOutages(t *testing.T) {
	t.Parallel()
	kinds := map[string]kind{
		"read": {stream: stateStream}, "write": {stateStream, true}, "read-log": {stream: logStream}, "write-log": {logStream, true},
	}
	results := map[string]error{
		"answered": nil, "missing": jetstream.ErrMsgNotFound, "refused": &jetstream.APIError{ErrorCode: codeInsufficientResources},
		"unanswered": context.DeadlineExceeded, "no-leader": &jetstream.APIError{ErrorCode: codeNotAvailable},
		"nobody": jetstream.ErrNoStreamResponse, "disconnected": errNoConnection, "left": context.Canceled, "too-large": nats.ErrMaxPayload,
	}
	for _, row := range []struct {
		name  string
		noted string
		at    float64
		want  string // the kinds that are in vain
	}{
		{"nothing", "", 100, ""},
		{"an election is ridden out", "0 write 3.9 unanswered", 3.9, ""},
		{"as long as a request waits", "0 write 4 unanswered", 4, "write"},
		{"nothing answers reads", "0 read 4 unanswered", 4, "read read-log write write-log"},
		{"nothing answers reads of logs", "0 read-log 4 nobody", 4, "read-log write-log"},
		{"no leader", "0 write-log 4 no-leader", 5, "write-log"},
		{"no connection", "0 read 2 disconnected", 4, "read read-log write write-log"},
		{"known for a while, and then long", "0 write 2 unanswered", 60, "write"},
		{"an answer ends it", "0 write 4 unanswered; 4 write 5 answered", 5, ""},
		{"so does no record", "0 read 4 unanswered; 4 read 5 missing", 5, ""},
		{"so does a refusal", "0 write 4 unanswered; 4 write 5 refused", 5, ""},
		{"an answer to a read does not end that of writes", "0 write 4 unanswered; 4 read 5 answered", 5, "write"},
		{"another one was answered meanwhile", "1 write 2 answered; 0 write 4 unanswered", 5.9, ""},
		{"counted from that answer", "1 write 2 answered; 0 write 4 unanswered", 6, "write"},
		{"counted from the first", "0 write 2 unanswered; 1 write 3 unanswered", 4, "write"},
		{"a caller who leaves early", "0 write 0.9 unanswered", 60, ""},
		{"a caller who leaves", "0 write 4 left", 60, ""},
		{"an error of our own shows nothing", "0 write 4 unanswered; 4 write 5 too-large", 5, "write"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, began := newOutages(), time.Now()
				moment := func(second string) time.Time {
					d, err := time.ParseDuration(second + "s")
					must(t, err)
					return began.Add(d)
				}
				for noted := range strings.SplitSeq(row.noted, ";") {
					words := strings.Fields(noted)
					if len(words) == 0 {
						continue
					}
					result, known := results[words[3]]
					if !known {
						t.Fatalf("no result %q", words[3])
					}
					time.Sleep(time.Until(moment(words[2])))
					o.note(kinds[words[1]], moment(words[0]), result)
				}
				time.Sleep(time.Until(began.Add(time.Duration(row.at * float64(time.Second)))))
				var got []string
				for _, name := range []string{"read", "read-log", "write", "write-log"} {
					if o.check(kinds[name]) != nil {
						got = append(got, name)
					}
				}
				if strings.Join(got, " ") != row.want {
					t.Errorf("in vain: %q, want %q", got, row.want)
				}
			})
		})
	}
}
