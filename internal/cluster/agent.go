package cluster

import (
	"os"
	"path/filepath"
	"strconv"
)

// NewAgent prepares an agent with a number of workers, which knows every replica. It is
// not started.
func (c *Cluster) NewAgent(name string, workers int, args ...string) (*Process, error) {
	all := make([]string, 0, 2*len(c.Replicas)+len(args))
	for i := range c.Replicas {
		all = append(all, "--endpoint", c.URL(i)+"/v3")
	}
	p, err := newProcess(c.config.Dir, name, c.config.Program, nil, append(append([]string{
		"agent", "start", "--name", name, "--spawn", strconv.Itoa(workers), "--data-dir", filepath.Join(c.config.Dir, name, "data"),
	}, all...), args...)...)
	if err != nil {
		return nil, err
	}
	p.env = append(os.Environ(), "HOME="+p.Dir, "SWITCHYARD_AGENT_TOKEN="+c.config.RegistrationToken)
	return p, nil
}
