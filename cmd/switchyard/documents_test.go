package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// documents are the files whose commands people copy.
//
//nolint:gochecknoglobals // a table, never written
var documents = []string{"README.md", "OPERATING.md", "SECURITY.md", "UPGRADING.md", "MIGRATING.md"}

// block is commands of a document that are written to be copied.
type block struct {
	document string
	line     int // of its first command
	text     string
}

// first returns the first command of the block.
func (b block) first() string { return strings.SplitN(b.text, "\n", 2)[0] }

func (b block) String() string { return fmt.Sprintf("%s:%d", b.document, b.line) }

// read returns the blocks of a document, and the rest of its text.
func read(t *testing.T, document string) (blocks []block, prose string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", document))
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	fenced := false
	var rest strings.Builder
	for i, line := range strings.Split(string(content), "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(bare, "```"):
			if open != nil {
				blocks = append(blocks, *open)
			}
			open, fenced = nil, !fenced
			if bare == "```sh" {
				open = &block{document: document, line: i + 2}
			}
		case open != nil:
			open.text += bare + "\n"
		case !fenced:
			rest.WriteString(line + "\n")
		}
	}
	return blocks, rest.String()
}

// calls returns the arguments of each command in a text for the shell.
func calls(text string) (all [][]string, err error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, err
	}
	config := &expand.Config{Env: expand.FuncEnviron(func(string) string { return "1" })}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		var words []string
		for _, arg := range call.Args {
			word, failed := expand.Literal(config, arg)
			if failed != nil {
				err = failed
			}
			words = append(words, word)
		}
		all = append(all, words)
		return true
	})
	return all, err
}

// ourArguments returns the arguments of a call of one of our programs. In a sentence the
// name of the program may be left out where a command of a group follows.
func ourArguments(words []string) ([]string, bool) {
	switch program := strings.TrimPrefix(words[0], "./"); {
	case program == programName || program == programName+"-agent":
		return words[1:], true
	case len(words) > 2 && words[0] == "go" && words[1] == "run" && words[2] == "./cmd/switchyard":
		return words[3:], true
	}
	if len(words) < 2 {
		return nil, false
	}
	group, _, err := newRoot().Find(words[:1])
	return words, err == nil && group.HasParent() && slices.ContainsFunc(group.Commands(), func(c *cobra.Command) bool { return c.Name() == words[1] })
}

// exists returns an error unless the program has the command of these words, and each flag
// among them. A sentence may name a command without its arguments, and flags without values.
func exists(words []string) error {
	cmd, _, err := newRoot().Find(words)
	if err != nil {
		return err
	}
	if cmd.HasSubCommands() && len(words) > 1 && !strings.HasPrefix(words[len(words)-1], "-") {
		return fmt.Errorf("%s has no command %s", cmd.CommandPath(), words[len(words)-1])
	}
	for _, word := range words {
		if word == "--" {
			break
		}
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && cmd.Flag(name) == nil && name != "help" {
			return fmt.Errorf("%s has no flag --%s", cmd.CommandPath(), name)
		}
	}
	return nil
}

// TestDocumentedCommands parses each command that a document names, in a block or in a
// sentence: the command exists, and so does each of its flags.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile("`[^`]+`")
	found := 0
	check := func(where, text string, test func([]string) error) {
		all, err := calls(text)
		if err != nil {
			return // not for a shell; a block that is not one fails in TestDocumentedBlocks
		}
		for _, words := range all {
			arguments, ok := ourArguments(words)
			if !ok {
				continue
			}
			found++
			if err := test(arguments); err != nil {
				t.Errorf("%s: %s: %v", where, strings.Join(words, " "), err)
			}
		}
	}
	for _, document := range documents {
		blocks, prose := read(t, document)
		for _, b := range blocks {
			check(b.String(), b.text, parses)
		}
		for _, span := range code.FindAllString(prose, -1) {
			check(document, strings.ReplaceAll(strings.Trim(strings.ReplaceAll(span, "\n", " "), "`"), `\|`, "|"), exists)
		}
	}
	if found < 100 {
		t.Errorf("%d commands, want at least a hundred: are they still found?", found)
	}
}
