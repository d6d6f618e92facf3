package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

func openStore(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st
}

func details(events []Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.Detail)
	}
	return list
}

// Events are listed in their order, page by page, and from a time on, however many
// share a message of the store.
func TestList(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	log := New(st, zap.NewNop())
	var want []string
	for i := range 50 {
		event := Event{Action: SubmitJob, Actor: "ci", Detail: fmt.Sprint(i)}
		if i%10 == 9 {
			event.Action = "CancelJob"
			log.Record(t.Context(), event)
		} else {
			log.Add(event)
		}
		want = append(want, event.Detail)
	}
	log.Close()
	all, next, err := List(t.Context(), st, time.Time{}, MaxPageSize, "")
	if err != nil || next != "" || !slices.Equal(details(all), want) {
		t.Fatalf("all: %v, next %q, %v", details(all), next, err)
	}
	pages := func(list lister, size int) (got []string) {
		t.Helper()
		token := ""
		for {
			page, next, err := list(t.Context(), st, time.Time{}, size, token)
			if err != nil || len(page) > size {
				t.Fatalf("a page of %d: %d events, %v", size, len(page), err)
			}
			got = append(got, details(page)...)
			if token = next; token == "" {
				return got
			}
		}
	}
	for _, size := range []int{1, 3, 7, 50} {
		if got := pages(List, size); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", size, got)
		}
		got := pages(ListNewest, size)
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d, the newest first: %v", size, got)
		}
	}
	for _, i := range []int{0, 1, 20, 49} {
		since := all[i].At
		first := slices.IndexFunc(all, func(e Event) bool { return !e.At.Before(since) })
		got, _, err := List(t.Context(), st, since, MaxPageSize, "")
		if err != nil || !slices.Equal(details(got), want[first:]) {
			t.Errorf("since event %d: %v, %v", i, details(got), err)
		}
		got, next, err := ListNewest(t.Context(), st, since, MaxPageSize, "")
		slices.Reverse(got)
		if err != nil || next != "" || !slices.Equal(details(got), want[first:]) {
			t.Errorf("since event %d, the newest first: %v, next %q, %v", i, details(got), next, err)
		}
	}
	if got, _, err := List(t.Context(), st, time.Now().Add(time.Hour), 0, ""); err != nil || len(got) != 0 {
		t.Errorf("since an hour ahead: %v, %v", got, err)
	}
	for _, bad := range []string{"x", "1", "1.", ".1", "1.-1", "-1.0"} {
		for _, list := range []lister{List, ListNewest} {
			if _, _, err := list(t.Context(), st, time.Time{}, 0, bad); !errors.Is(err, record.ErrInvalid) {
				t.Errorf("token %q: %v, want ErrInvalid", bad, err)
			}
		}
	}
	for _, list := range []lister{List, ListNewest} {
		if _, _, err := list(t.Context(), st, time.Time{}, MaxPageSize+1, ""); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("a large page: %v, want ErrInvalid", err)
		}
	}
}

type lister func(ctx context.Context, stored Reader, since time.Time, size int, token string) ([]Event, string, error)

// gaps is a log from which almost all messages were discarded.
type gaps struct {
	Reader

	positions []uint64
	reads     int
}

func (g *gaps) AuditEnds(context.Context) (first, last uint64, err error) {
	return g.positions[0], g.positions[len(g.positions)-1], nil
}

func (g *gaps) AuditAt(_ context.Context, position uint64) (store.AuditMessage, error) {
	g.reads++
	at, _ := slices.BinarySearch(g.positions, position)
	if at == len(g.positions) {
		return store.AuditMessage{}, record.ErrNotFound
	}
	return store.AuditMessage{Position: g.positions[at], Data: fmt.Appendf(nil, `[{"detail":"%d"}]`, g.positions[at])}, nil
}

// What is between the messages that are left is not read one by one.
func TestListNewestOverGaps(t *testing.T) {
	t.Parallel()
	g := &gaps{positions: []uint64{7, 8, 1_000_000, 3_000_000_000, 3_000_000_001, 3_000_000_100}}
	var got []string
	token := ""
	for {
		page, next, err := ListNewest(t.Context(), g, time.Time{}, 2, token)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, details(page)...)
		if token = next; token == "" {
			break
		}
	}
	want := []string{"3000000100", "3000000001", "3000000000", "1000000", "8", "7"}
	if !slices.Equal(got, want) || g.reads > 200 {
		t.Errorf("%d reads, %q", g.reads, got)
	}
}

// writer is a store that takes a while, or fails.
type writer func(ctx context.Context, kind string, data []byte) error

func (w writer) AppendAudit(ctx context.Context, kind string, data []byte) error {
	return w(ctx, kind, data)
}

// A burst of submissions takes one write for several, is not waited for, and does not
// mix with what operators did, who wait for the write.
func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const write = time.Second
		var kinds []string
		log := New(writer(func(_ context.Context, kind string, _ []byte) error {
			time.Sleep(write)
			kinds = append(kinds, kind)
			return nil
		}), zap.NewNop())
		start := time.Now()
		for range 2 * maxBatch {
			log.Add(Event{Action: SubmitJob})
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("submissions waited %v", waited)
		}
		log.Record(t.Context(), Event{Action: "CancelJob"})
		if waited := time.Since(start); waited != 3*write {
			t.Errorf("an operator waited %v, want %v: one write for each batch before, and its own", waited, 3*write)
		}
		start = time.Now()
		log.Add(Event{Action: SubmitJob})
		time.Sleep(linger / 2)
		log.Add(Event{Action: SubmitJob})
		time.Sleep(linger/2 + write)
		synctest.Wait()
		if len(kinds) != 4 {
			t.Errorf("%d writes after %v, want two submissions in one", len(kinds), time.Since(start))
		}
		log.Close()
		if want := []string{"submission", "submission", "change", "submission"}; !slices.Equal(kinds, want) {
			t.Errorf("writes %v, want %v", kinds, want)
		}
	})
}

// A store that is out of reach stops no caller: what cannot be stored is counted, and
// each event is a line of the control plane's own log in any case.
func TestStoreOutOfReach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		core, lines := observer.New(zapcore.InfoLevel)
		log := New(writer(func(ctx context.Context, _ string, _ []byte) error {
			if broken.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}), zap.New(core))
		start := time.Now()
		log.Record(t.Context(), Event{Action: "PauseWorker", Actor: "admin", Detail: strings.Repeat("x", 10_000)})
		if waited := time.Since(start); waited != storeTimeout {
			t.Errorf("waited %v, want %v", waited, storeTimeout)
		}
		for range 2 * maxWaiting {
			log.Add(Event{Action: SubmitJob})
		}
		broken.Store(false)
		log.Record(t.Context(), Event{Action: "ResumeWorker"})
		log.Close()
		log.Record(t.Context(), Event{Action: "StopWorker"}) // after the end
		if n := lines.FilterMessage("change by a caller").Len(); n != 3+2*maxWaiting {
			t.Errorf("%d lines, want one for each event", n)
		}
		if reason := lines.All()[0].ContextMap()["reason"].(string); len(reason) > maxDetail+3 { //nolint:forcetypeassert // a string field
			t.Errorf("the reason has %d bytes", len(reason))
		}
		if lines.FilterMessageSnippet("audit log stored again").Len() != 1 {
			t.Error("no line says that events were dropped")
		}
	})
}
