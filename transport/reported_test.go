package transport_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestHeldJobs shows that pings and heartbeats, and no other calls, name the jobs that
// the process holds.
func TestHeldJobs(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("job-%d", i)
	}
	for _, row := range []struct {
		name string
		held []string
		want []string // values of the header
	}{
		{"none", nil, nil},
		{"one", []string{"j1"}, []string{"j1"}},
		{"in order", []string{"j2", "j1"}, []string{"j2,j1"}},
		{"the first ones of many", many, []string{strings.Join(many[:wire.MaxHeldJobs], ",")}},
		{"IDs that a list cannot name", []string{"a,b", "", "a b", "a\r\nX: y", "jöb", strings.Repeat("j", 256), "j1"}, []string{"j1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				named := map[string][]string{}
				control := registering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					named[r.URL.Path] = r.Header.Values(wire.HeaderJobs)
					reply(http.StatusOK, `{"id":"j1"}`)(w, r)
				}))
				session := newHarness(t, control, func(o *transport.Options, _ *http.Server) {
					o.HeldJobs = func(worker string) []string {
						if worker != workerID {
							t.Errorf("asked for worker %q", worker)
						}
						return row.held
					}
				}).register(t)
				callEach(t, session)
				for path, got := range named {
					var want []string
					if path == "/v3/ping" || path == "/v3/heartbeat" {
						want = row.want
					}
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%s names %q, want %q", path, got, want)
					}
				}
				if len(named) != 5 {
					t.Errorf("%d kinds of call, want 5", len(named))
				}
			})
		})
	}
}

// TestMachine shows that pings, heartbeats and accepts, and no other calls, report the
// state of the worker's machine, as it is at the moment of the call.
func TestMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		got := map[string][]string{}
		control := registering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			got[r.URL.Path] = append(got[r.URL.Path], strings.Join(r.Header.Values(wire.HeaderMachine), "+"))
			reply(http.StatusOK, `{"id":"j1"}`)(w, r)
		}))
		var state wire.MachineState
		session := newHarness(t, control, func(o *transport.Options, _ *http.Server) {
			o.HeldJobs = func(string) []string { return []string{"j1"} }
			o.Machine = func(worker string) wire.MachineState {
				if worker != workerID {
					t.Errorf("asked for worker %q", worker)
				}
				return state
			}
		}).register(t)
		for _, state = range []wire.MachineState{{}, {Name: "FallingBack", Control: wire.ControlPoll, For: 47 * time.Second}} {
			callEach(t, session)
		}
		for path, values := range got {
			want := []string{"", ""}
			switch path {
			case "/v3/ping", "/v3/heartbeat", "/v3/jobs/j1/accept":
				want[1] = "FallingBack poll 47000"
			}
			if !slices.Equal(values, want) {
				t.Errorf("%s reports %q, want %q", path, values, want)
			}
		}
		if len(got) != 5 {
			t.Errorf("%d kinds of call, want 5", len(got))
		}
	})
}

// callEach makes one call of each kind.
func callEach(t *testing.T, session *transport.Session) {
	t.Helper()
	_, pingErr := session.Ping(t.Context())
	_, acceptErr := session.Accept(t.Context(), "j1")
	for _, err := range []error{
		pingErr, acceptErr, session.Heartbeat(t.Context()), session.Connect(t.Context()),
		session.Job(wire.Job{ID: "j1"}).Start(t.Context(), time.Now()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
