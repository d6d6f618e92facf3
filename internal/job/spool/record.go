package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job is what a process needs to report on a job. Its token is a secret.
type Job struct {
	ID string `json:"id"`
	// Token is the job's own token. Without one, no other process can deliver
	// the job's log and result.
	Token string `json:"token,omitempty"`
	// Endpoint is the base URL of the control plane, and Headers are the request
	// headers that it has asked for.
	Endpoint string              `json:"endpoint"`
	Headers  map[string][]string `json:"headers,omitempty"`
	// ChunkMaxSize is the most bytes of one chunk.
	ChunkMaxSize uint64 `json:"chunk_max_size"`
	// StartedAt is when the job was started, and PID the process that started it.
	StartedAt time.Time `json:"started_at"`
	PID       int       `json:"pid"`
}

// String returns the job's ID, without its token.
func (j Job) String() string { return "job " + j.ID }

// GoString returns the same as String: %#v would print the token.
func (j Job) GoString() string { return j.String() }

// Result is how a job ended.
type Result struct {
	// FinishRequest is what is reported to the control plane. ChunksFailed counts the
	// chunks that are lost, without those that are still in the spool.
	wire.FinishRequest

	// Acknowledged is set once the control plane has stored the result, so that
	// only chunks are undelivered.
	Acknowledged bool `json:"acknowledged,omitempty"`
}

const (
	// header begins every record; its version is that of the format.
	header = "switchyard spool 1 "
	// maxRecord is the largest record, in bytes. The longest part of one is the
	// request headers.
	maxRecord = 1 << 20
)

var errDamaged = errors.New("damaged")

//nolint:gochecknoglobals // a table, never written
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns a record as a line with a checksum and a line of JSON.
func encode(record any) ([]byte, error) {
	body, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return fmt.Appendf(nil, "%s%08x\n%s\n", header, crc32.Checksum(body, castagnoli), body), nil
}

// decode parses a record. It returns an error that wraps errDamaged if any byte
// is wrong.
func decode[T any](data []byte) (record T, err error) {
	first, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || !bytes.HasPrefix(first, []byte(header)) {
		return record, fmt.Errorf("%w: no header %q", errDamaged, header)
	}
	body, ok = bytes.CutSuffix(body, []byte("\n"))
	if !ok {
		return record, fmt.Errorf("%w: truncated", errDamaged)
	}
	if sum := fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)); sum != string(first[len(header):]) {
		return record, fmt.Errorf("%w: checksum mismatch: %s, want %q", errDamaged, sum, first[len(header):])
	}
	if json.Unmarshal(body, &record) != nil { // the error may quote a token
		return record, fmt.Errorf("%w: invalid JSON", errDamaged)
	}
	return record, nil
}

// readRecord reads a record from a file.
func readRecord[T any](path string) (record T, err error) {
	data, err := os.ReadFile(path) //nolint:gosec // the directory is ours
	if err != nil {
		return record, fmt.Errorf("reading the spool: %w", err)
	}
	if len(data) > maxRecord {
		return record, fmt.Errorf("%w: more than %d bytes", errDamaged, maxRecord)
	}
	return decode[T](data)
}

// replaceRecord writes a record into a file beside path and renames it to path, so
// that path never holds a part of it. With durable it syncs the content.
func replaceRecord(path string, record any, durable bool) error {
	beside := path + ".new"
	if err := writeRecord(beside, record, durable); err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	return nil
}

// writeRecord writes a record. With durable it syncs the content; a power failure
// before its end may leave a part of it, which the checksum shows.
func writeRecord(path string, record any, durable bool) error {
	data, err := encode(record)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data, ownerOnlyFile); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if durable {
		return syncPath(path, os.O_RDWR)
	}
	return nil
}

// syncDir writes the names in a directory to the disk. It does nothing on Windows,
// which cannot sync a directory, and journals file names.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncPath(dir, os.O_RDONLY)
}

// syncPath writes the content of a file or directory to the disk.
func syncPath(path string, flag int) error {
	file, err := os.OpenFile(path, flag, 0) //nolint:gosec // the directory is ours
	if err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // synced before
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}
