//go:build unix

package controlplane

import "golang.org/x/sys/unix"

// maxConnections returns how many connections the limit of open files allows. Go has
// raised that to what the system permits.
func maxConnections() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return mostConnections
	}
	return connectionsOf(files.Cur)
}
