package e2e_test

import (
	"net/http/httptest"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/faultproxy"
)

type stageKey struct{}

// stage is what one script has set going. It belongs to the script's goroutine.
type stage struct {
	processes map[string]*process // the last of each name
	started   []*process          // all, in order
	proxy     *faultproxy.Proxy
	served    *httptest.Server // a repository
	cut       bool             // the proxy comes with the control plane, and cuts the stream
	nginx     *process
	front     string // how nginx, which comes with the control plane, faces agents; empty is no nginx
}

// newStage makes the stage of one script, and has it struck at the script's end.
func newStage(env *testscript.Env, way path) *stage {
	s := &stage{processes: map[string]*process{}, cut: way.cut, front: way.nginx}
	work := env.WorkDir
	t, _ := env.T().(interface {
		Failed() bool
		Errorf(format string, args ...any)
	})
	env.Defer(func() {
		for _, p := range slices.Backward(s.started) {
			p.kill()
		}
		if s.proxy != nil {
			if err := s.proxy.Close(); err != nil {
				t.Errorf("%v", err)
			}
		}
		if s.served != nil {
			s.served.Close()
		}
		passed := !t.Failed()
		if left := endLeftovers(work, passed); passed && len(left) > 0 {
			t.Errorf("processes were left behind: %q", left)
		}
	})
	return s
}

func stageOf(ts *testscript.TestScript) *stage {
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok {
		ts.Fatalf("the script has no stage")
	}
	return s
}

// fatalf ends the script, and shows what every process has written last.
func (s *stage) fatalf(ts *testscript.TestScript, format string, args ...any) {
	const last = 40
	for _, p := range s.started {
		lines, _ := p.journal.lines(0)
		ts.Logf("--- %s wrote last:", p.name)
		for _, line := range lines[max(0, len(lines)-last):] {
			ts.Logf("%s", line)
		}
	}
	ts.Fatalf(format, args...)
}
