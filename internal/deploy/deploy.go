// Package deploy has the files with which the programs run as services. The command
// switchyard deploy writes them, and packages for distributions have the same ones.
package deploy

import (
	"embed"
	"path"

	"github.com/switchyard-ci/switchyard/internal/telemetry/monitoring"
)

//go:embed files
var files embed.FS

// File is a file of a set.
type File struct {
	// Path is where the file belongs on a machine, absolute, with slashes.
	Path    string
	Content []byte
}

const (
	units    = "/usr/lib/systemd/system"
	settings = "/etc/switchyard"
	shared   = "/usr/share/switchyard"
)

// Systemd returns the units of the control plane and of agents, their settings, and the
// system users that they need.
func Systemd() []File {
	return []File{
		systemd(units, "switchyard-server.service"),
		systemd(units, "switchyard-agent.service"),
		systemd(units, "switchyard-agent@.service"),
		systemd(settings, "server.yaml"),
		systemd(settings, "agent.yaml"),
		systemd("/usr/lib/sysusers.d", "switchyard.conf"),
	}
}

// Grafana returns a dashboard.
func Grafana() []File {
	return []File{{path.Join(shared, "grafana.json"), monitoring.Dashboard}}
}

// Alerts returns rules for Prometheus.
func Alerts() []File {
	return []File{{path.Join(shared, "alerts.yml"), monitoring.Alerts}}
}

func systemd(dir, name string) File {
	content, err := files.ReadFile(path.Join("files/systemd", name))
	if err != nil {
		panic(err) // the program was built without it
	}
	return File{path.Join(dir, name), content}
}
