package agentwire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxJSONBytes bounds a JSON body. The longest, a registration with all its
	// tags, is far shorter.
	maxJSONBytes = 256 << 10

	// gzipOverhead is the most that gzip adds to bytes that do not compress: a
	// header, a trailer, and five bytes for each block of 64 KiB.
	gzipOverhead = 4 << 10
)

// decodeJSON decodes a body of at most maxJSONBytes into a T. Unknown members are
// ignored, since newer agents may send them. An empty body is an empty object.
func decodeJSON[T any](body io.Reader) (T, error) {
	return decodeJSONOf[T](body, maxJSONBytes)
}

// decodeJSONOf is decodeJSON with another limit, in bytes.
func decodeJSONOf[T any](body io.Reader, limit int64) (T, error) {
	var into T
	raw, err := readBounded(body, limit)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return into, err
	}
	if err := json.Unmarshal(raw, &into); err != nil {
		return into, badRequest("body: " + describeJSON(err))
	}
	return into, nil
}

// describeJSON describes a decoding error without the names of Go types.
func describeJSON(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := wrong.Field
		switch {
		case field != "":
		case wrong.Type.Kind() == reflect.Struct, wrong.Type.Kind() == reflect.Map:
			field = "the whole"
		default:
			field = "a member" // of a map; the decoder does not name it
		}
		return fmt.Sprintf("%s must not be a JSON %s", field, wrong.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("not JSON at byte %d", syntax.Offset)
	}
	return "not the JSON that this call requires"
}

// readBounded returns a body of at most limit bytes.
func readBounded(body io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, badRequest("body: it ended early or was sent too slowly")
	}
	if int64(len(raw)) > limit {
		return nil, tooLarge(fmt.Sprintf("body: more than %d bytes", limit))
	}
	return raw, nil
}

// decodeChunkQuery returns a chunk without its data, and the size that the data
// must have, from the query of an upload.
func decodeChunkQuery(query url.Values) (chunk wire.Chunk, size uint64, err error) {
	for _, field := range []struct {
		name string
		into *uint64
		min  uint64
	}{
		{wire.ChunkSequence, &chunk.Sequence, 1},
		{wire.ChunkOffset, &chunk.Offset, 0},
		{wire.ChunkSize, &size, 0},
	} {
		value, err := strconv.ParseUint(query.Get(field.name), 10, 64)
		if err != nil || value < field.min {
			return chunk, 0, badRequest(fmt.Sprintf("query: %s must be a whole number of at least %d", field.name, field.min))
		}
		*field.into = value
	}
	if chunk.Offset+size < chunk.Offset {
		return chunk, 0, badRequest("query: the sum of offset and size is too large")
	}
	return chunk, size, nil
}

// decodeChunk returns the uncompressed bytes of a chunk: exactly size, which must
// be at most limit. The limit bounds the memory that any body takes, and size that
// of a compressed one.
func decodeChunk(body io.Reader, header http.Header, size, limit uint64) ([]byte, error) {
	if size > limit {
		return nil, tooLarge(fmt.Sprintf("query: size is %d, but a chunk has at most %d bytes", size, limit))
	}
	var (
		data []byte
		err  error
	)
	switch encoding := strings.ToLower(header.Get("Content-Encoding")); encoding {
	case "", "identity":
		data, err = readBounded(body, int64(limit)) //nolint:gosec // a constant, far below the bound
	case "gzip":
		data, err = decompress(body, int64(size), int64(limit)) //nolint:gosec // a constant, and no more than that
	default:
		return nil, &httpError{
			status:  http.StatusUnsupportedMediaType,
			message: "Content-Encoding must be gzip, identity or absent",
		}
	}
	if err != nil {
		return nil, err
	}
	switch length := uint64(len(data)); {
	case length > size:
		return nil, badRequest(fmt.Sprintf("body: it has more bytes than the query says, size %d", size))
	case length < size:
		return nil, badRequest(fmt.Sprintf("body: it has %d bytes, but the query says size %d", length, size))
	}
	return data, nil
}

// decompress returns at most one byte more than size, so that the caller finds a
// body that is longer. The limit bounds the compressed body.
func decompress(body io.Reader, size, limit int64) ([]byte, error) {
	compressed, err := readBounded(body, limit+gzipOverhead)
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, badRequest("body: not gzip")
	}
	data, err := io.ReadAll(io.LimitReader(reader, size+1))
	if err != nil {
		return nil, badRequest("body: damaged gzip")
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(fmt.Sprintf("body: more than %d bytes, decompressed", limit))
	}
	return data, nil
}
