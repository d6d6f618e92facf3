package store

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// What the state uses is read while it is written, and new jobs are stored meanwhile.
func TestNoWriteWaitsForAReadingOfTheUsage(t *testing.T) {
	s := openTest(t, Options{})
	store := func(id string) <-chan error {
		stored := make(chan error, 1)
		go func() {
			_, err := s.PutJob(t.Context(), record.Job{ID: id, Job: lifecycle.Job{State: wire.StateQueued}})
			stored <- err
		}()
		return stored
	}
	if err := <-store("first"); err != nil { // there is a reading
		t.Fatal(err)
	}
	s.admission.read = s.admission.read.Add(-2 * usageAge)
	s.admission.reading.Lock() // another one reads
	second := store("second")
	select {
	case err := <-second:
		if err != nil {
			t.Error(err)
		}
		s.admission.reading.Unlock()
	case <-time.After(time.Minute):
		t.Error("the new job waits")
		s.admission.reading.Unlock()
		<-second
	}
}

// What is stored during a reading is not lost, though the reading may not have it.
func TestAReadingCountsWhatIsStoredMeanwhile(t *testing.T) {
	var a admission
	a.stored(100)
	a.begin()
	a.stored(7)
	if used := a.end(50); used != 57 {
		t.Errorf("%d bytes are used after the reading, want 57", used)
	}
	a.stored(3)
	if used, age := a.last(); used != 60 || age > time.Hour {
		t.Errorf("%d bytes are used as of %v ago, want 60", used, age)
	}
}
