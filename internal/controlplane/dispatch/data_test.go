package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func (p *plant) value(g JobGrant, key, want string) {
	p.t.Helper()
	got, err := g.DataValue(p.t.Context(), key)
	must(p.t, err)
	if got != want {
		p.t.Fatalf("%s is %q, want %q", key, got, want)
	}
}

func TestDataOutlivesTheProcess(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	id := p.submit(Submission{})
	p.pings(worker, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, token, err := p.Accept(t.Context(), worker, id)
	must(t, err)
	g := p.grant(token)
	must(t, g.SetData(t.Context(), DataItem{"a", "1"}, DataItem{"b", ""}, DataItem{"a", "2"}))
	must(t, g.SetData(t.Context(), DataItem{"c", "ü\x00<>"}))
	p.restart()
	g = p.grant(token)
	p.value(g, "a", "2")
	p.value(g, "b", "")
	p.value(g, "c", "ü\x00<>")
	keys, err := g.DataKeys(t.Context())
	must(t, err)
	if !slices.Equal(keys, []string{"a", "b", "c"}) {
		t.Errorf("keys are %q", keys)
	}
	_, err = g.DataValue(t.Context(), "d")
	wantErr(t, err, ErrNotFound)
}

// The retries of a job, and theirs, find what the first one left.
func TestRetriesShareData(t *testing.T) {
	p := newPlant(t, Options{})
	first := p.run(p.register("w1"), Submission{Retries: 2})
	must(t, first.SetData(t.Context(), DataItem{"from", "first"}))
	last := first
	for _, name := range []string{"w2", "w3"} {
		p.pass(DefaultLeaseTimeout + 2*time.Second) // the worker is lost, and its job
		next := p.job(last.JobID).RetriedBy
		worker := p.register(name)
		p.pings(worker, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
		last = p.accept(worker, next)
		p.startJob(last)
		p.value(last, "from", "first")
		must(t, last.SetData(t.Context(), DataItem{name, "was here"}))
	}
	if last.BuildID != first.JobID || first.BuildID != first.JobID {
		t.Errorf("the builds are %s and %s, want %s", first.BuildID, last.BuildID, first.JobID)
	}
	p.value(last, "w2", "was here")
}

func TestDataIsBounded(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	many := func(n, size int) (items []DataItem) {
		for i := range n {
			items = append(items, DataItem{fmt.Sprintf("key %d", i), strings.Repeat("v", size)})
		}
		return items
	}
	g := p.run(worker, Submission{})
	for _, row := range []struct {
		name  string
		items []DataItem
		says  string // empty: it is taken
	}{
		{"nothing", nil, ""},
		{"the longest key and value", []DataItem{{strings.Repeat("k", MaxDataKey), strings.Repeat("v", MaxDataValue)}}, ""},
		{"a key that is too long", []DataItem{{strings.Repeat("k", MaxDataKey+1), ""}}, "key must have"},
		{"no key", []DataItem{{"", "v"}}, "key must have"},
		{"a key of spaces", []DataItem{{" \t", "v"}}, "key must have"},
		{"a value that is too long", []DataItem{{"k", strings.Repeat("v", MaxDataValue+1)}}, "value must have"},
		{"one bad item of many", append(many(3, 1), DataItem{}), "key must have"},
		{"too many at once", many(MaxDataKeys+1, 1), "at most 1000 keys"},
		{"too many with the first", many(MaxDataKeys, 1), "at most 1000 keys"},
		{"too much together", many(5, MaxDataValue), "at most 524288 bytes"},
		{"as many as there may be", many(MaxDataKeys-1, 1), ""},
		{"one more", []DataItem{{"more", ""}}, "at most 1000 keys"},
		{"one of them again", []DataItem{{"key 7", "other"}}, ""},
	} {
		err := g.SetData(t.Context(), row.items...)
		if row.says == "" {
			must(t, err)
			continue
		}
		wantErr(t, err, ErrInvalid)
		if !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %q does not say %q", row.name, err, row.says)
		}
	}
	keys, err := g.DataKeys(t.Context())
	must(t, err)
	if len(keys) != MaxDataKeys {
		t.Errorf("%d keys are stored, want %d", len(keys), MaxDataKeys)
	}
	_, err = g.DataValue(t.Context(), "")
	wantErr(t, err, ErrInvalid)
}

// All that a build may have fits into the store's message, if its text is not of
// a kind that JSON writes six times as long; that is refused as too large.
func TestTheMostDataThatThereMayBe(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.register("w")
	for text, want := range map[string]error{"v": nil, "ü": nil, "\x01": store.ErrTooLarge} {
		g := p.run(worker, Submission{})
		var items []DataItem
		for i := range 5 {
			items = append(items, DataItem{string(rune('a' + i)), strings.Repeat(text, MaxDataValue/len(text))})
		}
		if err := g.SetData(t.Context(), items...); want == nil {
			must(t, err)
		} else {
			wantErr(t, err, want)
		}
		must(t, g.Finish(t.Context(), Result{ExitStatus: "0"}))
	}
}

// Once its job is over a token can read, and change nothing.
func TestDataOfAJobThatIsOver(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("w"), Submission{})
	must(t, g.SetData(t.Context(), DataItem{"k", "v"}))
	must(t, g.Finish(t.Context(), Result{ExitStatus: "0"}))
	wantErr(t, g.SetData(t.Context(), DataItem{"k", "w"}), ErrWrongState)
	p.value(g, "k", "v")
}

// More commands at once than a compare-and-set would be tried for, and none is
// refused, or undoes what another one did.
func TestManySetDataAtOnce(t *testing.T) {
	const writers = 3 * maxConflicts
	p := newPlant(t, Options{})
	g := p.run(p.register("w"), Submission{})
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if err := g.SetData(t.Context(), DataItem{fmt.Sprint(i), "v"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, err := g.DataKeys(t.Context())
	must(t, err)
	if len(keys) != writers {
		t.Errorf("%d keys are left of %d", len(keys), writers)
	}
}
