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
)

// requireNginx is the variable by which CI forbids to leave nginx out.
const requireNginx = "SWITCHYARD_REQUIRE_NGINX"

// nginxPath finds nginx, also where Debian puts it, which is not on every PATH.
func nginxPath() (string, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	return path, err //nolint:wrapcheck // it says what is missing
}

// needNginx leaves the test out where there is no nginx.
func needNginx(t *testing.T) {
	t.Helper()
	if _, err := nginxPath(); err == nil {
		return
	}
	if os.Getenv(requireNginx) == "1" {
		t.Fatalf("%s=1, and nginx is not installed (on Debian: apt-get install nginx-light)", requireNginx)
	}
	t.Skip("nginx is not installed (on Debian: apt-get install nginx-light)")
}

// startNginx puts nginx between the control plane and agents that start later, on
// a port that was free a moment before. If somebody else was quicker, another one
// is tried.
func startNginx(ts *testscript.TestScript, s *stage, args []string) {
	const tries = 5
	path, err := nginxPath()
	ts.Check(err)
	for range tries {
		address := freeAddress(ts)
		dir, err := os.MkdirTemp(ts.Getenv("WORK"), "nginx-")
		ts.Check(err)
		writeNginxConfig(ts, dir, args[0], address)
		s.nginx, err = startProcess("nginx", dir, nil, path, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
		ts.Check(err)
		s.processes["nginx"] = s.nginx
		s.started = append(s.started, s.nginx)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, _, listens := s.nginx.journal.await(ctx, 0, regexp.MustCompile(`using the "\w+" event method`))
		cancel()
		if listens {
			ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", "http://"+address+"/v3")
			return
		}
	}
	s.fatalf(ts, "nginx does not start")
}

func freeAddress(ts *testscript.TestScript) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	ts.Check(err)
	ts.Check(listener.Close())
	return listener.Addr().String()
}

// writeNginxConfig writes what nginx is to do there: what is common to all, and a
// front.
func writeNginxConfig(ts *testscript.TestScript, dir, front, address string) {
	values := strings.NewReplacer(
		"LISTEN", address, "CONTROL_PLANE", strings.TrimPrefix(ts.Getenv("SWITCHYARD_ENDPOINT"), "http://"),
	)
	for from, to := range map[string]string{"nginx.conf": "nginx.conf", front + ".conf": "front.conf"} {
		text, err := os.ReadFile(filepath.Join("testdata", "nginx", from))
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, to), []byte(values.Replace(string(text))), 0o600)) //nolint:gosec // ours
	}
}
