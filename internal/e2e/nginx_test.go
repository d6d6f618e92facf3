package e2e_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// requireNginx is the variable with which CI makes the tests with nginx mandatory.
const requireNginx = "SWITCHYARD_REQUIRE_NGINX"

// nginxPath returns the path of nginx, also in the directory that Debian uses,
// which is not on every PATH.
func nginxPath() (string, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	return path, err //nolint:wrapcheck // it says what is missing
}

// needNginx skips the test where there is no nginx.
func needNginx(t *testing.T) {
	t.Helper()
	if _, err := nginxPath(); err == nil {
		return
	}
	if os.Getenv(requireNginx) == "1" {
		t.Fatalf("%s=1, but nginx is not installed (on Debian: apt-get install nginx-light)", requireNginx)
	}
	t.Skip("nginx is not installed (on Debian: apt-get install nginx-light)")
}

// startNginx starts nginx between the control plane and agents that start later. It
// takes a port that was free a moment before, and another one if that is taken by
// then.
func startNginx(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	const tries = 5
	path, err := nginxPath()
	ts.Check(err)
	for range tries {
		address := freeAddress(ts)
		dir, err := os.MkdirTemp(ts.Getenv("WORK"), "nginx-")
		ts.Check(err)
		writeNginxConfig(ts, dir, args[0], address)
		nginx, err := scripttest.Start("nginx", dir, nil, path, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
		ts.Check(err)
		ps.Add(nginx)
		middleOf(ts).nginx = nginx
		ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
		_, _, listens := nginx.Journal.Await(ctx, 0, regexp.MustCompile(`using the "\w+" event method`))
		cancel()
		if listens {
			ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", "http://"+address+wire.Prefix)
			return
		}
	}
	ps.Fatalf(ts, "nginx does not start")
}

func freeAddress(ts *testscript.TestScript) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	ts.Check(err)
	ts.Check(listener.Close())
	return listener.Addr().String()
}

// writeNginxConfig writes the configuration of nginx to dir: the common part, and
// that of a front.
func writeNginxConfig(ts *testscript.TestScript, dir, front, address string) {
	values := strings.NewReplacer(
		"LISTEN", address, "CONTROL_PLANE", strings.TrimPrefix(ts.Getenv("SWITCHYARD_ENDPOINT"), "http://"),
	)
	for from, to := range map[string]string{"nginx.conf": "nginx.conf", front + ".conf": "front.conf"} {
		text, err := os.ReadFile(filepath.Join("testdata", "nginx", from))
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, to), []byte(values.Replace(string(text))), 0o600)) //nolint:gosec // a file of this test
	}
}
