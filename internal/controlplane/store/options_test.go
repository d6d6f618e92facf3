package store

import (
	"strings"
	"testing"
	"time"
)

func TestOptionsAreRefusedByName(t *testing.T) {
	for _, row := range []struct {
		opts Options
		want string
	}{
		{Options{}, "DataDir and URL"},
		{Options{DataDir: "d", Replicas: 3}, "Replicas"},
		{Options{URL: "nats://h", Replicas: 6}, "Replicas"},
		{Options{URL: "nats://h", Replicas: -1}, "Replicas"},
		{Options{DataDir: "d", Retention: time.Millisecond}, "Retention"},
		{Options{DataDir: "d", WorkerRetention: -time.Hour}, "WorkerRetention"},
	} {
		t.Run(row.want, func(t *testing.T) {
			if _, err := Open(t.Context(), row.opts); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error that names %s", err, row.want)
			}
		})
	}
}
