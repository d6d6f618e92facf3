package record_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// packFrom is where packing is considered; the bound of a size holds above it.
const packFrom = 16 << 10

// A record is read as it was written, and takes 4/3 of the size of its texts at most,
// whatever they contain.
func TestJobsAreStoredWhateverTheyContain(t *testing.T) {
	long := func(unit string, size int) string { return strings.Repeat(unit, size/len(unit)) }
	for name, job := range map[string]record.Job{
		"small":              {Command: []string{"sh", "-c", "a && b > c"}, Env: map[string]string{"A": "<\x01>"}},
		"no environment":     {Command: []string{long("\x01", 100_000)}},
		"HTML":               {Command: []string{"true"}, Env: map[string]string{"X": long("<&>", 174_727)}},
		"control characters": {Command: []string{"true"}, Env: map[string]string{"X": long("\x01\x02", 500_000)}},
		"line separators":    {Command: []string{"true"}, Env: map[string]string{"X": long("\u2028", 500_000)}},
		"quotes":             {Command: []string{"true"}, Env: map[string]string{"X": long(`"\`, 500_000)}},
		"plain":              {Command: []string{"true"}, Env: map[string]string{"X": long("plain ", 500_000)}},
		"empty arguments":    {Command: strings.Split(long(",", 200_000), ",")},
		"short arguments":    {Command: strings.Split(long("\x01,", 200_000), ",")},
	} {
		t.Run(name, func(t *testing.T) {
			job.State = wire.StateFinished
			job.History = lifecycle.History{}.With(lifecycle.Entry{Event: "Submitted", Reason: "because"})
			data, err := record.Encode(&job)
			if err != nil {
				t.Fatal(err)
			}
			var got record.Job
			if err := record.Decode(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(job, got); diff != "" {
				t.Error("another job was read")
			}
			var listed record.Listed
			if err := record.Decode(data, &listed); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(job.WithoutHistory(), listed.Job); diff != "" {
				t.Error("another job was read for a list")
			}
			if bound := packFrom + size(job)*4/3; len(data) > bound {
				t.Errorf("%d bytes of text are stored in %d, want at most %d", size(job), len(data), bound)
			}
		})
	}
}

// size is what a job counts, as dispatch.MaxJobSize has it.
func size(job record.Job) int {
	n := 0
	for _, arg := range job.Command {
		n += len(arg) + 1
	}
	for name, value := range job.Env {
		n += len(name) + len(value) + 2
	}
	return n
}

// A record that an earlier version wrote is read.
func TestRecordsOfEarlierVersions(t *testing.T) {
	job := record.Job{
		Job: lifecycle.Job{State: "queued", RetriesLeft: 1}, ID: "j", Command: []string{"a<b"}, Env: map[string]string{"A": "b"}, Queue: "q",
	}
	data, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	var got record.Job
	if err := record.Decode(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(job, got); diff != "" {
		t.Errorf("another job was read (-want +got):\n%s", diff)
	}
	var m record.Metadata
	if err := record.Decode([]byte(`{"values":{"k":"v"}}`), &m); err != nil || m.Values["k"] != "v" {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestMetadataIsStoredWhateverItContains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("\x00\x01<&\"\\\u2028aü€")))
		values := rapid.MapOfN(text, text, 0, 10).Draw(t, "values")
		times := rapid.SampledFrom([]int{1, 100, 2000}).Draw(t, "times")
		m, bound := record.Metadata{}, packFrom
		for key, value := range values {
			if m.Values == nil {
				m.Values = map[string]string{}
			}
			m.Values[key] = strings.Repeat(value, times)
			bound += (len(key) + len(m.Values[key]) + 8) * 4 / 3
		}
		data, err := record.Encode(&m)
		if err != nil {
			t.Fatal(err)
		}
		var got record.Metadata
		if err := record.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got); diff != "" || len(data) > bound {
			t.Errorf("stored in %d bytes, want at most %d (-want +got):\n%s", len(data), bound, diff)
		}
	})
}

// A damaged record is an error, and no other record.
func FuzzDecode(f *testing.F) {
	for _, data := range []string{ // small, so that inputs are minimized fast
		`{"id":"j","command":["true"],"env":{"A":"b"},"queue":"q","state":"queued"}`,
		`{"id":"j","packed_command":"BHRydWU=","packed_env":"AUEBYg=="}`,
		`{"packed_command":"/w==","packed_env":"AQ=="}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var job, again record.Job
		if record.Decode(data, &job) != nil {
			return
		}
		stored, err := record.Encode(&job)
		if err != nil {
			t.Skip() // a time beyond what JSON has
		}
		if err := record.Decode(stored, &again); err != nil {
			t.Fatalf("%q is stored as %q, which is damaged: %v", data, stored, err)
		}
	})
}
