package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// hidden stands for a secret.
const hidden = "(hidden)"

// Setting is a setting of a command as it is in force.
type Setting struct {
	// Name is the key in the YAML file, such as agent.spawn.
	Name string `json:"name"`
	// Value is the value as it was given, without secrets, or the default as the help of
	// the command shows it.
	Value string `json:"value"`
	// Source is the variable, the line of the file, or "default".
	Source string `json:"source"`
}

// Inspect applies the settings of cmd, a command of the same program that is not running, as
// a run of it without flags would. It returns all of them, and every error and warning: what
// is wrong in the file that --config names, values that cannot be used, and files with
// secrets that other users can read.
func Inspect(cmd *cobra.Command) (settings []Setting, problems []error) {
	cmd.InheritedFlags() // cobra adds them to those of cmd
	file := &config.File{}
	path := configPath(cmd)
	if path != "" {
		file, problems = config.CheckFile(path, keys(cmd.Root()))
	}
	secretInFile := false
	eachSetting(cmd, func(flag *pflag.Flag, v flagValue) {
		s := v.settings()
		if s.key == "" {
			return
		}
		texts, place := take(s, file, v.isList())
		for _, text := range texts {
			if err := v.Set(text); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", place, badValue(flag, text, err)))
			}
		}
		secretInFile = secretInFile || s.secret && s.origin == fromFile
		if file, ok := v.(*value[string]); ok && s.secretFile != "" && *file.target != "" {
			problems = append(problems, loose(s.secretFile, *file.target)...)
		}
		settings = append(settings, describe(s, texts, place))
	})
	if secretInFile {
		problems = append(problems, loose("configuration file with a token", path)...)
	}
	return settings, problems
}

// take returns the texts of a setting and the place that they come from, and notes the
// origin. There are none for a setting with its default.
func take(s *setting, file *config.File, list bool) (texts []string, place string) {
	texts, place = fromEnvironment(s, list), s.variable
	s.origin = fromEnv
	if texts == nil {
		texts, place = file.Lookup(s.key)
		s.origin = fromFile
	}
	if texts == nil {
		s.origin = fromDefault
		return nil, "default"
	}
	return texts, place
}

func describe(s *setting, texts []string, place string) Setting {
	shown := Setting{Name: s.key, Value: s.defaultText, Source: strings.TrimSuffix(place, ", "+s.key)}
	if texts == nil {
		return shown
	}
	for i, text := range texts {
		if u, err := url.Parse(text); err == nil && u.User != nil { // perhaps with a password
			u.User = url.User(hidden)
			texts[i] = strings.Replace(u.String(), url.User(hidden).String(), hidden, 1)
		}
	}
	shown.Value = strings.Join(texts, ", ")
	if s.secret {
		shown.Value = hidden
	}
	return shown
}

// loose returns what is wrong with the permissions of a file that holds a secret.
func loose(kind, path string) []error {
	warning, err := datadir.CheckSecretFile(kind, path)
	switch {
	case err != nil:
		return []error{err}
	case warning != "":
		return []error{errors.New(warning)}
	}
	return nil
}

// UnknownVariables returns a text about each environment variable that begins with EnvPrefix
// and that no command below root reads. Those that WarnOfVariables was called with are known.
func UnknownVariables(root *cobra.Command) []string {
	return unknownVariables(root, os.Environ(), strings.Fields(root.Annotations[knownVariables]))
}

// ConfigPath returns the path of the YAML file that a command reads, or "none".
func ConfigPath(cmd *cobra.Command) string { return cmp.Or(configPath(cmd), "none") }
