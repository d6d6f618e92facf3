package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

const (
	flagFormat    = "format"
	flagGuards    = "guards"
	flagEffects   = "effects"
	flagSelfLoops = "self-loops"
	flagHighlight = "highlight"
)

// fsmDiagram is `switchyard fsm diagram`.
func (a *app) fsmDiagram() *cli.Command {
	formats := make([]string, 0, len(diagram.Formats()))
	for _, format := range diagram.Formats() {
		formats = append(formats, string(format))
	}
	states := make([]string, 0, len(fsm.States()))
	for _, state := range fsm.States()[1:] { // Initial is no place to be
		states = append(states, state.String())
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
			&cli.StringFlag{
				Name: flagHighlight, Usage: "show `STATE` as the one to look at: " + strings.Join(states, ", "),
				Validator: oneOf(states...),
			},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			format, err := diagram.ParseFormat(cmd.String(flagFormat))
			if err != nil {
				return usage(cmd, "%w", err)
			}
			highlight, _ := fsm.ParseState(cmd.String(flagHighlight)) // none is Initial, which highlights nothing
			options := diagram.Options{
				Highlight: highlight, Guards: cmd.Bool(flagGuards), Effects: cmd.Bool(flagEffects), SelfLoops: cmd.Bool(flagSelfLoops),
			}
			if err := diagram.Write(a.stdout, format, options); err != nil {
				return fmt.Errorf("drawing the machine: %w", err)
			}
			return nil
		},
	}
}
