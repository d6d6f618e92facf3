package controlplane_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Start returns errors of one line, which name the cause and contain no token, and
// leaves nothing open, so that the next start succeeds.
func TestStartErrors(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	const sameToken = "the-same-token-twice"
	for _, row := range []struct {
		name     string
		change   func(*testing.T, *controlplane.Config)
		is       error // nil: not asked
		contains []string
	}{
		{
			"the port is taken", func(_ *testing.T, c *controlplane.Config) { c.Listen = taken.Addr().String() },
			syscall.EADDRINUSE,
			[]string{taken.Addr().String(), "the port is taken", "choose another"},
		},
		{
			"a bad configuration", func(_ *testing.T, c *controlplane.Config) { c.Listen = ":1" },
			nil,
			[]string{`listen address ":1"`},
		},
		{"the data directory is a file", func(t *testing.T, c *controlplane.Config) {
			c.DataDir = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(c.DataDir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, syscall.ENOTDIR, []string{"data directory", "/file: not a directory"}},
		{"missing certificate", func(t *testing.T, c *controlplane.Config) {
			c.TLSCertFile, c.TLSKeyFile = filepath.Join(t.TempDir(), "none.pem"), "key.pem"
		}, os.ErrNotExist, []string{"TLS certificate", "none.pem", "no such file"}},
		{"equal tokens", func(_ *testing.T, c *controlplane.Config) {
			c.AdminToken, c.RegistrationToken = sameToken, sameToken
		}, nil, []string{"are the same"}},
		{"equal tokens, one hashed", func(_ *testing.T, c *controlplane.Config) {
			c.AdminToken, c.RegistrationToken = sameToken, token.HashOf(sameToken).String()
		}, nil, []string{"are the same"}},
		{
			"NATS with a file that is missing", func(_ *testing.T, c *controlplane.Config) {
				c.NATSURL, c.NATSAccess.CredentialsFile = "nats://127.0.0.1:1", "none.creds"
			},
			os.ErrNotExist,
			[]string{"store", "none.creds"},
		},
		{
			"copies without NATS", func(_ *testing.T, c *controlplane.Config) { c.NATSReplicas = 3 },
			nil,
			[]string{"NATS", "set its URL"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			config := controlplane.Config{Listen: "127.0.0.1:0", DataDir: dir}
			row.change(t, &config)
			server, err := controlplane.Start(t.Context(), config)
			if err == nil {
				t.Fatalf("started; shutting down: %v", server.Shutdown(t.Context()))
			}
			if row.is != nil && !errors.Is(err, row.is) {
				t.Errorf("error %v is not %v", err, row.is)
			}
			for _, want := range row.contains {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not contain %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), sameToken) {
				t.Errorf("error %q has several lines or contains a token", err)
			}
			again, err := controlplane.Start(t.Context(), controlplane.Config{Listen: "127.0.0.1:0", DataDir: dir})
			if err != nil {
				t.Fatalf("starting again on the same directory: %v", err)
			}
			if err := again.Shutdown(t.Context()); err != nil {
				t.Errorf("shutting down: %v", err)
			}
		})
	}
}

func TestDataDirIsLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "data")
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	_, err := controlplane.Start(t.Context(), controlplane.Config{Listen: "127.0.0.1:0", DataDir: dir})
	if !errors.Is(err, controlplane.ErrDataDirInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second start: %v, want ErrDataDirInUse with the directory", err)
	}
	b.must(200, request{method: "GET", path: "/readyz"})
	for name, want := range map[string]os.FileMode{".": 0o700, "registration-token": 0o600, "admin-token": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

// Jobs, workers and tokens survive a restart.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	inDir := func(c *controlplane.Config) { c.DataDir = dir }
	first := start(t, inDir)
	w := first.register("w", "q")
	running := first.accepted(w, queued("q"))
	first.must(200, request{method: "PUT", path: "/v3/jobs/" + running.text("id") + "/start", token: running.text("token")})
	waiting := first.submit("nobody", "true")
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	second := start(t, inDir)
	if second.AdminToken() != first.AdminToken() || second.RegistrationToken() != first.RegistrationToken() {
		t.Error("the tokens changed")
	}
	if got := second.stateOf(waiting.GetId()); got != switchyardv1.JobState_JOB_STATE_QUEUED {
		t.Errorf("the waiting job is %v", got)
	}
	second.must(200, request{method: "POST", path: "/v3/heartbeat", token: w.token})
	second.must(200, request{
		method: "PUT", path: "/v3/jobs/" + running.text("id") + "/finish",
		token: running.text("token"), body: `{"exit_status":"0"}`,
	})
	if got := second.stateOf(running.text("id")); got != switchyardv1.JobState_JOB_STATE_FINISHED {
		t.Errorf("the running job is %v, want finished", got)
	}
}

func TestConfiguredTokens(t *testing.T) {
	const registration, admin = "registration-token-of-ours", "admin-token-of-ours"
	b := start(t, func(c *controlplane.Config) {
		c.RegistrationToken, c.AdminToken = token.HashOf(registration).String(), admin
	})
	if b.RegistrationToken() != "" || b.AdminToken() != admin {
		t.Errorf("tokens are %q and %q, want none for the hashed one, and the other", b.RegistrationToken(), b.AdminToken())
	}
	b.must(200, request{method: "POST", path: "/v3/register", token: registration, body: `{"name":"w"}`})
	b.must(401, request{method: "POST", path: "/v3/register", token: token.HashOf(registration).String(), body: `{"name":"w"}`})
	if _, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{}); err != nil {
		t.Errorf("the admin token: %v", err)
	}
}

func TestShutdownRunsOnce(t *testing.T) {
	b := start(t)
	select {
	case <-b.Done():
		t.Fatal("done before shutdown")
	default:
	}
	if err := b.Err(); err != nil {
		t.Errorf("Err before the end: %v", err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := b.Shutdown(t.Context()); err != nil {
				t.Errorf("shutting down: %v", err)
			}
		})
	}
	group.Wait()
	<-b.Done()
	if err := b.Err(); err != nil {
		t.Errorf("Err after the end: %v", err)
	}
}

// A request that never ends does not delay the shutdown beyond its context.
func TestShutdownIsBounded(t *testing.T) {
	b := start(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := "POST /v3/register HTTP/1.1\r\nHost: x\r\nAuthorization: Token " + b.RegistrationToken() +
		"\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
	if _, err := conn.Write([]byte(call)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // 100 Continue: the server waits for the body
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

func TestHealth(t *testing.T) {
	b := start(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := b.must(200, request{method: "GET", path: path}); string(got.raw) != "ok\n" {
			t.Errorf("%s returned %q", path, got.raw)
		}
	}
	for service, want := range map[string]string{
		"": "SERVING", "agentedge.v1.AgentEdgeService": "SERVING",
		"switchyard.v1.JobService": "SERVING", "switchyard.v1.WorkerService": "SERVING", "unknown.service": "not_found",
	} {
		got := b.do(request{
			method: "POST", path: "/grpc.health.v1.Health/Check", body: `{"service":"` + service + `"}`,
			header: http.Header{"Content-Type": {"application/json"}},
		})
		if !strings.Contains(string(got.raw), want) {
			t.Errorf("service %q returned %s, want %s", service, got.raw, want)
		}
	}
}

// The log contains no token.
func TestTokensAreNotLogged(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	b := start(t, func(c *controlplane.Config) { c.Logger = zap.New(core) })
	w := b.register("w", "q")
	s := b.stream(w, connect.WithGRPC())
	s.expect("resume")
	job := b.submit("q", "true")
	s.expect("job " + job.GetId())
	accepted := b.must(200, request{method: "PUT", path: "/v3/jobs/" + job.GetId() + "/accept", token: w.token})
	path := "/v3/jobs/" + job.GetId()
	b.must(200, request{method: "PUT", path: path + "/start", token: accepted.text("token")})
	b.must(400, request{method: "PUT", path: path + "/finish", token: accepted.text("token"), body: accepted.text("token")})
	b.must(200, request{method: "PUT", path: path + "/finish", token: accepted.text("token")})
	if err := b.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if logs.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	for _, entry := range logs.All() {
		line := entry.Message
		for _, field := range entry.Context {
			encoder := zapcore.NewMapObjectEncoder()
			field.AddTo(encoder)
			for _, value := range encoder.Fields {
				if text, ok := value.(string); ok {
					line += " " + text
				}
			}
		}
		for name, token := range map[string]string{
			"registration": b.RegistrationToken(), "admin": b.AdminToken(), "session": w.token, "job": accepted.text("token"),
		} {
			if strings.Contains(line, token) {
				t.Errorf("the %s token is in the log: %s", name, line)
			}
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	huge := http.Header{"X-Huge": {strings.Repeat("x", 64<<10)}}
	if got := b.do(request{method: "GET", path: "/v3/ping", token: w.token, header: huge}); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("huge headers: status %d, want 431", got.status)
	}
	big := `{"sent_at":"` + strings.Repeat("x", 1<<20) + `"}`
	_ = b.must(413, request{method: "POST", path: "/v3/heartbeat", token: w.token, body: big}).message(t)
	_, err := b.jobs.SubmitJob(t.Context(), &switchyardv1.SubmitJobRequest{Command: []string{strings.Repeat("x", 8<<20)}})
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a huge job: %v, want resource exhausted", err)
	}
	b.must(200, request{method: "GET", path: "/v3/ping", token: w.token})
}
