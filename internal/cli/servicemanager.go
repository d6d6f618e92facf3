package cli

import (
	"github.com/coreos/go-systemd/v22/daemon"
)

// notifyServiceManager sends the state of the daemon to the service manager, if it wants
// to know: systemd does, for a unit of Type=notify or notify-reload. Errors are ignored:
// the daemon goes on all the same, and the manager reports that it received nothing.
func notifyServiceManager(state string) { _, _ = daemon.SdNotify(false, state) }

const (
	serviceReady    = daemon.SdNotifyReady
	serviceStopping = daemon.SdNotifyStopping
)

// serviceReloading returns the state of a daemon that reloads its settings. It is
// followed by serviceReady.
func serviceReloading() string {
	state := daemon.SdNotifyReloading
	if at := daemon.SdNotifyMonotonicUsec(); at != "" {
		state += "\n" + at
	}
	return state
}
