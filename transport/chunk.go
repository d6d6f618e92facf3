package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

// Chunk is a piece of a job's log.
type Chunk struct {
	// Sequence counts the chunks of a job from one.
	Sequence uint64
	// Offset is the number of uncompressed bytes before this chunk.
	Offset uint64
	// Data is the piece itself, not compressed. It must not change until
	// [JobSession.Chunk] returns.
	Data []byte
}

// Chunk compresses and uploads a piece of the log. It is tried up to twelve
// times in about ten minutes, and no longer than an hour, while the error is
// [Retryable]; unlike with existing agents, that includes a 429. After an
// error the piece is lost, which does not fail a job. Several chunks of a job
// may be under way at once.
func (j *JobSession) Chunk(ctx context.Context, chunk Chunk) error {
	doing := fmt.Sprintf("uploading chunk %d of the log of job %s", chunk.Sequence, j.id)
	body, err := compress(chunk.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	headers := http.Header{}
	headers.Set(headerContentEncoding, "gzip")
	return j.session.retryPlain(ctx, deliverRule(), call{
		doing: doing, method: http.MethodPost, path: []string{routeJobs, j.id, "chunks"},
		query: url.Values{
			"sequence": {strconv.FormatUint(chunk.Sequence, 10)},
			"offset":   {strconv.FormatUint(chunk.Offset, 10)},
			"size":     {strconv.Itoa(len(chunk.Data))},
		},
		token: j.token, headers: headers, body: body, bodyType: "text/plain", untimed: true,
	})
}

// compressors are kept: one is about a megabyte.
var compressors = sync.Pool{ //nolint:gochecknoglobals // a cache without meaning of its own
	New: func() any { return gzip.NewWriter(nil) },
}

func compress(data []byte) ([]byte, error) {
	var compressed bytes.Buffer
	writer, ok := compressors.Get().(*gzip.Writer)
	if !ok {
		writer = gzip.NewWriter(nil)
	}
	defer compressors.Put(writer)
	writer.Reset(&compressed)
	if _, err := writer.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return compressed.Bytes(), nil
}
