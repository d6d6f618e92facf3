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

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Chunk compresses and uploads a chunk of the log. It is tried up to twelve times
// in about ten minutes, and at most for an hour, while the error is [Retryable];
// unlike with existing agents, that includes a 429. After an error the chunk is
// lost, which does not fail the job. Several chunks of a job may be uploaded at
// once.
func (j *JobSession) Chunk(ctx context.Context, chunk wire.Chunk) error {
	c := j.call(fmt.Sprintf("uploading chunk %d of", chunk.Sequence), http.MethodPost, wire.PathChunks)
	body, err := compress(chunk.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.doing, err)
	}
	c.body, c.bodyType, c.untimed = body, "text/plain", true
	c.headers = http.Header{headerContentEncoding: {"gzip"}}
	c.query = url.Values{
		wire.ChunkSequence: {strconv.FormatUint(chunk.Sequence, 10)},
		wire.ChunkOffset:   {strconv.FormatUint(chunk.Offset, 10)},
		wire.ChunkSize:     {strconv.Itoa(len(chunk.Data))},
	}
	return j.session.send(ctx, deliverRule(), c)
}

// compressors are reused: each one needs about a megabyte.
var compressors = sync.Pool{ //nolint:gochecknoglobals // a cache, without state that matters
	New: func() any { return gzip.NewWriter(nil) },
}

func compress(data []byte) ([]byte, error) {
	var compressed bytes.Buffer
	writer := compressors.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool holds nothing else
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
