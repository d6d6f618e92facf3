package store

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestOptionsAreRefusedByName(t *testing.T) {
	for _, row := range []struct {
		opts Options
		want string
	}{
		{Options{}, "DataDir, URL and Server"},
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

func TestReplicasAreNeverLowered(t *testing.T) {
	for _, row := range []struct {
		existing, option, want int
	}{
		{0, 1, 1}, // a new stream
		{0, 3, 3},
		{1, 3, 3},
		{3, 1, 3}, // an operator asked the cluster for three
		{5, 3, 5},
	} {
		c := jetstream.StreamConfig{Replicas: row.existing}
		setReplicas(&c, row.option)
		if c.Replicas != row.want || c.AllowDirect != (row.want == 1) {
			t.Errorf("%d copies and option %d: got %d copies, direct reads %v; want %d copies",
				row.existing, row.option, c.Replicas, c.AllowDirect, row.want)
		}
	}
}
