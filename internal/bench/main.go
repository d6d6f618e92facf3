package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// limit bounds the whole run.
const limit = 45 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the chosen experiments, and prints what was measured, also when some
// failed or the context has ended.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if len(args) > 0 {
		switch args[0] {
		case floorCommand:
			return runFloor(ctx, args[1:])
		case crowdCommand:
			return runCrowd(ctx, args[1:], stdout)
		case bareServerCommand:
			return runBareServer(ctx, args[1:])
		}
	}
	plan, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(plan.dir, "switchyard-bench-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if plan.peer {
		return comparePeer(ctx, plan, dir, stdout, stderr)
	}
	lab := &lab{plan: plan, dir: dir}
	if lab.binary, err = program(ctx, plan.binary, dir, "switchyard"); err != nil {
		return err
	}

	var results []result
	var errs []error
	for _, e := range experiments() {
		if len(plan.only) > 0 && !slices.Contains(plan.only, e.name) {
			continue
		}
		fmt.Fprintf(stderr, "%s ...\n", e.name)
		began := time.Now()
		got, failed := e.run(ctx, lab)
		results = append(results, got...)
		if failed != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.name, failed))
			fmt.Fprintf(stderr, "%s: %v\n", e.name, failed)
		}
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(stderr, "%s took %v\n", e.name, time.Since(began).Round(time.Millisecond))
	}
	return errors.Join(append(errs, printTable(stdout, results))...)
}
