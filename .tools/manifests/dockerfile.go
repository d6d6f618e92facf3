package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// checkDockerfile parses each instruction, as a build does, and has the same linter.
// Each stage but the first is an image, which must start our program with arguments, and
// end as another user than root.
func checkDockerfile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	result, err := parser.Parse(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var all []error
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, message string, _ []parser.Range) {
		all = append(all, fmt.Errorf("%s: %s: %s (%s)", path, rule, message, description))
	}})
	stages, _, err := instructions.Parse(result.AST, lint)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, stage := range stages[1:] {
		user, entry := stage.BaseName == "gcr.io/distroless/static-debian12:nonroot", false
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.UserCommand:
				user = c.User != "root" && c.User != "0"
			case *instructions.EntrypointCommand:
				entry = !c.PrependShell
			}
		}
		if !user || !entry {
			all = append(all, fmt.Errorf("%s: stage %s: it runs as root, or below a shell", path, stage.Name))
		}
	}
	fmt.Printf("%s: %d stages\n", path, len(stages))
	return errors.Join(all...)
}
