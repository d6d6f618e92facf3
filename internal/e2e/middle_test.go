package e2e_test

import (
	"net/http/httptest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

type middleKey struct{}

// middle is what stands between the agents and the control plane of one script.
// It belongs to the script's goroutine.
type middle struct {
	proxy *faultproxy.Proxy
	more  map[string]*faultproxy.Proxy // by the variable with its URL
	cut   bool                         // the proxy starts with the control plane, and cuts the stream
	nginx *scripttest.Process
	front string           // of nginx that starts with the control plane; empty for none
	git   *httptest.Server // a repository
	nats  *server.Server   // a store that replicas share

	answer []byte // of the last call of the agents' API
}

// setup prepares a script. At its end it stops what stands in the middle, and
// checks that no process is left.
func setup(env *testscript.Env, way path) {
	m := &middle{more: map[string]*faultproxy.Proxy{}, cut: way.cut, front: way.nginx}
	env.Values[middleKey{}] = m
	work := env.WorkDir
	t, _ := env.T().(interface {
		Failed() bool
		Errorf(format string, args ...any)
	})
	env.Defer(func() {
		if m.proxy != nil {
			if err := m.proxy.Close(); err != nil {
				t.Errorf("%v", err)
			}
		}
		for _, proxy := range m.more {
			if err := proxy.Close(); err != nil {
				t.Errorf("%v", err)
			}
		}
		if m.git != nil {
			m.git.Close()
		}
		if m.nats != nil {
			m.nats.Shutdown()
			m.nats.WaitForShutdown()
		}
		passed := !t.Failed()
		if left := endLeftovers(work, passed); passed && len(left) > 0 {
			t.Errorf("processes were left behind: %q", left)
		}
	})
	scripttest.Setup(env) // its processes are killed before the function above runs
}

// middleOf returns what stands in the middle of a script.
func middleOf(ts *testscript.TestScript) *middle {
	m, ok := ts.Value(middleKey{}).(*middle)
	if !ok {
		ts.Fatalf("the script was not set up")
	}
	return m
}
