// Package deploy has the files with which the programs run as services, on machines and in
// containers. The command switchyard deploy writes them, and packages for distributions
// have the same ones.
package deploy

import (
	"embed"
	"path"

	"github.com/switchyard-ci/switchyard/internal/telemetry/monitoring"
)

//go:embed files/compose.yaml files/kubernetes.yaml files/systemd
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
		embedded(units, "systemd/switchyard-server.service"),
		embedded(units, "systemd/switchyard-agent.service"),
		embedded(units, "systemd/switchyard-agent@.service"),
		embedded(settings, "systemd/server.yaml"),
		embedded(settings, "systemd/agent.yaml"),
		embedded("/usr/lib/sysusers.d", "systemd/switchyard-server.conf"),
		embedded("/usr/lib/sysusers.d", "systemd/switchyard-agent.conf"),
	}
}

// Compose returns a file for docker compose: a cluster with three copies of everything.
func Compose() []File { return []File{embedded(shared, "compose.yaml")} }

// Kubernetes returns manifests: the control plane on a volume, and agents.
func Kubernetes() []File { return []File{embedded(shared, "kubernetes.yaml")} }

// Grafana returns a dashboard.
func Grafana() []File {
	return []File{{path.Join(shared, "grafana.json"), monitoring.Dashboard}}
}

// Alerts returns rules for Prometheus.
func Alerts() []File {
	return []File{{path.Join(shared, "alerts.yml"), monitoring.Alerts}}
}

// embedded returns a file of the directory files as one that belongs in dir.
func embedded(dir, name string) File {
	content, err := files.ReadFile(path.Join("files", name))
	if err != nil {
		panic(err) // the program was built without it
	}
	return File{path.Join(dir, path.Base(name)), content}
}
