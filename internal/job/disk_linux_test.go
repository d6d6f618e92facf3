package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunFullDisk runs jobs on a file system without room for a working directory,
// or for what the command writes.
func TestRunFullDisk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options string // of the file system
		status  string
		reason  string
		phase   bool
		log     []string
	}{
		{
			"no room for a working directory", "nr_inodes=1", "-1", wire.ReasonProcessRunError, true,
			[]string{"switchyard: cannot run the job: creating a working directory", "no space left on device"},
		},
		{
			"no room for what the command writes", "size=64k", "1", "", false,
			[]string{"before", "No space left on device"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "echo before; head -c 1000000 /dev/zero >file; echo after")
			err := unix.Mount("tmpfs", opts.BuildPath, "tmpfs", 0, tt.options)
			if errors.Is(err, unix.EPERM) {
				t.Skip("mounting a small file system takes root")
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Unmount(opts.BuildPath, unix.MNT_DETACH) })
			result, err := Run(t.Context(), spec, cp, opts)
			if result.ExitStatus != tt.status || result.SignalReason != tt.reason {
				t.Errorf("%+v, %v", result, err)
			}
			if errors.Is(err, PhasePrepare) != tt.phase {
				t.Errorf("error %v", err)
			}
			checkCalls(t, cp, result)
			checkLog(t, cp, "", tt.log)
			checkEmpty(t, filepath.Clean(opts.BuildPath))
		})
	}
}

// TestRunFullSpool runs a job whose spool is full. Everything is delivered from
// memory, and the agent's log has warnings.
func TestRunFullSpool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4k,mode=0700")
	if errors.Is(err, unix.EPERM) {
		t.Skip("mounting a small file system takes root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	core, logs := observer.New(zapcore.WarnLevel)
	cp := &recorder{}
	spec, opts := jobFor(t, "head -c 300000 /dev/zero; exit 3")
	opts.Logger, spec.ReportEndpoint = zap.New(core), "http://127.0.0.1/v3"
	if opts.Spool, err = spool.Open(dir, nil); err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), spec, cp, opts)
	if err != nil || result.ExitStatus != "3" || result.ChunksFailed != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if whole, err := cp.log(); err != nil || len(whole) != 300000 {
		t.Errorf("%d bytes arrived, %v", len(whole), err)
	}
	checkCalls(t, cp, result)
	var messages []string
	for _, line := range logs.All() {
		messages = append(messages, line.Message+" "+line.ContextMap()["error"].(string))
	}
	all := strings.Join(messages, "\n")
	for _, want := range []string{"could not write the log to the spool", "no space left on device"} {
		if !strings.Contains(all, want) {
			t.Errorf("the agent's log lacks %q:\n%s", want, all)
		}
	}
	if left := spooledFiles(dir); len(left) > 0 {
		t.Errorf("in the spool: %v", left)
	}
}
