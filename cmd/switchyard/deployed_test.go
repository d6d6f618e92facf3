package main

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/deploy"
)

// newRoot returns the root command of a program that writes nowhere.
func newRoot() *cobra.Command {
	return (&app{App: command.App{Name: programName, Stdout: io.Discard, Stderr: io.Discard}}).root()
}

// parses returns an error unless the program has the command of these arguments, each of
// its flags with such a value, and takes as many arguments. It runs nothing.
func parses(arguments []string) error {
	cmd, rest, err := newRoot().Find(arguments)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// variables returns the environment variables that are settings of a command.
func variables() (names []string) {
	variable := regexp.MustCompile(`\[\$(\w+)\]`)
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			for _, found := range variable.FindAllStringSubmatch(flag.Usage, -1) {
				names = append(names, found[1])
			}
		})
	})
	return names
}

// TestDeployedUnits parses the command of each unit.
func TestDeployedUnits(t *testing.T) {
	t.Parallel()
	commands := 0
	for _, file := range deploy.Systemd() {
		text := strings.ReplaceAll(string(file.Content), "\\\n", " ")
		for line := range strings.Lines(text) {
			program, ok := strings.CutPrefix(line, "ExecStart=/usr/bin/")
			if !ok {
				continue
			}
			commands++
			if err := parses(strings.Fields(program)[1:]); err != nil {
				t.Errorf("%s: %s: %v", file.Path, line, err)
			}
		}
	}
	if commands != 3 {
		t.Errorf("%d commands, want one of each unit", commands)
	}
}

// TestDeployedContainers checks the commands and variables of containers, which are
// those lists and maps whose keys say so.
func TestDeployedContainers(t *testing.T) {
	t.Parallel()
	known := variables()
	for _, file := range slices.Concat(deploy.Compose(), deploy.Kubernetes()) {
		found, tokens := 0, 0
		decoder := yaml.NewDecoder(strings.NewReader(string(file.Content)))
		for {
			var document any
			if err := decoder.Decode(&document); err != nil {
				break // .tools/manifests checks that it is YAML
			}
			eachSetting(document, func(name string) {
				found++
				if strings.HasPrefix(name, "SWITCHYARD_SERVER_") && strings.Contains(name, "_TOKEN") {
					tokens++
				}
				if !slices.Contains(known, name) && name != "HOME" {
					t.Errorf("%s: no command reads %s", file.Path, name)
				}
			}, func(arguments []string) {
				found++
				if err := parses(arguments); err != nil {
					t.Errorf("%s: %q: %v", file.Path, arguments, err)
				}
			})
		}
		if tokens == 0 || tokens%2 != 0 {
			t.Errorf("%s: %d tokens of control planes, want two for each", file.Path, tokens)
		}
		if found < 10 {
			t.Errorf("%s: %d variables and commands, want at least ten", file.Path, found)
		}
	}
}

// eachSetting calls variable for the name of each environment variable of containers in a
// document, and program for the arguments of each of our programs.
func eachSetting(node any, variable func(string), program func([]string)) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			eachSetting(child, variable, program)
		}
	case map[string]any:
		for key, child := range node {
			switch key {
			case "environment":
				for name := range child.(map[string]any) {
					variable(name)
				}
			case "env":
				for _, entry := range child.([]any) {
					variable(entry.(map[string]any)["name"].(string))
				}
			case "args", "command", "test":
				if arguments, ok := ours(key, child.([]any)); ok {
					program(arguments)
				}
			default:
				eachSetting(child, variable, program)
			}
		}
	}
}

// ours returns the arguments of a program of ours, which an entrypoint names for args.
func ours(key string, list []any) ([]string, bool) {
	var words []string
	for _, word := range list {
		words = append(words, word.(string))
	}
	if key == "args" {
		return words, true
	}
	words = slices.DeleteFunc(words, func(word string) bool { return word == "CMD" })
	return words[1:], strings.HasPrefix(words[0], "/usr/bin/switchyard")
}
