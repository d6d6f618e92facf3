package metadata_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openTest(t *testing.T) *metadata.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return metadata.New(st)
}

func item(key, value string) metadata.Item { return metadata.Item{Key: key, Value: value} }

func TestMetadataIsBounded(t *testing.T) {
	s := openTest(t)
	many := func(n, size int) (items []metadata.Item) {
		for i := range n {
			items = append(items, item(fmt.Sprintf("key %d", i), strings.Repeat("v", size)))
		}
		return items
	}
	longestKey, longestValue := strings.Repeat("k", metadata.MaxKey), strings.Repeat("v", metadata.MaxValue)
	for _, row := range []struct {
		name  string
		items []metadata.Item
		says  string // part of the error; empty if the items are set
	}{
		{"nothing", nil, ""},
		{"the longest key and value", []metadata.Item{item(longestKey, longestValue)}, ""},
		{"a key that is too long", []metadata.Item{item(longestKey+"k", "")}, "key must have"},
		{"no key", []metadata.Item{item("", "v")}, "key must have"},
		{"a key of spaces", []metadata.Item{item(" \t", "v")}, "key must have"},
		{"a value that is too long", []metadata.Item{item("k", longestValue+"v")}, "value must have"},
		{"one bad item of many", append(many(3, 1), item("", "")), "key must have"},
		{"too many at once", many(metadata.MaxKeys+1, 1), "at most 1000 keys"},
		{"too many with the first", many(metadata.MaxKeys, 1), "at most 1000 keys"},
		{"too much together", many(5, metadata.MaxValue), "at most 524288 bytes"},
		{"as many as possible", many(metadata.MaxKeys-1, 1), ""},
		{"one more", []metadata.Item{item("more", "")}, "at most 1000 keys"},
		{"one of them again", []metadata.Item{item("key 7", "other")}, ""},
	} {
		err := s.Set(t.Context(), "b", row.items...)
		if row.says == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if !errors.Is(err, record.ErrInvalid) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want an ErrInvalid with %q", row.name, err, row.says)
		}
	}
	keys, err := s.Keys(t.Context(), "b")
	if err != nil || len(keys) != metadata.MaxKeys {
		t.Errorf("got %d keys, %v; want %d", len(keys), err, metadata.MaxKeys)
	}
	if _, err := s.Value(t.Context(), "b", ""); !errors.Is(err, record.ErrInvalid) {
		t.Errorf("got %v for the empty key, want ErrInvalid", err)
	}
}

// The most that a build can have fits in the store's message, whatever it is.
func TestLargestMetadata(t *testing.T) {
	s := openTest(t)
	for _, text := range []string{"v", "ü", "\x01", "<", "\""} {
		var items []metadata.Item
		for i := range 5 {
			items = append(items, item(string(rune('a'+i)), strings.Repeat(text, metadata.MaxValue/len(text))))
		}
		if err := s.Set(t.Context(), fmt.Sprintf("build-%x", text), items...); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		got, err := s.Value(t.Context(), fmt.Sprintf("build-%x", text), "a")
		if err != nil || got != items[0].Value {
			t.Errorf("%q: another value is read, %v", text, err)
		}
	}
}

// There are more writers at once than a compare-and-set has tries. None fails, and
// none undoes another's write.
func TestManyWritersAtOnce(t *testing.T) {
	const writers = 3 * store.MaxConflicts
	s := openTest(t)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if err := s.Set(t.Context(), "b", item(fmt.Sprint(i), "v")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, err := s.Keys(t.Context(), "b")
	if err != nil || len(keys) != writers {
		t.Errorf("got %d keys, %v; want %d", len(keys), err, writers)
	}
}
