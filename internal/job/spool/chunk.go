package spool

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
)

const (
	chunkPrefix = "chunk-"
	// damagedPrefix is put before the name of a file or directory that cannot be
	// used.
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

// readChunks returns the chunks in a job's directory, in order, and how many are
// lost: files that do not fit with the others, which are set aside, and empty
// ones, which a power failure leaves.
func readChunks(dir string, maxSize uint64, logger *zap.Logger) (chunks []Chunk, lost int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
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
		case !ok || offset+maxSize < offset:
			lost++
			setAside(filepath.Join(dir, file.Name()), "not a log chunk", logger)
		case info.Size() == 0:
			lost++
		default:
			chunks = append(chunks, Chunk{Sequence: sequence, Offset: offset, Size: uint64(info.Size())}) //nolint:gosec // as above
		}
	}
	slices.SortFunc(chunks, func(a, b Chunk) int { return cmp.Compare(a.Sequence, b.Sequence) })
	fitting := chunks[:0]
	var last Chunk
	for _, c := range chunks {
		if c.Sequence == last.Sequence || c.Offset < last.End() {
			lost++
			setAside(filepath.Join(dir, chunkName(c.Sequence, c.Offset)), "overlaps the previous chunk", logger)
			continue
		}
		last = c
		fitting = append(fitting, c)
	}
	return fitting, lost, nil
}

// setAside renames an unusable file, so that it is ignored and can be inspected.
func setAside(path, reason string, logger *zap.Logger) {
	aside := filepath.Join(filepath.Dir(path), damagedPrefix+filepath.Base(path))
	logger.Error("unusable file in the spool; renamed",
		zap.String("path", path), zap.String("new_path", aside), zap.String("reason", reason))
	if err := os.Rename(path, aside); err != nil {
		logger.Error("could not rename an unusable file in the spool", zap.String("path", path), zap.Error(err))
	}
}
