package store

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func BenchmarkCompareAndSet(b *testing.B) {
	s := openTest(b, Options{})
	job := record.Job{ID: "j", Command: []string{"sh", "-c", "true"}, Env: map[string]string{"A": "B"}, Queue: "default", Job: lifecycle.Job{State: wire.StateQueued}}
	for b.Loop() {
		var err error
		if job, err = s.PutJob(b.Context(), job); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s := openTest(b, Options{})
	if _, err := s.PutJob(b.Context(), record.Job{ID: "j", Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Job(b.Context(), "j"); err != nil {
			b.Fatal(err)
		}
	}
}
