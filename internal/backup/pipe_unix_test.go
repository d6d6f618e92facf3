//go:build unix

package backup

import (
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protodelim"
)

// The reading of a pipe ends with its context, also while nothing comes from the pipe.
func TestReadIsInterrupted(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	for name, opens := range map[string]bool{"before the header": false, "after a record": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "pipe")
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			writer, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // a file of the test
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = writer.Close() }()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if !opens {
				go cancel(interrupted)
				if _, err := Open(ctx, path); !errors.Is(err, interrupted) {
					t.Errorf("opening: %v", err)
				}
				return
			}
			w := gzip.NewWriter(writer) // which is not closed: the rest does not come
			for _, m := range []*message{header(), stored("job", nil)} {
				if _, err := protodelim.MarshalTo(w, m); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			r, err := Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if record, more, err := r.Next(); err != nil || !more || record.GetSubject() != "job" {
				t.Fatalf("%v, %t, %v", record, more, err)
			}
			go cancel(interrupted)
			if _, more, err := r.Next(); more || !errors.Is(err, interrupted) {
				t.Errorf("after the record: %t, %v", more, err)
			}
		})
	}
}
