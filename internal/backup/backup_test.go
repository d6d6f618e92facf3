package backup

import (
	"bytes"
	"compress/gzip"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type message = switchyardv1.BackupResponse

func header() *message {
	return &message{Part: &switchyardv1.BackupResponse_Header{Header: &switchyardv1.BackupHeader{
		StoreVersion: 3, BeganAt: &timestamppb.Timestamp{Seconds: 1700000000},
	}}}
}

func stored(subject string, data []byte) *message {
	return &message{Part: &switchyardv1.BackupResponse_Record{Record: &switchyardv1.BackupRecord{
		Subject: subject, Headers: map[string]string{"a": "b"}, Data: data,
	}}}
}

func trailer(records int64) *message {
	return &message{Part: &switchyardv1.BackupResponse_Trailer{Trailer: &switchyardv1.BackupTrailer{Records: records}}}
}

// sending returns a receive function of messages, and then an error, or the end if it is nil.
func sending(err error, messages ...*message) func() (*message, bool, error) {
	return func() (*message, bool, error) {
		if len(messages) == 0 {
			return nil, false, err
		}
		next := messages[0]
		messages = messages[1:]
		return next, true, nil
	}
}

// packed returns the content of a file with messages.
func packed(t *testing.T, messages ...*message) []byte {
	t.Helper()
	var content bytes.Buffer
	w := gzip.NewWriter(&content)
	for _, m := range messages {
		if _, err := protodelim.MarshalTo(w, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}

// readAll opens a file and reads all of its records.
func readAll(t *testing.T, path string) (h *switchyardv1.BackupHeader, subjects []string, err error) {
	t.Helper()
	r, err := Open(t.Context(), path)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		record, more, err := r.Next()
		if err != nil || !more {
			return r.Header(), subjects, err
		}
		subjects = append(subjects, record.GetSubject())
	}
}
