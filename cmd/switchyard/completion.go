package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v3"
)

// bareBash makes the library's script work in a bash without the package
// bash-completion, whose functions it calls.
const bareBash = `
if ! declare -F _comp_initialize >/dev/null 2>&1 && ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
  __switchyard_init_completion() {
    COMPREPLY=()
    cur="${COMP_WORDS[COMP_CWORD]}"
  }
fi
`

// completion is `switchyard completion SHELL`, which the library builds.
func (a *app) completion(cmd *cli.Command) {
	cmd.Hidden = false
	cmd.Usage = "write a shell's completion script to standard output"
	cmd.Action = a.group
	cmd.OnUsageError = onUsageError
	for _, shell := range cmd.Commands {
		shell.OnUsageError = onUsageError
		switch shell.Name {
		case "bash":
			script := shell.Action
			shell.Action = func(ctx context.Context, cmd *cli.Command) error {
				if err := script(ctx, cmd); err != nil {
					return err
				}
				return a.printf("%s", bareBash)
			}
		case "pwsh":
			shell.Aliases = []string{"powershell"}
		}
	}
}

// complete writes what could stand next, as the library does, without the marks
// that tell it which word of a flag's usage is the placeholder.
func (a *app) complete(ctx context.Context, cmd *cli.Command) {
	var candidates strings.Builder
	root := cmd.Root()
	root.Writer = &candidates
	cli.DefaultCompleteWithFlags(ctx, cmd)
	root.Writer = a.stdout
	_ = a.printf("%s", strings.ReplaceAll(candidates.String(), "`", "")) // the shell is not to be told
}
