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
)

const (
	// maxJSONBytes bounds the body of a call with a JSON body. The longest, a
	// registration with all its tags, stays far below it.
	maxJSONBytes = 256 << 10

	// gzipOverhead is what gzip may add to bytes that do not compress: a header,
	// a trailer, and five bytes for each stored block of 64 KiB.
	gzipOverhead = 4 << 10
)

// decodeJSON reads a body into a T. Unknown members are ignored, since agents
// newer than we are may send them, and an absent body is an empty object, since
// all members of some requests may be left out.
func decodeJSON[T any](body io.Reader) (T, error) {
	return decodeJSONOf[T](body, maxJSONBytes)
}

// decodeJSONOf is decodeJSON for a body of at most limit bytes.
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

// describeJSON says what was wrong, without the names of our types.
func describeJSON(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := wrong.Field
		switch {
		case field != "":
		case wrong.Type.Kind() == reflect.Struct, wrong.Type.Kind() == reflect.Map:
			field = "the whole"
		default:
			field = "a member" // of a map, whose names the decoder does not say
		}
		return fmt.Sprintf("%s must not be a JSON %s", field, wrong.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("not JSON at byte %d", syntax.Offset)
	}
	return "not the JSON that this call takes"
}

// readBounded reads a body of at most limit bytes.
func readBounded(body io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, badRequest("body: it ended early or came too slowly")
	}
	if int64(len(raw)) > limit {
		return nil, tooLarge(fmt.Sprintf("body: more than %d bytes", limit))
	}
	return raw, nil
}

// A chunkPlace is where a chunk belongs in its log.
type chunkPlace struct {
	sequence, offset, size uint64
}

// decodeChunkPlace reads the query of a chunk.
func decodeChunkPlace(query url.Values) (chunkPlace, error) {
	var place chunkPlace
	for _, field := range []struct {
		name string
		into *uint64
		min  uint64
	}{
		{"sequence", &place.sequence, 1},
		{"offset", &place.offset, 0},
		{"size", &place.size, 0},
	} {
		value, err := strconv.ParseUint(query.Get(field.name), 10, 64)
		if err != nil || value < field.min {
			return chunkPlace{}, badRequest(fmt.Sprintf("query: %s must be a whole number of at least %d", field.name, field.min))
		}
		*field.into = value
	}
	if place.offset+place.size < place.offset {
		return chunkPlace{}, badRequest("query: offset and size add up to more than a log can hold")
	}
	return place, nil
}

// decodeChunk reads the bytes of a chunk, at most limit of them, whatever they
// were compressed to.
func decodeChunk(body io.Reader, header http.Header, size, limit uint64) ([]byte, error) {
	if size > limit {
		return nil, tooLarge(fmt.Sprintf("query: size is %d, and a chunk has at most %d bytes", size, limit))
	}
	var (
		data []byte
		err  error
	)
	switch encoding := strings.ToLower(header.Get("Content-Encoding")); encoding {
	case "", "identity":
		data, err = readBounded(body, int64(limit)) //nolint:gosec // a limit of ours, far below the bound
	case "gzip":
		data, err = decompress(body, int64(limit)) //nolint:gosec // the same
	default:
		return nil, &httpError{
			status:  http.StatusUnsupportedMediaType,
			message: "Content-Encoding: a chunk is sent as gzip, or as it is",
		}
	}
	if err != nil {
		return nil, err
	}
	if uint64(len(data)) != size {
		return nil, badRequest(fmt.Sprintf("body: it has %d bytes, and the query says size %d", len(data), size))
	}
	return data, nil
}

func decompress(body io.Reader, limit int64) ([]byte, error) {
	compressed, err := readBounded(body, limit+gzipOverhead)
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, badRequest("body: not gzip")
	}
	data, err := io.ReadAll(io.LimitReader(reader, limit+1))
	if err != nil {
		return nil, badRequest("body: damaged gzip")
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(fmt.Sprintf("body: more than %d bytes, decompressed", limit))
	}
	return data, nil
}
