package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

const (
	flagFormat    = "format"
	flagGuards    = "guards"
	flagEffects   = "effects"
	flagSelfLoops = "self-loops"
)

// fsmDiagram is `switchyard fsm diagram`.
func (a *app) fsmDiagram() *cli.Command {
	formats := make([]string, 0, len(diagram.Formats()))
	for _, format := range diagram.Formats() {
		formats = append(formats, string(format))
	}
	return &cli.Command{
		Name:  "diagram",
		Usage: "draw the machine from its table",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: flagFormat, Value: string(diagram.Mermaid), Usage: "draw as `FORMAT`: " + strings.Join(formats, ", "),
				Validator: oneOf(formats...),
			},
			&cli.BoolFlag{Name: flagGuards, Usage: "show each row of the table, with its event and guard"},
			&cli.BoolFlag{Name: flagEffects, Usage: "show each row of the table, with its event and effects"},
			&cli.BoolFlag{Name: flagSelfLoops, Usage: "show the transitions that stay in their state"},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			format, err := diagram.ParseFormat(cmd.String(flagFormat))
			if err != nil {
				return usage(cmd, "%w", err)
			}
			options := diagram.Options{
				Guards: cmd.Bool(flagGuards), Effects: cmd.Bool(flagEffects), SelfLoops: cmd.Bool(flagSelfLoops),
			}
			if err := diagram.Write(a.stdout, format, options); err != nil {
				return fmt.Errorf("drawing the machine: %w", err)
			}
			return nil
		},
	}
}
