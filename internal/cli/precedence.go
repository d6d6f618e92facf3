package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// origin is where a flag has its value from, the strongest first.
type origin int

const (
	fromFlag origin = iota
	fromEnv
	fromFile
	fromDefault
)

const configFlag = "config"

// addConfigFlag declares --config for every command. Its variable is in no file.
func addConfigFlag(root *cobra.Command) {
	flags := Flags{cmd: root, set: root.PersistentFlags(), perCall: true}
	flag := flags.File(new(string), configFlag, "FILE", "read settings from this YAML file")
	flag.setting.variable = EnvName(configFlag)
	flag.flag.Usage = flag.setting.help()
}

// applySettings sets each flag of cmd that the command line has not set, from
// its variable or else from the YAML file. An empty variable counts as unset.
func applySettings(cmd *cobra.Command) error {
	var file config.File
	if path := configPath(cmd); path != "" && hasSettings(cmd) {
		read, err := config.ReadFile(path, keys(cmd.Root()))
		if err != nil {
			return &UsageError{Err: err}
		}
		file = *read
	}
	var failed error
	eachSetting(cmd, func(flag *pflag.Flag, v flagValue) {
		if failed != nil || flag.Changed {
			return
		}
		s := v.settings()
		texts, place := fromEnvironment(s, v.isList()), s.variable
		s.origin = fromEnv
		if texts == nil {
			texts, place = file.Lookup(s.key)
			s.origin = fromFile
		}
		if texts == nil {
			s.origin = fromDefault
		}
		for _, text := range texts {
			if err := v.Set(text); err != nil {
				failed = &UsageError{Err: fmt.Errorf("%s: %w", place, badValue(flag, text, err))}
				return
			}
		}
	})
	return failed
}

// hasSettings reports whether cmd has a flag that can be set in the YAML file.
func hasSettings(cmd *cobra.Command) (has bool) {
	eachSetting(cmd, func(_ *pflag.Flag, v flagValue) { has = has || v.settings().key != "" })
	return has
}

// configPath returns the path of the YAML file, or nothing where there is none.
func configPath(cmd *cobra.Command) string {
	flag := cmd.Flags().Lookup(configFlag)
	if v, ok := flag.Value.(*value[string]); ok && flag.Changed {
		return *v.target
	}
	return os.Getenv(EnvName(configFlag))
}

func fromEnvironment(s *setting, list bool) []string {
	text := os.Getenv(s.variable)
	switch {
	case s.variable == "" || text == "":
		return nil
	case list:
		return strings.Split(text, ",")
	default:
		return []string{text}
	}
}

// keys returns the keys of every command below root, each with whether it takes
// a list.
func keys(root *cobra.Command) map[string]bool {
	lists := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		eachSetting(cmd, func(_ *pflag.Flag, v flagValue) {
			if key := v.settings().key; key != "" {
				lists[key] = v.isList()
			}
		})
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(root)
	return lists
}

// eachSetting calls do for each flag of cmd that this package has declared.
func eachSetting(cmd *cobra.Command, do func(*pflag.Flag, flagValue)) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if v, ok := flag.Value.(flagValue); ok {
			do(flag, v)
		}
	})
}
