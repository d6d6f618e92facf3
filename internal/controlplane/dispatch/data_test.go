package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func (p *plant) value(g JobGrant, key, want string) {
	p.t.Helper()
	got, err := g.MetadataValue(p.t.Context(), key)
	must(p.t, err)
	if got != want {
		p.t.Fatalf("%s is %q, want %q", key, got, want)
	}
}

func TestDataOutlivesTheProcess(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	id := p.submit(store.Job{})
	p.pings(worker, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, token, err := p.Accept(t.Context(), worker, id)
	must(t, err)
	g := p.grant(token)
	must(t, g.SetMetadata(t.Context(), metadata.Item{"a", "1"}, metadata.Item{"b", ""}, metadata.Item{"a", "2"}))
	must(t, g.SetMetadata(t.Context(), metadata.Item{"c", "ü\x00<>"}))
	p.restart()
	g = p.grant(token)
	p.value(g, "a", "2")
	p.value(g, "b", "")
	p.value(g, "c", "ü\x00<>")
	keys, err := g.MetadataKeys(t.Context())
	must(t, err)
	if !slices.Equal(keys, []string{"a", "b", "c"}) {
		t.Errorf("keys are %q", keys)
	}
	_, err = g.MetadataValue(t.Context(), "d")
	wantErr(t, err, ErrNotFound)
}

// The retries of a job, and theirs, find what the first one left.
func TestRetriesShareData(t *testing.T) {
	p := newPlant(t, Options{})
	first := p.run(p.register("w1"), store.Job{RetriesLeft: 2})
	must(t, first.SetMetadata(t.Context(), metadata.Item{"from", "first"}))
	last := first
	for _, name := range []string{"w2", "w3"} {
		p.pass(schedule.DefaultLeaseTimeout + 2*time.Second) // the worker is lost, and its job
		next := p.job(last.JobID).RetriedBy
		worker := p.register(name)
		p.pings(worker, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
		last = p.accept(worker, next)
		p.startJob(last)
		p.value(last, "from", "first")
		must(t, last.SetMetadata(t.Context(), metadata.Item{name, "was here"}))
	}
	if last.BuildID != first.JobID || first.BuildID != first.JobID {
		t.Errorf("the builds are %s and %s, want %s", first.BuildID, last.BuildID, first.JobID)
	}
	p.value(last, "w2", "was here")
}

func TestDataIsBounded(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	many := func(n, size int) (items []metadata.Item) {
		for i := range n {
			items = append(items, metadata.Item{fmt.Sprintf("key %d", i), strings.Repeat("v", size)})
		}
		return items
	}
	g := p.run(worker, store.Job{})
	for _, row := range []struct {
		name  string
		items []metadata.Item
		says  string // empty: it is taken
	}{
		{"nothing", nil, ""},
		{"the longest key and value", []metadata.Item{{strings.Repeat("k", metadata.MaxKey), strings.Repeat("v", metadata.MaxValue)}}, ""},
		{"a key that is too long", []metadata.Item{{strings.Repeat("k", metadata.MaxKey+1), ""}}, "key must have"},
		{"no key", []metadata.Item{{"", "v"}}, "key must have"},
		{"a key of spaces", []metadata.Item{{" \t", "v"}}, "key must have"},
		{"a value that is too long", []metadata.Item{{"k", strings.Repeat("v", metadata.MaxValue+1)}}, "value must have"},
		{"one bad item of many", append(many(3, 1), metadata.Item{}), "key must have"},
		{"too many at once", many(metadata.MaxKeys+1, 1), "at most 1000 keys"},
		{"too many with the first", many(metadata.MaxKeys, 1), "at most 1000 keys"},
		{"too much together", many(5, metadata.MaxValue), "at most 524288 bytes"},
		{"as many as there may be", many(metadata.MaxKeys-1, 1), ""},
		{"one more", []metadata.Item{{"more", ""}}, "at most 1000 keys"},
		{"one of them again", []metadata.Item{{"key 7", "other"}}, ""},
	} {
		err := g.SetMetadata(t.Context(), row.items...)
		if row.says == "" {
			must(t, err)
			continue
		}
		wantErr(t, err, ErrInvalid)
		if !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %q does not say %q", row.name, err, row.says)
		}
	}
	keys, err := g.MetadataKeys(t.Context())
	must(t, err)
	if len(keys) != metadata.MaxKeys {
		t.Errorf("%d keys are stored, want %d", len(keys), metadata.MaxKeys)
	}
	_, err = g.MetadataValue(t.Context(), "")
	wantErr(t, err, ErrInvalid)
}

// All that a build may have fits into the store's message, if its text is not of
// a kind that JSON writes six times as long; that is refused as too large.
func TestTheMostDataThatThereMayBe(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	for text, want := range map[string]error{"v": nil, "ü": nil, "\x01": store.ErrTooLarge} {
		g := p.run(worker, store.Job{})
		var items []metadata.Item
		for i := range 5 {
			items = append(items, metadata.Item{string(rune('a' + i)), strings.Repeat(text, metadata.MaxValue/len(text))})
		}
		if err := g.SetMetadata(t.Context(), items...); want == nil {
			must(t, err)
		} else {
			wantErr(t, err, want)
		}
		must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	}
}

// Once its job is over a token can read, and change nothing.
func TestDataOfAJobThatIsOver(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("w"), store.Job{})
	must(t, g.SetMetadata(t.Context(), metadata.Item{"k", "v"}))
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	wantErr(t, g.SetMetadata(t.Context(), metadata.Item{"k", "w"}), ErrWrongState)
	p.value(g, "k", "v")
}

// More commands at once than a compare-and-set would be tried for, and none is
// refused, or undoes what another one did.
func TestManySetDataAtOnce(t *testing.T) {
	const writers = 3 * store.MaxConflicts
	p := newPlant(t, Options{})
	g := p.run(p.register("w"), store.Job{})
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if err := g.SetMetadata(t.Context(), metadata.Item{fmt.Sprint(i), "v"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, err := g.MetadataKeys(t.Context())
	must(t, err)
	if len(keys) != writers {
		t.Errorf("%d keys are left of %d", len(keys), writers)
	}
}
