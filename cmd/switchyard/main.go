// Command switchyard gives jobs to machines: the control plane, the agent, and
// the commands for people and programs. See `switchyard --help`.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdout, os.Stderr))
}
