package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
)

const (
	chunkPrefix = "chunk-"
	// damagedPrefix is put before the name of a file that cannot be used.
	damagedPrefix = "bad-"
)

// Chunk is a log chunk in the spool.
type Chunk struct {
	Sequence uint64 // from 1
	Offset   uint64 // bytes of the log before it
	Size     uint64 // in bytes
}

// End returns the offset of the next chunk.
func (c Chunk) End() uint64 { return c.Offset + c.Size }

func chunkName(sequence, offset uint64) string {
	return fmt.Sprintf("%s%d-%d", chunkPrefix, sequence, offset)
}

// parseChunkName parses exactly the names that chunkName returns.
func parseChunkName(name string) (sequence, offset uint64, ok bool) {
	_, err := fmt.Sscanf(name, chunkPrefix+"%d-%d", &sequence, &offset)
	return sequence, offset, err == nil && sequence > 0 && chunkName(sequence, offset) == name
}

// leftChunk is a chunk that another process left.
type leftChunk struct {
	Chunk

	segments []segment // in the job's file; empty if the chunk has a file of its own
	sent     bool      // it was delivered or refused
}

// chunksOf returns the chunks among the frames of a job's file, in order of their first
// frames, and how many of them are not complete.
func chunksOf(frames []frame) (chunks []leftChunk, lost int) {
	bySequence := map[uint64]int{}
	void := map[uint64]bool{}
	for _, f := range frames {
		switch f.kind {
		case kindVoid:
			void[f.sequence] = true
			continue
		case kindData, kindSent:
		default:
			continue
		}
		i, ok := bySequence[f.sequence]
		if !ok {
			i = len(chunks)
			bySequence[f.sequence] = i
			chunks = append(chunks, leftChunk{Chunk: Chunk{Sequence: f.sequence, Offset: f.offset}, sent: true})
		}
		c := &chunks[i]
		c.Size += uint64(len(f.content))
		c.segments = append(c.segments, f.segment)
		c.sent = c.sent && f.kind == kindSent
	}
	return slices.DeleteFunc(chunks, func(c leftChunk) bool { return void[c.Sequence] }), len(void)
}

// readChunks returns the chunks in the directory of a long log, and how many are
// lost: files that are not chunks, which are set aside, and empty ones, which a power
// failure leaves. The directory need not exist.
func readChunks(dir string, maxSize uint64, logger *zap.Logger) (chunks []leftChunk, lost int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("reading the spool: %w", err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), chunkPrefix) {
			continue
		}
		sequence, offset, ok := parseChunkName(file.Name())
		info, err := file.Info()
		ok = ok && err == nil && info.Mode().IsRegular() && uint64(info.Size()) <= maxSize //nolint:gosec // a size is not negative
		switch {
		case !ok:
			lost++
			setAside(filepath.Join(dir, file.Name()), "not a log chunk", logger)
		case info.Size() == 0:
			lost++
		default:
			size := uint64(info.Size()) //nolint:gosec // as above
			chunks = append(chunks, leftChunk{Chunk: Chunk{Sequence: sequence, Offset: offset, Size: size}})
		}
	}
	return chunks, lost, nil
}

// fit returns the chunks that fit together, in order, and those that do not.
func fit(chunks []leftChunk, maxSize uint64) (fitting, others []leftChunk) {
	slices.SortStableFunc(chunks, func(a, b leftChunk) int { return cmp.Compare(a.Sequence, b.Sequence) })
	var last Chunk
	for _, c := range chunks {
		if c.Sequence == last.Sequence || c.Offset < last.End() || c.Size == 0 || c.Size > maxSize || c.Offset+maxSize < c.Offset {
			others = append(others, c)
			continue
		}
		last = c.Chunk
		fitting = append(fitting, c)
	}
	return fitting, others
}

// setAside renames an unusable file, so that it is ignored and can be inspected.
func setAside(path, reason string, logger *zap.Logger) {
	aside := filepath.Join(filepath.Dir(path), damagedPrefix+filepath.Base(path))
	logger.Error("unusable file in the spool; renamed",
		zap.String("file", path), zap.String("new_file", aside), zap.String("reason", reason))
	if err := os.Rename(path, aside); err != nil {
		logger.Error("could not rename an unusable file in the spool", zap.String("file", path), zap.Error(err))
	}
}
