package e2e_test

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/freeport"
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
		scheme := "http"
		if args[0] == guideFront {
			scheme = "https"
		}
		writeNginxConfig(ts, dir, args[0], address)
		nginx, err := scripttest.Start("nginx", dir, nil, path, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
		ts.Check(err)
		ps.Add(nginx)
		middleOf(ts).nginx = nginx
		ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
		_, _, listens := nginx.Journal.Await(ctx, scripttest.Position{}, regexp.MustCompile(`using the "\w+" event method`))
		cancel()
		if listens {
			ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", scheme+"://"+address+wire.Prefix)
			if args[0] == guideFront {
				ts.Setenv("SWITCHYARD_ENDPOINT", scheme+"://"+address)
			}
			return
		}
	}
	ps.Fatalf(ts, "nginx does not start")
}

func freeAddress(ts *testscript.TestScript) string {
	addresses, err := freeport.Addresses(context.Background(), 1)
	ts.Check(err)
	return addresses[0]
}

// guideFront is the front that OPERATING.md recommends for two replicas. The script has
// their addresses in $ONE and $TWO, and a certificate in cert.pem and key.pem.
const guideFront = "OPERATING"

// guideNginx returns that front, with the addresses and the certificate of the script.
func guideNginx(ts *testscript.TestScript) string {
	guide, err := os.ReadFile(filepath.Join("..", "..", "OPERATING.md"))
	ts.Check(err)
	_, text, found := strings.Cut(string(guide), "```nginx\n")
	front, _, closed := strings.Cut(text, "```\n")
	if !found || !closed {
		ts.Fatalf("OPERATING.md has no configuration of nginx")
	}
	for from, to := range map[string]string{
		"10.0.0.11:7420": ts.Getenv("ONE"), "10.0.0.12:7420": ts.Getenv("TWO"), "listen 443 ssl": "listen LISTEN ssl",
		"/etc/nginx/ci.pem": ts.MkAbs("cert.pem"), "/etc/nginx/ci.key": ts.MkAbs("key.pem"),
	} {
		if !strings.Contains(front, from) {
			ts.Fatalf("the configuration of nginx in OPERATING.md has no %q", from)
		}
		front = strings.ReplaceAll(front, from, to)
	}
	return front
}

// writeNginxConfig writes the configuration of nginx to dir: the common part, and
// that of a front.
func writeNginxConfig(ts *testscript.TestScript, dir, front, address string) {
	controlPlane := cmp.Or(strings.TrimPrefix(ts.Getenv("SWITCHYARD_ENDPOINT"), "http://"), ts.Getenv("ONE"))
	values := strings.NewReplacer("LISTEN", address, "CONTROL_PLANE", controlPlane)
	for from, to := range map[string]string{"nginx.conf": "nginx.conf", front + ".conf": "front.conf"} {
		var text string
		if from == guideFront+".conf" {
			text = guideNginx(ts)
		} else {
			file, err := os.ReadFile(filepath.Join("testdata", "nginx", from))
			ts.Check(err)
			text = string(file)
		}
		ts.Check(os.WriteFile(filepath.Join(dir, to), []byte(values.Replace(text)), 0o600)) //nolint:gosec // a file of this test
	}
}
