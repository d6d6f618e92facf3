package smalldisk

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

var errNoSpace = unix.ENOSPC

// mount mounts the disk, as another user than root with sudo if that asks for no
// password.
func mount(dir, options string) error {
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, options)
	if err == nil {
		return nil
	}
	options += fmt.Sprintf(",uid=%d,gid=%d", os.Getuid(), os.Getgid())
	if sudo("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir) == nil {
		return nil
	}
	return err //nolint:wrapcheck // the caller says what failed
}

func unmount(dir string) error {
	err := unix.Unmount(dir, unix.MNT_DETACH)
	if err != nil {
		err = sudo("umount", "--lazy", dir)
	}
	return err
}

func sudo(command ...string) error {
	command = append([]string{"--non-interactive"}, command...)
	return exec.Command("sudo", command...).Run() //nolint:gosec,noctx,wrapcheck // the words are those of a test
}
