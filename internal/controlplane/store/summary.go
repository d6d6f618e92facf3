package store

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// summaryHeader holds the summary of a job that has ended and is not retried:
	// its state, outcome, queue, worker and the job that it retries, separated by
	// spaces. With it the record of a kept job need not be decoded at the start. A
	// message without it, such as one of an older version, is decoded.
	summaryHeader = "Switchyard-Summary"
	summaryFields = 5
	noValue       = "-" // in place of an empty field
)

// JobMessage returns the message that stores a job: without what it replaces, and
// with the time to live ttl, in whole seconds, if that is not zero.
func JobMessage(job record.Job, ttl time.Duration) (*nats.Msg, error) {
	msg := nats.NewMsg(jobPrefix + job.ID)
	var err error
	if msg.Data, err = record.Encode(&job); err != nil {
		return nil, fmt.Errorf("encoding job %s: %w", job.ID, err)
	}
	if job.State.Final() && job.RetriedBy == "" {
		msg.Header.Set(summaryHeader, encodeSummary(job.Summary()))
	}
	setTTL(msg, ttl)
	return msg, nil
}

func encodeSummary(s record.Summary) string {
	fields := []string{string(s.State), string(s.Outcome), s.Queue, s.WorkerID, s.RetryOf}
	for i := range fields {
		fields[i] = cmp.Or(fields[i], noValue)
	}
	return strings.Join(fields, " ")
}

// decodeSummary returns the summary in a header, without ID and revision.
func decodeSummary(header string) (s record.Summary, ok bool) {
	fields := strings.Split(header, " ")
	if len(fields) != summaryFields {
		return s, false
	}
	for i := range fields {
		if fields[i] == noValue {
			fields[i] = ""
		}
	}
	s = record.Summary{
		State: wire.JobState(fields[0]), Outcome: lifecycle.Outcome(fields[1]),
		Queue: fields[2], WorkerID: fields[3], RetryOf: fields[4],
	}
	return s, s.State.Final()
}
