package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// knownVariables is the annotation of the root command with the names of the variables that
// the program sets itself.
const knownVariables = "variables"

// WarnOfVariables makes every command below root name, on standard error, the environment
// variables with this package's prefix that no command reads: misspelled ones. It is for a
// program that has every command. Those of also are known, too: the program sets them
// itself. It must be called once, after Finish.
func WarnOfVariables(root *cobra.Command, also ...string) {
	root.Annotations = map[string]string{knownVariables: strings.Join(also, " ")}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		for _, warning := range UnknownVariables(cmd.Root()) {
			cmd.PrintErrln(root.Name() + ": " + warning)
		}
	}
}

// unknownVariables returns a text about each variable of an environment that has the
// prefix, that no command below root reads, and that is not one of also.
func unknownVariables(root *cobra.Command, environ, also []string) (warnings []string) {
	all := keys(root)
	known := append(make([]string, 0, 1+len(also)+len(all)), EnvName(configFlag))
	known = append(known, also...)
	for key := range all {
		known = append(known, EnvName(key))
	}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if text == "" || !strings.HasPrefix(name, EnvPrefix) || slices.Contains(known, name) || isOfService(name) {
			continue
		}
		hint := config.DidYouMean(name, "", known)
		warnings = append(warnings, fmt.Sprintf("the environment variable %s is not one that is read%s", name, hint))
	}
	slices.Sort(warnings)
	return warnings
}

// isOfService reports whether Kubernetes sets a variable in every container, beside a
// service with the name of the program.
func isOfService(name string) bool {
	return strings.HasPrefix(name, EnvPrefix+"SERVICE_") || name == EnvPrefix+"PORT" || strings.HasPrefix(name, EnvPrefix+"PORT_")
}
