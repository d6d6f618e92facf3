// Package backup reads and writes the file of a backup: the messages of
// BackupService.Backup in gzip, each after its length. The first is the header, the
// last one the trailer, without which the file is incomplete.
package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/switchyard-ci/switchyard/internal/dirsync"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxMessage bounds one message, in bytes: a record has up to 1 MiB.
const maxMessage = 4 << 20

// ErrIncomplete is in the chain of the error of a file without a trailer.
var ErrIncomplete = errors.New("the backup is incomplete")

// Write writes a backup to a file that must not exist, and returns how many records it has.
// receive returns the messages one by one, and false after the last one. The file is
// complete and on disk, or it does not exist: it has another name until then. The error
// wraps os.ErrExist if there is a file, ErrIncomplete if no trailer was received, and the
// error of receive.
func Write(path string, receive func() (*switchyardv1.BackupResponse, bool, error)) (records int64, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		if err == nil {
			err = os.ErrExist
		}
		return 0, fmt.Errorf("writing the backup %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-*") // with mode 0600: it has the environment of jobs
	if err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	name := file.Name()
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	records, err = WriteTo(file, receive)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return records, err
	}
	if err := os.Rename(name, path); err != nil {
		return records, fmt.Errorf("writing the backup: %w", err)
	}
	name = path
	if err := dirsync.Sync(filepath.Dir(path)); err != nil {
		return records, fmt.Errorf("writing the name of the backup: %w", err)
	}
	return records, nil
}

// WriteTo is Write to w. A backup that is not complete lacks its end, and is not restored.
func WriteTo(w io.Writer, receive func() (*switchyardv1.BackupResponse, bool, error)) (records int64, err error) {
	packed := gzip.NewWriter(w)
	complete := false
	for {
		message, more, err := receive()
		if err != nil {
			return records, err
		}
		if !more {
			break
		}
		if trailer := message.GetTrailer(); trailer != nil {
			records, complete = trailer.GetRecords(), true
		}
		if _, err := protodelim.MarshalTo(packed, message); err != nil {
			return records, fmt.Errorf("writing the backup: %w", err)
		}
	}
	if !complete {
		return records, fmt.Errorf("%w: the control plane ended it early", ErrIncomplete)
	}
	if err := packed.Close(); err != nil {
		return records, fmt.Errorf("writing the backup: %w", err)
	}
	return records, nil
}

// Reader reads the file of a backup. Its methods must not be called concurrently.
type Reader struct {
	ctx      context.Context //nolint:containedctx // of the whole reading
	stop     func() bool
	file     *os.File
	messages *bufio.Reader
	header   *switchyardv1.BackupHeader
	records  int64
}

// standardInput is opened again, because a read of os.Stdin does not end with a context.
const standardInput = "/dev/stdin"

// Open opens a file and reads its header; "-" is standard input, which Windows does not
// have as a file. The caller closes the Reader. When ctx ends, a read fails with its cause,
// also one of a pipe from which nothing comes. The error names the file.
func Open(ctx context.Context, path string) (*Reader, error) {
	if path == "-" {
		path = standardInput
	}
	file, err := os.Open(path) //nolint:gosec // named by the operator
	if err != nil {
		return nil, fmt.Errorf("reading the backup: %w", err)
	}
	r := &Reader{ctx: ctx, file: file}
	r.stop = context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Now()) })
	if err := r.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the backup %s: %w", path, err), r.Close())
	}
	return r, nil
}

// begin reads the header.
func (r *Reader) begin() error {
	packed, err := gzip.NewReader(r.file)
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	if err != nil {
		return fmt.Errorf("it is not a backup: %w", err)
	}
	r.messages = bufio.NewReader(packed)
	first, err := r.read()
	if err != nil {
		return err
	}
	if r.header = first.GetHeader(); r.header == nil {
		return errors.New("it is not a backup: it has no header")
	}
	return nil
}

// read reads the next message. The error wraps ErrIncomplete if the file ends before it.
func (r *Reader) read() (*switchyardv1.BackupResponse, error) {
	message := &switchyardv1.BackupResponse{}
	err := protodelim.UnmarshalOptions{MaxSize: maxMessage}.UnmarshalFrom(r.messages, message)
	switch {
	case r.ctx.Err() != nil:
		return nil, context.Cause(r.ctx)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = ErrIncomplete
	}
	if err != nil {
		return nil, fmt.Errorf("after %d records: %w", r.records, err)
	}
	return message, nil
}

// Header returns what is known of the backup as a whole.
func (r *Reader) Header() *switchyardv1.BackupHeader { return r.header }

// Next returns the next record, and false after the last one, once the checksum of the file
// was found to be right. The error wraps ErrIncomplete if the file ends early or lacks
// records.
func (r *Reader) Next() (*switchyardv1.BackupRecord, bool, error) {
	message, err := r.read()
	switch {
	case err != nil:
		return nil, false, err
	case message.GetRecord() != nil:
		r.records++
		return message.GetRecord(), true, nil
	case message.GetTrailer() == nil:
		return nil, false, errors.New("the backup has a message of an unknown kind")
	case message.GetTrailer().GetRecords() != r.records:
		return nil, false, fmt.Errorf("%w: it has %d records of %d", ErrIncomplete, r.records, message.GetTrailer().GetRecords())
	}
	switch _, err := r.messages.ReadByte(); { // which checks the checksum of the whole file
	case errors.Is(err, io.EOF):
		return nil, false, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, false, fmt.Errorf("%w: it ends within its checksum", ErrIncomplete)
	case err != nil:
		return nil, false, fmt.Errorf("the backup is damaged: %w", err)
	}
	return nil, false, errors.New("the backup is damaged: it goes on after its end")
}

// Close closes the file.
func (r *Reader) Close() error {
	r.stop()
	return r.file.Close() //nolint:wrapcheck // it names the file
}
