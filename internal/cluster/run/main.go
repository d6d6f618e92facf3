// Command run starts three NATS servers and three replicas of the control plane on this
// machine until it is interrupted: `task cluster`.
//
//	go run ./internal/cluster/run              # in a temporary directory, removed at the end
//	go run ./internal/cluster/run -dir DIR     # keeps jobs and logs there
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/cluster"
)

const (
	// startTimeout bounds the start, builds excluded, and stopTimeout the end.
	startTimeout = time.Minute
	stopTimeout  = 30 * time.Second
)

func main() {
	dir := flag.String("dir", "", "directory for the data and the logs, which are kept; empty is a temporary one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *dir); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1) //nolint:forbidigo,gocritic // this is main, and nothing is left to be undone
	}
}

func run(ctx context.Context, out io.Writer, dir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "switchyard-cluster-"); err != nil {
			return fmt.Errorf("making a directory: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }() // it is a temporary one
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("directory %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	_, _ = fmt.Fprintln(out, "building switchyard and nats-server ...")
	config := cluster.Config{Dir: dir, RegistrationToken: rand.Text(), AdminToken: rand.Text()}
	if config.Program, err = cluster.Build(ctx, dir); err != nil {
		return err //nolint:wrapcheck // it says what failed
	}
	if config.NATSProgram, err = cluster.BuildNATS(ctx, dir); err != nil {
		return err //nolint:wrapcheck // it says what failed
	}
	c, err := cluster.New(ctx, config)
	if err != nil {
		return err //nolint:wrapcheck // it says what failed
	}
	defer c.Kill()
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.Start(starting); err != nil {
		return err //nolint:wrapcheck // it says what failed
	}
	tokens, err := writeTokens(config)
	if err != nil {
		return err
	}
	announce(out, c, config, tokens)
	<-ctx.Done()
	_, _ = fmt.Fprintln(out, "stopping")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return c.Stop(stopping) //nolint:wrapcheck // it says what failed
}

// tokenFiles are the files of the tokens, for agents and commands.
type tokenFiles struct{ registration, admin string }

func writeTokens(config cluster.Config) (files tokenFiles, err error) {
	files = tokenFiles{filepath.Join(config.Dir, "registration-token"), filepath.Join(config.Dir, "admin-token")}
	for file, token := range map[string]string{files.registration: config.RegistrationToken, files.admin: config.AdminToken} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			return files, fmt.Errorf("writing a token: %w", err)
		}
	}
	return files, nil
}

func announce(out io.Writer, c *cluster.Cluster, config cluster.Config, tokens tokenFiles) {
	_, _ = fmt.Fprintf(out, "\nNATS       %s\n", strings.Join(c.NATSAddresses, "  "))
	for i, p := range c.Replicas {
		_, _ = fmt.Fprintf(out, "%s   %s   log %s\n", p.Name, c.URL(i), p.LogFile)
	}
	_, _ = fmt.Fprintf(out, `
An agent, and a job through another replica:
  %s agent start --endpoint %s/v3 --token-file %s --spawn 4
  %s job submit --endpoint %s --admin-token-file %s --wait -- echo hello
Ctrl-C ends all of it.
`, config.Program, c.URL(0), tokens.registration, config.Program, c.URL(1), tokens.admin)
}
