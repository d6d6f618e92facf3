package command

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// The forms of the output.
const (
	FormatText   = "text"
	FormatJSON   = "json"
	FormatNDJSON = "ndjson" // another name of FormatJSON, which has one object on each line
)

// Output is the flag for the form of the output.
type Output struct{ format string }

// OutputFlag declares the flag.
func OutputFlag(cmd *cobra.Command) *Output { return outputFlag(cli.Settings(cmd, "")) }

func outputFlag(flags cli.Flags) *Output {
	o := &Output{format: FormatText}
	flags.Choice(&o.format, "output,o", "FORMAT",
		"text for people, or json (or ndjson, which is the same) for programs, one object on each line",
		FormatText, FormatJSON, FormatNDJSON)
	return o
}

// JSON reports whether the output is for programs.
func (o *Output) JSON() bool { return o.format != FormatText }

// WriteJSON writes a value as one line of JSON.
func (a *App) WriteJSON(value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	return a.Printf("%s\n", line)
}
