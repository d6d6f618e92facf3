package workspace

import (
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// gitVariables are the variables of git's own that it gets from the agent's environment:
// those with which an operator sets how repositories are reached. The others select a
// repository, objects or another behavior for the program that has started the agent,
// such as a hook, and would break or redirect the checkout. A name that ends with "_"
// stands for all that begin with it.
//
//nolint:gochecknoglobals // a table, never written
var gitVariables = []string{
	"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_", "GIT_PROXY_", "GIT_HTTP_", "GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL_FROM_USER",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_",
	"GIT_TRACE", "GIT_TRACE_", "GIT_CURL_VERBOSE",
}

// gitEnviron returns the environment of git: the agent's, because git uses the
// settings and credentials of the user, but without the agent's own settings and
// tokens, and without variables of git's own that are not in the table. Nobody is asked
// for a password: neither on a terminal nor by a program that the agent's environment
// names. An operator who has a program that returns passwords names it in git's
// configuration (core.askPass or credential.helper).
func gitEnviron(agent []string) []string {
	env := make([]string, 0, len(agent)+2)
	for _, pair := range agent {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case name == "PWD", name == "OLDPWD", slices.Contains(askingVariables, name):
		case strings.HasPrefix(name, wire.EnvSwitchyardPrefix), strings.HasPrefix(name, wire.EnvPrefix):
		case strings.HasPrefix(name, "GIT_") && !isGitVariable(name):
		default:
			env = append(env, pair)
		}
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=never")
}

// askingVariables make ssh ask for a password, on a display where there is no terminal.
//
//nolint:gochecknoglobals // a table, never written
var askingVariables = []string{"SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"}

func isGitVariable(name string) bool {
	return slices.ContainsFunc(gitVariables, func(one string) bool {
		return one == name || strings.HasSuffix(one, "_") && strings.HasPrefix(name, one)
	})
}
