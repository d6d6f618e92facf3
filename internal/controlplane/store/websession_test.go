package store

import (
	"bytes"
	"strings"
	"testing"
)

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
