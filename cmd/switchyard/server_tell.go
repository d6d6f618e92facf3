package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/present"
)

// agentPath is where a control plane serves agents.
const agentPath = "/v3"

// serverInfo is where a control plane is, for a program that has started one.
type serverInfo struct {
	Endpoint      string `json:"endpoint"`
	AgentEndpoint string `json:"agentEndpoint"`
	DataDir       string `json:"dataDir"`
}

// tellServer says that the control plane is ready, where it is, and how to submit
// a job to it. what is what has started; agents are what runs beside it, if
// anything.
func (a *app) tellServer(cmd *cli.Command, server *controlplane.Server, settings controlplane.Config, what, agents string) error {
	dir, err := filepath.Abs(settings.DataDir)
	if err != nil {
		dir = settings.DataDir
	}
	if asJSON(cmd) {
		return a.writeJSON(serverInfo{Endpoint: server.URL(), AgentEndpoint: server.URL() + agentPath, DataDir: dir})
	}
	var arguments strings.Builder
	argument := func(flag, value string) { arguments.WriteString(" --" + flag + " " + present.Command([]string{value})) }
	if server.URL() != client.DefaultEndpoint {
		argument(flagEndpoint, server.URL())
	}
	if cmd.IsSet(flagDataDir) {
		argument(flagDataDir, dir)
	}
	if settings.TLSCertFile != "" {
		argument(flagCAFile, settings.TLSCertFile)
	}
	return a.printf(`%s is up.
  for people and programs  %s
  for agents               %s
  data and tokens          %s
%sTo submit a job:
  %s job submit%s --wait -- echo hello
`, what, server.URL(), server.URL()+agentPath, dir, agents, name, arguments.String())
}
