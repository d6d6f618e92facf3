package agentwire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const testChunkLimit = 1 << 10

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func statusOf(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return http.StatusOK
	}
	failure, ok := errors.AsType[*httpError](err)
	if !ok {
		t.Fatalf("error %v has no status", err)
	}
	return failure.status
}

func TestDecodeChunk(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte{'x'}, testChunkLimit)
	for _, row := range []struct {
		name, encoding string
		body           []byte
		size           uint64
		status         int
		message        string
	}{
		{"gzip", "gzip", zipped(t, []byte("hello")), 5, http.StatusOK, ""},
		{"gzip in capitals", "GZIP", zipped(t, []byte("hello")), 5, http.StatusOK, ""},
		{"not compressed", "", []byte("hello"), 5, http.StatusOK, ""},
		{"identity", "identity", []byte("hello"), 5, http.StatusOK, ""},
		{"empty", "gzip", zipped(t, nil), 0, http.StatusOK, ""},
		{"largest", "gzip", zipped(t, whole), testChunkLimit, http.StatusOK, ""},
		{"size too large", "gzip", zipped(t, nil), testChunkLimit + 1, http.StatusRequestEntityTooLarge, "query: size"},
		{"body larger than size", "gzip", zipped(t, []byte("hello")), 4, http.StatusBadRequest, "size 4"},
		{"body smaller than size", "gzip", zipped(t, []byte("hello")), 6, http.StatusBadRequest, "size 6"},
		{"one byte too long", "gzip", zipped(t, append(whole, 'x')), testChunkLimit, http.StatusRequestEntityTooLarge, "decompressed"},
		{"decompression bomb", "gzip", zipped(t, make([]byte, 64<<20)), testChunkLimit, http.StatusRequestEntityTooLarge, ""},
		{"too long, not compressed", "", append(whole, 'x'), testChunkLimit, http.StatusRequestEntityTooLarge, "1024"},
		{"not gzip", "gzip", []byte("hello"), 5, http.StatusBadRequest, "not gzip"},
		{"truncated gzip", "gzip", zipped(t, whole)[:20], testChunkLimit, http.StatusBadRequest, "damaged gzip"},
		{"unknown encoding", "br", []byte("hello"), 5, http.StatusUnsupportedMediaType, "gzip"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Content-Encoding": {row.encoding}}
			data, err := decodeChunk(bytes.NewReader(row.body), header, row.size, testChunkLimit)
			if got := statusOf(t, err); got != row.status {
				t.Fatalf("status %d (%v), want %d", got, err, row.status)
			}
			if err != nil && !strings.Contains(err.Error(), row.message) {
				t.Errorf("message %q does not contain %q", err, row.message)
			}
			if err == nil && uint64(len(data)) != row.size {
				t.Errorf("%d bytes, want %d", len(data), row.size)
			}
		})
	}
}

func TestDecodeChunkQuery(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{
		"sequence=1&offset=0&size=10":                               http.StatusOK,
		"sequence=18446744073709551615&offset=0&size=0":             http.StatusOK,
		"sequence=0&offset=0&size=10":                               http.StatusBadRequest,
		"offset=0&size=10":                                          http.StatusBadRequest,
		"sequence=1&size=10":                                        http.StatusBadRequest,
		"sequence=1&offset=0":                                       http.StatusBadRequest,
		"sequence=x&offset=0&size=10":                               http.StatusBadRequest,
		"sequence=-1&offset=0&size=10":                              http.StatusBadRequest,
		"sequence=1.0&offset=0&size=10":                             http.StatusBadRequest,
		"sequence=18446744073709551616&offset=0&size=1":             http.StatusBadRequest,
		"sequence=1&offset=18446744073709551615&size=1":             http.StatusBadRequest,
		"sequence=1&offset=18446744073709551610&size=5":             http.StatusOK,
		"sequence=1&offset=0&size=10&sequence=9&something=else+too": http.StatusOK,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := decodeChunkQuery(values); statusOf(t, err) != want {
			t.Errorf("%s: %v, want status %d", query, err, want)
		}
	}
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	type shape struct {
		Name string   `json:"name"`
		Tags []string `json:"meta_data"`
	}
	for _, row := range []struct {
		body    string
		status  int
		message string
	}{
		{`{"name":"a","meta_data":["queue=x"]}`, http.StatusOK, ""},
		{`{"name":"a","newer":{"than":["we"]}}`, http.StatusOK, ""},
		{``, http.StatusOK, ""},
		{" \n", http.StatusOK, ""},
		{`{"name":null}`, http.StatusOK, ""},
		{`{"name":1}`, http.StatusBadRequest, "name must not be a JSON number"},
		{`{"meta_data":{}}`, http.StatusBadRequest, "meta_data must not be a JSON object"},
		{`[]`, http.StatusBadRequest, "the whole must not be a JSON array"},
		{`{"name"`, http.StatusBadRequest, "not JSON at byte"},
		{`{} {}`, http.StatusBadRequest, "not JSON at byte"},
		{`<html>`, http.StatusBadRequest, "not JSON at byte 1"},
		{`{"name":"` + strings.Repeat("x", maxJSONBytes) + `"}`, http.StatusRequestEntityTooLarge, "262144 bytes"},
	} {
		_, err := decodeJSON[shape](strings.NewReader(row.body))
		if got := statusOf(t, err); got != row.status {
			t.Errorf("%.40s: status %d (%v), want %d", row.body, got, err, row.status)
		}
		if err != nil && !strings.Contains(err.Error(), row.message) {
			t.Errorf("%.40s: message %q does not contain %q", row.body, err, row.message)
		}
	}
}

func FuzzDecodeChunk(f *testing.F) {
	f.Add(zipped(f, []byte("hello")), "gzip", "sequence=1&offset=0&size=5")
	f.Add([]byte("hello"), "", "sequence=1&offset=0&size=5")
	f.Add([]byte("\x1f\x8b"), "gzip", "sequence=&offset=0&size=5;")
	f.Fuzz(func(t *testing.T, body []byte, encoding, rawQuery string) {
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Skip("not a query")
		}
		_, size, err := decodeChunkQuery(query)
		if err != nil {
			_ = statusOf(t, err)
			return
		}
		data, err := decodeChunk(bytes.NewReader(body), http.Header{"Content-Encoding": {encoding}}, size, testChunkLimit)
		if err != nil {
			_ = statusOf(t, err)
			return
		}
		if uint64(len(data)) != size || len(data) > testChunkLimit {
			t.Errorf("decoded %d bytes for size %d", len(data), size)
		}
	})
}

// FuzzDecodeJSON checks that each decoder returns a value or an error with a
// status, and that an accepted result has a number as its exit status.
func FuzzDecodeJSON(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"name":"a","meta_data":["queue=q"],"pid":1}`, `{"exit_status":"-1","chunks_failed_count":0}`,
		`{"exit_status":7}`, `{"finished_at":"2026-01-02T03:04:05.6Z"}`, `{"timeout_in_minutes":1e9}`, `{"a":{"a":{"a":[`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := decodeJSON[wire.RegisterRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
		_, err = decodeJSON[map[string]string](bytes.NewReader(body))
		_ = statusOf(t, err)
		_, err = decodeJSON[wire.StartRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
		_, err = decodeJSON[wire.PauseRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
		_, err = decodeJSON[wire.StopRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
		_, err = decodeJSON[promiseFailureRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
		if beat, err := decodeJSON[wire.HeartbeatRequest](bytes.NewReader(body)); err == nil {
			at, err := parseTime("sent_at", beat.SentAt)
			if _ = statusOf(t, err); err == nil && at.IsZero() && beat.SentAt != "" && !strings.HasPrefix(beat.SentAt, "0") {
				t.Errorf("%q is decoded as the zero time", beat.SentAt)
			}
		}
		_, err = decodeJSON[wire.FinishRequest](bytes.NewReader(body))
		_ = statusOf(t, err)
	})
}
