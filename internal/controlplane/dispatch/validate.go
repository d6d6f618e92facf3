package dispatch

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Limits of requests.
const (
	// MaxIdempotencyKey is the longest idempotency key, in bytes.
	MaxIdempotencyKey = 256
	// MaxJobSize bounds the command and environment of a job together, in bytes. Each
	// argument counts one byte more than it has, and each variable two, as in the
	// memory of a process. A job of this size can be stored whatever it contains, and
	// its record has room for all that may become of it: see TestRecordsFit.
	MaxJobSize = 512 << 10
	// MaxWorkerSize bounds the record of a registered worker, in bytes as stored. A
	// list of workers and the memory of each replica hold these records.
	MaxWorkerSize = 64 << 10

	// maxName bounds the name of a worker and of a queue, and what a worker tells of
	// its machine and program, in bytes each.
	maxName = 255
	// maxReason bounds the reason of a pause, a stop or a cancellation, in bytes.
	maxReason = lifecycle.MaxReason
	// maxSignal bounds the signal and the signal reason of a result, in bytes each.
	maxSignal = 128
)

// validateJob returns an error for the first field that is not acceptable.
func validateJob(job record.Job) error {
	if len(job.Command) == 0 || job.Command[0] == "" {
		return record.Invalid("command", "must name a program")
	}
	size := 0
	for _, arg := range job.Command {
		if strings.Contains(arg, "\x00") {
			return record.Invalid("command", "contains a zero byte, which no process can be given")
		}
		size += len(arg) + 1
	}
	for name, value := range job.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return record.Invalid("env", "has a variable %q that no process can have", name)
		}
		size += len(name) + len(value) + 2
	}
	switch {
	case size > MaxJobSize:
		return record.Invalid("command",
			"and env have %d bytes together, at most %d are possible; an argument counts one more, a variable two", size, MaxJobSize)
	case job.Timeout < 0:
		return record.Invalid("timeout", "must not be negative")
	case job.RetriesLeft < 0 || job.RetriesLeft > wire.MaxRetries:
		return record.Invalid("retries", "must be 0 to %d", wire.MaxRetries)
	case len(job.IdempotencyKey) > MaxIdempotencyKey:
		return record.Invalid("idempotency_key", "must have at most %d bytes", MaxIdempotencyKey)
	}
	if err := job.Limits.Check(); err != nil {
		return record.Invalid("limits", "are not possible: %v", err)
	}
	return ValidateQueue(job.Queue)
}

// describeMachine returns the worker with what it tells of its machine and program cut
// to maxName bytes. That is for people only, so no worker is turned away for it:
// buildkite-agent sends all of /etc/os-release as its operating system.
func describeMachine(w record.Worker) record.Worker {
	for _, field := range []*string{&w.Hostname, &w.OS, &w.Arch, &w.Version, &w.Build, &w.MachineID} {
		if len(*field) > maxName {
			*field = strings.ToValidUTF8((*field)[:maxName], "")
		}
	}
	return w
}

// QueueOf returns the queue that a worker's tags name, or an error for the first
// field of the worker that is not acceptable. ErrInvalid.
func QueueOf(w record.Worker) (queue string, err error) {
	if w.Name == "" || len(w.Name) > maxName {
		return "", record.Invalid("name", "must have 1 to %d bytes", maxName)
	}
	w = describeMachine(w)
	stored, err := record.Encode(&w)
	if err != nil {
		return "", err //nolint:wrapcheck // it says what was attempted
	}
	if len(stored) > MaxWorkerSize {
		return "", record.Invalid("meta_data", "and features are too long: a worker has at most %d bytes as stored, and this one %d",
			MaxWorkerSize, len(stored))
	}
	if len(w.Tags) > wire.MaxWorkerTags {
		return "", record.Invalid("meta_data", "has %d tags, and at most %d are possible", len(w.Tags), wire.MaxWorkerTags)
	}
	queue, named := wire.DefaultQueue, false
	for _, tag := range w.Tags {
		name, ok := strings.CutPrefix(tag, wire.QueueTag)
		if !ok {
			continue
		}
		if named {
			return "", record.Invalid("meta_data", "names more than one queue")
		}
		queue, named = name, true
	}
	return queue, ValidateQueue(queue)
}

// ValidateQueue returns an error for a name that is not easy to say and type: a queue
// has letters, digits and -_.:/ in ASCII. ErrInvalid.
func ValidateQueue(name string) error {
	if name == "" || len(name) > maxName {
		return record.Invalid("queue", "must have 1 to %d bytes", maxName)
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.:/", c) >= 0:
		default:
			return record.Invalid("queue", "is %q, but may have letters, digits and -_.:/ only", name)
		}
	}
	return nil
}

// resultOf returns the result that an agent reported, in one form: an exit status
// that was not sent is wire.ExitStatusNeverRan, and a sent one is a number without
// leading zeros.
func resultOf(reported wire.FinishRequest, logSize uint64, logCut bool) (lifecycle.Result, error) {
	status, err := strconv.ParseInt(cmp.Or(reported.ExitStatus, wire.ExitStatusNeverRan), 10, 64)
	switch {
	case err != nil:
		return lifecycle.Result{}, record.Invalid("exit_status", "must be a whole number, in quotes")
	case len(reported.Signal) > maxSignal:
		return lifecycle.Result{}, record.Invalid("signal", "must have at most %d bytes", maxSignal)
	case len(reported.SignalReason) > maxSignal:
		return lifecycle.Result{}, record.Invalid("signal_reason", "must have at most %d bytes", maxSignal)
	case reported.ChunksFailed < 0:
		return lifecycle.Result{}, record.Invalid("chunks_failed_count", "must be at least 0")
	case !reported.Usage.Valid():
		return lifecycle.Result{}, record.Invalid("switchyard_usage", "must have no negative number")
	}
	return lifecycle.Result{
		ExitStatus: strconv.FormatInt(status, 10), Signal: reported.Signal, SignalReason: reported.SignalReason,
		ChunksFailed: reported.ChunksFailed, LogSize: logSize, LogCut: logCut,
		Usage: reported.Usage,
	}, nil
}

func validateReason(reason string, required bool) error {
	if required && strings.TrimSpace(reason) == "" {
		return record.Invalid("reason", "must say why")
	}
	if len(reason) > maxReason {
		return record.Invalid("reason", "must have at most %d bytes", maxReason)
	}
	return nil
}
