package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

// how is what TestDocumentedBlocks does with a block.
type how int

const (
	runs   how = iota // all of its commands succeed
	serves            // its last command goes on: it is ready when it has written a line that matches
	parsed            // another test runs it; here TestDocumentedCommands parses it
)

// documented has each block of the documents, in their order, by the beginning of its first
// command. A block that is new needs a row.
//
//nolint:gochecknoglobals // a table, never written
var documented = []struct {
	document, first string
	how             how
	pattern         string // what the output must have; of parsed, which test runs it
}{
	{"README.md", "go run ./cmd/switchyard demo", parsed, "the steps demo and tests of .ci/run"},
	{"README.md", "go build -o switchyard", serves, `^  for people and programs +(\S+)`},
	{"README.md", "./switchyard job submit --wait -- sh -c 'for", runs, `(?m)finished with exit status 7\n7$`},
	{"README.md", "go build -trimpath -o /usr/bin/", runs, `switchyard-agent@\.service`},
	{"README.md", "systemctl enable --now switchyard-server", runs, ""},
	{"README.md", "export SWITCHYARD_ENDPOINT=", runs, ""},
	{"README.md", "chown switchyard-agent", runs, ""},
	{"README.md", "switchyard job submit --wait --queue linux", runs, `(?m)^(Linux|Darwin)`},
	{"OPERATING.md", "switchyard job list --since 12h --output json | jq", runs, `exit status 7: sh -c`},
	{"OPERATING.md", "switchyard server start --listen 0.0.0.0:7420 --tls-cert cert.pem --tls-key key.pem --data-dir", serves, `^The control plane is up`},
	{"OPERATING.md", "switchyard agent start --endpoint", serves, `"registered"`},
	{"OPERATING.md", `switchyard server start --listen 0.0.0.0:7420 --tls-cert cert.pem --tls-key key.pem \`, parsed, "the nginx scripts of internal/e2e"},
	{"OPERATING.md", "go run ./internal/cluster/run", parsed, "TestCluster of internal/e2e"},
	{"OPERATING.md", "switchyard token create linux-agents", runs, ` dashboard +read `},
	{"OPERATING.md", "switchyard token revoke linux-agents", runs, `stolen`},
	{"OPERATING.md", "switchyard job delete ID...", runs, ""},
	{"OPERATING.md", "switchyard server backup backup.gz", runs, ""},
	{"OPERATING.md", "mkdir -m 700", serves, `^The control plane is up`},
	{"OPERATING.md", "sed 's/^/Authorization", runs, ""},
	{"OPERATING.md", "switchyard agent history --since 12h", runs, ""},
	{"OPERATING.md", "switchyard demo --transition-log", parsed, "the scripts demo and fsm_replay"},
	{"SECURITY.md", "useradd --system", runs, ""},
	{"UPGRADING.md", "switchyard server restore backup.gz", runs, ""},
}

// TestDocumentedBlocks runs the blocks of the documents one after the other, as a reader
// would, against the control plane that the README starts. Paths of the machine are below
// a directory of the test, and what changes the machine itself does nothing.
func TestDocumentedBlocks(t *testing.T) {
	t.Parallel()
	for _, needed := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("no %s: %v", needed, err)
		}
	}
	r := newReader(t)
	next := 0
	for _, document := range documents {
		blocks, _ := read(t, document)
		for _, b := range blocks {
			if next == len(documented) || documented[next].document != document || !strings.HasPrefix(b.first(), documented[next].first) {
				t.Fatalf("%v: %q has no row in the table, or not in this place", b, b.first())
			}
			row := documented[next]
			next++
			switch row.how {
			case runs:
				output := r.run(b)
				if !regexp.MustCompile(row.pattern).MatchString(output) {
					t.Fatalf("%v: no %q in the output: %s", b, row.pattern, output)
				}
			case serves:
				r.serve(b, row.pattern)
			case parsed:
			}
		}
	}
	if next != len(documented) {
		t.Errorf("no document has %q", documented[next].first)
	}
}

// reader is someone who copies the commands of the documents.
type reader struct {
	t        *testing.T
	dir      string
	env      []string
	endpoint string   // of the control plane that the README starts
	replaced []string // pairs of what is written and what is run
}

// newReader returns a reader who has the programs that a block may call. Those that would
// change the machine do nothing.
func newReader(t *testing.T) *reader {
	t.Helper()
	dir := t.TempDir()
	r := &reader{t: t, dir: dir, env: []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "XDG_STATE_HOME=" + filepath.Join(dir, "state"), "TMPDIR=" + dir,
		"SWITCHYARD_SERVER_LISTEN=127.0.0.1:0", "SWITCHYARD_AGENT_NAME=reader",
	}}
	program, err := exec.LookPath("switchyard")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"systemctl", "systemd-sysusers", "chown", "useradd"} {
		r.write(filepath.Join("bin", name), "#!/bin/sh\n", 0o700)
	}
	r.write("bin/go", "#!/bin/sh\n[ \"$3\" != switchyard ] || ln -sf "+program+" \"$3\"\n", 0o700)
	r.certificate()
	root := filepath.Join(dir, "root")
	r.replaced = []string{
		"--dir /\n", "--dir " + root + "\n", "/etc/", root + "/etc/", "/var/lib/", root + "/var/lib/",
		"0.0.0.0:7420", "127.0.0.1:0", "--until 1h", "--until 0s", // an hour ago there was nothing
		"?seconds=10", "?seconds=1",
	}
	if err := os.MkdirAll(root+"/var/lib", 0o700); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) write(name, content string, mode os.FileMode) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		r.t.Fatal(err)
	}
}

// certificate writes cert.pem and key.pem.
func (r *reader) certificate() {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})), 0o600)
	r.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})), 0o600)
}

// text returns a block as it is run here.
func (r *reader) text(b block) string {
	text := strings.NewReplacer(r.replaced...).Replace(b.text)
	if strings.Contains(text, "echo $?") {
		return text
	}
	return "set -e\n" + text
}

// run runs a block to its end, and returns its output.
func (r *reader) run(b block) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), scripttest.Patience)
	defer cancel()
	text := r.text(b)
	cmd := exec.CommandContext(ctx, "sh", "-c", text) //nolint:gosec // a document of this repository
	cmd.Dir, cmd.Env = r.dir, r.env
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%v: %v\n%s\n%s", b, err, text, output.String())
	}
	r.learn(b)
	return output.String()
}

// serve runs a block whose last command goes on, until the end of the test.
func (r *reader) serve(b block, ready string) {
	r.t.Helper()
	lines := strings.Split(strings.TrimRight(r.text(b), "\n"), "\n")
	lines[len(lines)-1] = "exec " + lines[len(lines)-1]
	process, err := scripttest.Start(b.String(), r.dir, r.env, "/bin/sh", "-c", strings.Join(lines, "\n"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(process.Kill)
	groups := r.await(process, ready)
	if len(groups) > 1 { // the control plane that all else calls
		r.endpoint = groups[1]
		r.env = append(r.env, "SWITCHYARD_ENDPOINT="+groups[1])
		r.replaced = append(r.replaced, "https://ci.example.com:7420", groups[1])
		for _, name := range []string{"registration-token", "admin-token"} {
			token, err := os.ReadFile(filepath.Join(r.dir, "state", "switchyard", name))
			if err != nil {
				r.t.Fatal(err)
			}
			r.write(name, string(token), 0o600)
			r.write("root/var/lib/switchyard/"+name, string(token), 0o600)
		}
	}
}

func (r *reader) await(process *scripttest.Process, pattern string) []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), scripttest.Patience)
	defer cancel()
	groups, _, ok := process.Journal.Await(ctx, scripttest.Position{}, regexp.MustCompile(pattern))
	if !ok {
		process.Kill()
		r.t.Fatalf("%s: no line matches %q: %s", process.Name, pattern, process.Stderr())
	}
	return groups
}

// learn does what the text between the blocks says: edits settings, and fills in IDs.
func (r *reader) learn(b block) {
	r.t.Helper()
	switch {
	case strings.HasPrefix(b.text, "./switchyard job submit"):
		r.replaced = append(r.replaced, "ID...", r.job(), "ID\n", r.job()+"\n", "ID ", r.job()+" ", "NAME", "reader-1")
	case strings.HasPrefix(b.text, "chown switchyard-agent"):
		const path = "root/etc/switchyard/agent.yaml"
		content, err := os.ReadFile(r.dir + "/" + path)
		if err != nil {
			r.t.Fatal(err)
		}
		own := append([]string{"http://127.0.0.1:7420", r.endpoint, "queue: default", "queue: linux"}, r.replaced...)
		r.write(path, strings.NewReplacer(own...).Replace(string(content)), 0o600)
		r.serve(block{document: b.document, line: b.line, text: "switchyard agent start --config /etc/switchyard/agent.yaml --data-dir agent\n"}, `"registered"`)
	}
}

// job runs a job, and returns its ID.
func (r *reader) job() string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "switchyard", "job", "submit", "--", "true")
	cmd.Dir, cmd.Env = r.dir, r.env
	output, err := cmd.Output()
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}
