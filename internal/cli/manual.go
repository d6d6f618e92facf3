package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	manualFileMode = 0o644
	manualDirMode  = 0o755
)

// manual returns the command that writes the pages of the program's manual. It is hidden:
// packages for distributions are made with it.
func manual() *cobra.Command {
	cmd := Command("manual DIR", "write a page of the manual for each command", OneArg("directory"))
	cmd.Hidden = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := os.MkdirAll(args[0], manualDirMode); err != nil {
			return fmt.Errorf("making the directory of the manual: %w", err)
		}
		return writeManual(cmd.Root(), args[0])
	}
	return cmd
}

// writeManual writes the page of a command and of each command below it.
func writeManual(cmd *cobra.Command, dir string) error {
	cmd.InitDefaultHelpFlag()
	path := filepath.Join(dir, pageName(cmd)+".1")
	if err := os.WriteFile(path, []byte(page(cmd)), manualFileMode); err != nil {
		return fmt.Errorf("writing a page of the manual: %w", err)
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			if err := writeManual(child, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page returns a page of the manual, in the language of man(7).
func page(cmd *cobra.Command) string {
	var b strings.Builder
	root := cmd.Root()
	fmt.Fprintf(&b, ".TH %q 1 \"\" %q %q\n", strings.ToUpper(pageName(cmd)), root.Name()+" "+root.Version, "Switchyard")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(use))
	b.WriteString(".SH DESCRIPTION\n")
	writeText(&b, cmp.Or(cmd.Long, cmd.Short+"."))
	writeOptions(&b, "OPTIONS", cmd.LocalFlags())
	writeOptions(&b, "OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if cmd.HasParent() || cmd.HasAvailableSubCommands() {
		b.WriteString(".SH SEE ALSO\n")
		var also []string
		if cmd.HasParent() {
			also = append(also, pageName(cmd.Parent()))
		}
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() {
				also = append(also, pageName(child))
			}
		}
		for i, name := range also {
			also[i] = fmt.Sprintf("\\fB%s\\fR(1)", roff(name))
		}
		b.WriteString(strings.Join(also, ",\n") + "\n")
	}
	return b.String()
}

// writeText writes the description of a command: paragraphs, and lines that are indented
// and stay as they are.
func writeText(b *strings.Builder, text string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		b.WriteString(".PP\n")
		verbatim := false
		for line := range strings.Lines(block + "\n") {
			if indented := strings.HasPrefix(line, "  "); indented != verbatim {
				verbatim = indented
				b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[verbatim])
			}
			b.WriteString(roff(strings.TrimRight(line, "\n")) + "\n")
		}
		if verbatim {
			b.WriteString(".fi\n")
		}
	}
}

func writeOptions(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	b.WriteString(".SH " + title + "\n")
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(flag)
		option := "\\fB" + roff("--"+flag.Name) + "\\fR"
		if flag.Shorthand != "" {
			option = "\\fB" + roff("-"+flag.Shorthand) + "\\fR, " + option
		}
		if name != "" {
			option += " \\fI" + roff(name) + "\\fR"
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", option, roff(usage))
	})
}

// roff returns text such that it is printed as it is.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line // not a request
		}
	}
	return strings.Join(lines, "\n")
}
