package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Job is what must be known to report on a job. It holds a secret: the token.
type Job struct {
	// ID is the job's id.
	ID string `json:"id"`
	// Token is the job's own token. Without one, what is owed cannot be
	// delivered by another process.
	Token string `json:"token,omitempty"`
	// Endpoint is the base URL of the control plane, and Headers what it wants
	// to be sent along.
	Endpoint string              `json:"endpoint"`
	Headers  map[string][]string `json:"headers,omitempty"`
	// ChunkMaxSize is the most bytes that one piece may hold.
	ChunkMaxSize uint64 `json:"chunk_max_size"`
	// StartedAt is when the job was started, and PID the process that did so.
	StartedAt time.Time `json:"started_at"`
	PID       int       `json:"pid"`
}

// String names the job; it keeps the token out of logs.
func (j Job) String() string { return "job " + j.ID }

// GoString is String: a job printed with %#v would show its token.
func (j Job) GoString() string { return j.String() }

// Result is how a job ended, in the words of the wire.
type Result struct {
	ExitStatus   string    `json:"exit_status"`
	Signal       string    `json:"signal,omitempty"`
	SignalReason string    `json:"signal_reason,omitempty"`
	FinishedAt   time.Time `json:"finished_at"`
	// ChunksFailed counts the pieces of output that are lost; not those that
	// are still in the spool.
	ChunksFailed int `json:"chunks_failed"`
	// Delivered means that the control plane knows the result already, and only
	// output is owed.
	Delivered bool `json:"delivered,omitempty"`
}

// header begins every record; the version is that of the format.
const header = "switchyard spool 1 "

// maxRecord bounds a record. The longest part of one is the headers of a
// control plane.
const maxRecord = 1 << 20

var errDamaged = errors.New("it is damaged")

//nolint:gochecknoglobals // a table, never written
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode writes a record: a line with its checksum, and a line of JSON.
func encode(record any) ([]byte, error) {
	body, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return fmt.Appendf(nil, "%s%08x\n%s\n", header, crc32.Checksum(body, castagnoli), body), nil
}

// decode reads a record. Whatever is not one, byte for byte, is an error.
func decode[T any](data []byte) (record T, err error) {
	first, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || !bytes.HasPrefix(first, []byte(header)) {
		return record, fmt.Errorf("%w: it does not begin with %q", errDamaged, header)
	}
	body, ok = bytes.CutSuffix(body, []byte("\n"))
	if !ok {
		return record, fmt.Errorf("%w: it breaks off", errDamaged)
	}
	if sum := fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)); sum != string(first[len(header):]) {
		return record, fmt.Errorf("%w: its checksum is %s, not %q", errDamaged, sum, first[len(header):])
	}
	if json.Unmarshal(body, &record) != nil { // the error may quote a token
		return record, fmt.Errorf("%w: it is not the JSON that it should be", errDamaged)
	}
	return record, nil
}
