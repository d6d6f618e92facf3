package spool

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"
)

const (
	piecePrefix = "chunk-"
	badPrefix   = "bad-"
)

// Piece is one piece of output in the spool.
type Piece struct {
	Number uint64 // from 1
	Offset uint64 // the bytes of output before it
	Size   uint64 // in bytes
}

func pieceName(number, offset uint64) string {
	return piecePrefix + strconv.FormatUint(number, 10) + "-" + strconv.FormatUint(offset, 10)
}

// parsePieceName reads what pieceName writes, and nothing else.
func parsePieceName(name string) (number, offset uint64, ok bool) {
	first, second, ok := strings.Cut(strings.TrimPrefix(name, piecePrefix), "-")
	if !ok {
		return 0, 0, false
	}
	number, err := strconv.ParseUint(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	offset, err = strconv.ParseUint(second, 10, 64)
	if err != nil || number == 0 || pieceName(number, offset) != name { // no sign, no leading zero
		return 0, 0, false
	}
	return number, offset, true
}

// readPieces finds the pieces in a job's folder, in order. What does not fit
// with the others is set aside; how many are lost that way, or are empty (a
// power cut leaves such), is told.
func readPieces(dir string, limit uint64, logger *zap.Logger) (pieces []Piece, lost int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the spool: %w", err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), piecePrefix) {
			continue
		}
		number, offset, ok := parsePieceName(file.Name())
		info, err := file.Info()
		ok = ok && err == nil && info.Mode().IsRegular() && uint64(info.Size()) <= limit //nolint:gosec // a size is not negative
		switch {
		case !ok || offset+limit < offset:
			lost++
			setAside(filepath.Join(dir, file.Name()), "it is no piece of output", logger)
		case info.Size() == 0:
			lost++
		default:
			pieces = append(pieces, Piece{Number: number, Offset: offset, Size: uint64(info.Size())}) //nolint:gosec // as above
		}
	}
	slices.SortFunc(pieces, func(a, b Piece) int { return cmp.Compare(a.Number, b.Number) })
	fitting := pieces[:0]
	var last, end uint64
	for _, piece := range pieces {
		if piece.Number == last || piece.Offset < end {
			lost++
			setAside(filepath.Join(dir, pieceName(piece.Number, piece.Offset)), "it overlaps the piece before it", logger)
			continue
		}
		last, end = piece.Number, piece.Offset+piece.Size
		fitting = append(fitting, piece)
	}
	return fitting, lost, nil
}

// setAside renames what cannot be read, so that it is in nobody's way and a
// person can look at it.
func setAside(path, why string, logger *zap.Logger) {
	aside := filepath.Join(filepath.Dir(path), badPrefix+filepath.Base(path))
	logger.Error("something in the spool cannot be used and is set aside",
		zap.String("was", path), zap.String("is", aside), zap.String("because", why))
	if err := os.Rename(path, aside); err != nil {
		logger.Error("it could not be set aside", zap.String("path", path), zap.Error(err))
	}
}
