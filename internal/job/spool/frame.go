package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// kind is what the content of a frame is.
type kind byte

const (
	kindJob    kind = 'J' // a Job; the first frame
	kindResult kind = 'R' // a Result; the last one counts
	kindData   kind = 'D' // bytes of a chunk, after those of earlier frames of the chunk
	kindSent   kind = 'S' // the same, of a chunk that was delivered or refused
	kindVoid   kind = 'V' // the same, of a chunk that is not complete
)

const (
	// header begins every frame; its version is that of the format.
	header = "switchyard spool 2 "
	// maxRecord is the largest record, in bytes. The longest part of one is the
	// request headers.
	maxRecord = 1 << 20
)

var errDamaged = errors.New("damaged")

//nolint:gochecknoglobals // a table, never written
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one frame of a job's file.
type frame struct {
	kind             kind
	sequence, offset uint64 // of the chunk; 0 for a record
	content          []byte
	segment          segment
}

// segment is the place of a frame in its file.
type segment struct {
	at      int64 // where the frame begins
	content int64 // where its content begins
	size    int64 // of the content, in bytes
}

// kindAt returns where the kind of the frame is in the file.
func (s segment) kindAt() int64 { return s.at + int64(len(header)) }

// encode returns a frame.
func encode(k kind, sequence, offset uint64, content []byte) []byte {
	numbers := fmt.Sprintf("%d %d %d", sequence, offset, len(content))
	line := fmt.Sprintf("%s%c %s %08x\n", header, k, numbers, checksum(numbers, content))
	return append(append(append(make([]byte, 0, len(line)+len(content)+1), line...), content...), '\n')
}

// checksum is of the content and its place. The kind is not part of it, because it is
// overwritten.
func checksum(numbers string, content []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(numbers), castagnoli), castagnoli, content)
}

// encodeRecord returns a frame with a job or a result.
func encodeRecord(k kind, record any) ([]byte, error) {
	content, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	if len(content) > maxRecord {
		return nil, fmt.Errorf("encoding a record: more than %d bytes", maxRecord)
	}
	return encode(k, 0, 0, content), nil
}

// decode returns the frames at the start of a file, up to the first that is not
// complete, and their size in bytes.
func decode(data []byte) (frames []frame, size int64) {
	for {
		f, rest, ok := decodeOne(data[size:])
		if !ok {
			return frames, size
		}
		f.segment.at += size
		f.segment.content += size
		frames = append(frames, f)
		size = int64(len(data) - len(rest))
	}
}

// decodeOne returns the first frame of some bytes, and what follows it.
func decodeOne(data []byte) (f frame, rest []byte, ok bool) {
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	if !ok || !bytes.HasPrefix(line, []byte(header)) {
		return f, nil, false
	}
	var size, sum uint64
	_, err := fmt.Sscanf(string(line[len(header):]), "%c %d %d %d %x", &f.kind, &f.sequence, &f.offset, &size, &sum)
	if err != nil {
		return f, nil, false
	}
	if size >= uint64(len(rest)) || rest[size] != '\n' {
		return f, nil, false
	}
	f.content = rest[:size]
	f.segment = segment{content: int64(len(line)) + 1, size: int64(len(f.content))}
	numbers := fmt.Sprintf("%d %d %d", f.sequence, f.offset, size)
	ok = uint64(checksum(numbers, f.content)) == sum
	return f, rest[size+1:], ok
}

// decodeRecord decodes the content of a frame. It returns an error that wraps
// errDamaged, and does not quote the content, which has a token.
func decodeRecord[T any](content []byte) (record T, err error) {
	if len(content) > maxRecord {
		return record, fmt.Errorf("%w: more than %d bytes", errDamaged, maxRecord)
	}
	if json.Unmarshal(content, &record) != nil {
		return record, fmt.Errorf("%w: invalid JSON", errDamaged)
	}
	return record, nil
}
