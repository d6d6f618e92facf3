package main

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

// collector receives the traces of the programs of a script, as one of OpenTelemetry
// does.
type collector struct {
	mu    sync.Mutex
	spans []span
	more  chan struct{} // closed, and made again, when there are more
}

// span is a span as scripts show it.
type span struct{ trace, id, parent, service, name string }

// collectorKey is the key of the collector among the values of a script.
type collectorKey struct{}

func setupCollector(env *testscript.Env) {
	env.Values[collectorKey{}] = &collector{more: make(chan struct{})}
}

// collectorCommands are the commands for the collector:
//
//	collector          start it, and set the variables by which programs find it
//	spans TRACE FILE   wait until the spans of a trace are those of a file, whose lines are
//	                   sorted: service: name < parent; a span that occurs again counts once
func collectorCommands() []scripttest.Command {
	return []scripttest.Command{
		{Name: "collector", Run: func(ts *testscript.TestScript, _ *scripttest.Processes, _ []string) {
			server := httptest.NewServer(collectorOf(ts))
			ts.Defer(server.Close)
			ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
			ts.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20") // milliseconds
		}},
		{Name: "spans", Usage: "TRACE FILE", Least: 2, Most: 2, Run: func(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
			ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
			defer cancel()
			want := strings.TrimSpace(ts.ReadFile(args[1]))
			for {
				got, more := collectorOf(ts).tree(args[0])
				if got == want {
					return
				}
				select {
				case <-more:
				case <-ctx.Done():
					ps.Fatalf(ts, "the spans of trace %s are\n%s\nwant\n%s", args[0], got, want)
				}
			}
		}},
	}
}

func collectorOf(ts *testscript.TestScript) *collector {
	c, _ := ts.Value(collectorKey{}).(*collector)
	return c
}

// ServeHTTP implements http.Handler.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := &collectorv1.ExportTraceServiceRequest{}
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := ""
		for _, attribute := range resource.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				service = attribute.GetValue().GetStringValue()
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, span{
					hex.EncodeToString(s.GetTraceId()), hex.EncodeToString(s.GetSpanId()), hex.EncodeToString(s.GetParentSpanId()),
					service, s.GetName(),
				})
			}
		}
	}
	close(c.more)
	c.more = make(chan struct{})
}

// tree returns the spans of a trace, and a channel that is closed when there are more.
func (c *collector) tree(trace string) (string, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := map[string]string{}
	for _, s := range c.spans {
		names[s.id] = s.name
	}
	var lines []string
	for _, s := range c.spans {
		if s.trace != trace {
			continue
		}
		parent := names[s.parent]
		if parent == "" {
			parent = s.parent
		}
		lines = append(lines, s.service+": "+s.name+" < "+parent)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n"), c.more
}
