package e2e_test

import (
	"context"
	"io"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

// serveRepository makes a git repository of a module from the module cache, and
// serves it on loopback with git's own server.
func serveRepository(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
	root := ts.MkAbs("repositories")
	repo := filepath.Join(root, "module.git")
	// It runs in the test's own directory, because this module requires the other.
	source := output(ts, nil, "go", "list", "-m", "-f", "{{.Dir}}", args[0])
	ts.Check(os.CopyFS(repo, os.DirFS(source)))

	author := []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_AUTHOR_NAME=e2e", "GIT_AUTHOR_EMAIL=e2e@switchyard.example",
		"GIT_COMMITTER_NAME=e2e", "GIT_COMMITTER_EMAIL=e2e@switchyard.example",
	}
	for _, do := range [][]string{{"init", "--quiet"}, {"add", "--all"}, {"commit", "--quiet", "--message", args[0]}} {
		output(ts, author, "git", append([]string{"-C", repo}, do...)...)
	}

	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(output(ts, nil, "git", "--exec-path"), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		Dir:  root, Stderr: io.Discard,
	})
	middleOf(ts).git = server
	ts.Setenv("REPO", server.URL+"/module.git")
	ts.Setenv("COMMIT", output(ts, author, "git", "-C", repo, "rev-parse", "HEAD"))
	ts.Setenv("GOCACHE", output(ts, nil, "go", "env", "GOCACHE"))
}

// output returns what a program writes to standard output.
func output(ts *testscript.TestScript, env []string, program string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("%s %q: %v", program, args, err)
	}
	return strings.TrimSpace(string(out))
}
