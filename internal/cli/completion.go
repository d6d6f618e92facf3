package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// plainBash makes cobra's script work in a bash without the package
// bash-completion, whose function it calls.
const plainBash = `
if ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
  __switchyard_init_completion() {
    COMPREPLY=()
    words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  }
fi
`

// completion returns the command that writes a shell's completion script.
func completion() *cobra.Command {
	group := Group("completion", "write a shell's completion script to standard output")
	for _, shell := range []struct {
		name, alias string
		write       func(root *cobra.Command, w io.Writer) error
	}{
		{"bash", "", writeBash},
		{"zsh", "", (*cobra.Command).GenZshCompletion},
		{"fish", "", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"powershell", "pwsh", (*cobra.Command).GenPowerShellCompletionWithDesc},
	} {
		cmd := Command(shell.name, "write the completion script of "+shell.name, NoArgs)
		if shell.alias != "" {
			cmd.Aliases = []string{shell.alias}
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return shell.write(cmd.Root(), cmd.OutOrStdout()) }
		group.AddCommand(cmd)
	}
	return group
}

func writeBash(root *cobra.Command, w io.Writer) error {
	if err := root.GenBashCompletionV2(w, true); err != nil {
		return err //nolint:wrapcheck // a failed write
	}
	_, err := io.WriteString(w, plainBash)
	return err //nolint:wrapcheck // a failed write
}
