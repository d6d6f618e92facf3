package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

func TestQuantileIsTheNearestRank(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	for _, c := range []struct {
		name    string
		samples []time.Duration
		q       float64
		want    time.Duration
	}{
		{"none", nil, median, 0},
		{"one", []time.Duration{7}, percent999, 7},
		{"the lower of two", []time.Duration{9, 3}, median, 3},
		{"median of 100", hundred, median, 50},
		{"99 of 100", hundred, percent99, 99},
		{"99.9 of 100 is the last", hundred, percent999, 100},
		{"all", hundred, maximum, 100},
	} {
		if got := quantile(c.samples, c.q); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestStreamWriterReportsEveryMessage(t *testing.T) {
	job := frame(t, false, &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{
		JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: "one"}},
	}})
	resume := frame(t, true, &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{
		Resume: &agentedgev1.ResumeAction{},
	}})
	all := slices.Concat(resume, job, resume)
	for size := 1; size <= len(all); size++ {
		var seen []string
		recorder := httptest.NewRecorder()
		w := &streamWriter{ResponseWriter: recorder, onMessage: func(s event) { seen = append(seen, string(s.kind)+s.job) }}
		for part := range slices.Chunk(all, size) {
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{string(messageSent), string(jobAssigned) + "one", string(messageSent)}
		if !slices.Equal(seen, want) {
			t.Errorf("in parts of %d bytes: %q, want %q", size, seen, want)
		}
		if !bytes.Equal(recorder.Body.Bytes(), all) {
			t.Errorf("in parts of %d bytes: the written bytes differ", size)
		}
	}
}

func frame(t *testing.T, compress bool, message proto.Message) []byte {
	t.Helper()
	content, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var flag byte
	if compress {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		flag, content = grpcCompressed, b.Bytes()
	}
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(content))), content...)
}

func TestTableIsInTheDesignsOrder(t *testing.T) {
	var b strings.Builder
	if err := printTable(&b, []result{
		{key: keyLeave, value: "1", outcome: reached, samples: 3, notes: []string{"last"}},
		{key: keyAccept, value: "2", outcome: notReached, notes: []string{"first", "second"}},
	}); err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, part := range []string{"accept received", "[1][2]", "SIGTERM", "[3]", "[1] first", "[2] second", "[3] last"} {
		at := strings.Index(b.String(), part)
		if at <= last {
			t.Errorf("%q is missing or in the wrong place in:\n%s", part, b.String())
		}
		last = at
	}
}

func TestPlanErrorsNameTheFlag(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-only", "nothing"}, `-only names "nothing"`},
		{[]string{"-rate", "0"}, "-rate is 0"},
		{[]string{"-outage", "1h"}, "-outage is 1h0m0s"},
		{[]string{"-loud"}, "-loud"},
	} {
		_, err := parse(c.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	p, err := parse([]string{"-quick", "-jobs", "7"}, io.Discard)
	if err != nil || p.jobs != 7 || p.silence || p.outage >= designOutage {
		t.Errorf("-quick -jobs 7: %+v, %v", p, err)
	}
}
