package store

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Replicas share which sessions have ended, for as long as these could have lasted.
func TestEndedSessions(t *testing.T) {
	t.Parallel()
	url := startExternal(t).ClientURL()
	a, b := openTest(t, Options{URL: url}), openTest(t, Options{URL: url})
	expect := func(id string, want bool) {
		t.Helper()
		if ended, err := b.SessionEnded(t.Context(), id); ended != want || err != nil {
			t.Errorf("session %s: ended %t, %v", id, ended, err)
		}
	}
	expect("one", false)
	for range 2 {
		if err := a.EndSession(t.Context(), "one", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	expect("one", true)
	expect("two", false)
	if err := a.EndSession(t.Context(), "two", 0); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"one": "1h0m0s", "two": "1s"} {
		msg, err := b.state.GetLastMsgForSubject(t.Context(), webPrefix+endedSession+id)
		if err != nil || msg.Header.Get(jetstream.MsgTTLHeader) != want {
			t.Errorf("session %s is kept for %q, want %s; %v", id, msg.Header.Get(jetstream.MsgTTLHeader), want, err)
		}
	}
}

// Replicas share the key of web sessions, also when both begin at once, and it is in no
// backup.
func TestSessionKey(t *testing.T) {
	t.Parallel()
	url := startExternal(t).ClientURL()
	a, b := openTest(t, Options{URL: url}), openTest(t, Options{URL: url})
	keys := make(chan []byte, 2)
	for _, s := range []*Store{a, b} {
		go func() {
			key, err := s.SessionKey(t.Context())
			if err != nil {
				t.Errorf("%v", err)
			}
			keys <- key
		}()
	}
	first, second := <-keys, <-keys
	if len(first) != 32 || !bytes.Equal(first, second) {
		t.Errorf("keys %x and %x", first, second)
	}
	if again, err := b.SessionKey(t.Context()); err != nil || !bytes.Equal(first, again) {
		t.Errorf("again: %x, %v", again, err)
	}
	err := a.Backup(t.Context(), func(m Message) error {
		if strings.Contains(m.Subject, "web") {
			t.Errorf("the backup has %s", m.Subject)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
