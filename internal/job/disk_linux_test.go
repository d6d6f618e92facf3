package job

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRunFullDisk runs jobs on a file system that has no room: for a working directory, or for what the command writes.
func TestRunFullDisk(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		options string // of the file system
		status  string
		reason  SignalReason
		phase   bool
		log     []string
	}{
		{
			"no room for a working directory", "nr_inodes=1", "-1", ReasonProcessRunError, true,
			[]string{"switchyard: cannot run the job: making a working directory", "no space left on device"},
		},
		{
			"no room for what the command writes", "size=64k", "1", ReasonNone, false,
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

			if InPhase(err, PhasePrepare) != tt.phase {
				t.Errorf("error %v", err)
			}

			checkStory(t, cp, result)
			checkLog(t, cp, "", tt.log)
			checkEmpty(t, filepath.Clean(opts.BuildPath))
		})
	}
}
