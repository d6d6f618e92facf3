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

// ApplySettings sets the flags of a command that is not run, as for a run of it: for the
// completion of values.
func ApplySettings(cmd *cobra.Command) error { return applySettings(cmd) }

// applySettings sets each flag of cmd that the command line has not set, from
// its variable or else from the YAML file. An empty variable counts as unset.
func applySettings(cmd *cobra.Command) error {
	file, err := readFile(cmd)
	if err != nil {
		return err
	}
	var failed error
	eachSetting(cmd, func(flag *pflag.Flag, v flagValue) {
		if failed != nil || flag.Changed {
			return
		}
		texts, place := take(v.settings(), file, v.isList())
		for _, text := range texts {
			if err := v.Set(text); err != nil {
				failed = &UsageError{Err: fmt.Errorf("%s: %w", place, badValue(flag, text, err))}
				return
			}
		}
	})
	return failed
}

// readFile reads the YAML file, if one is named and cmd has a setting that can be in it.
func readFile(cmd *cobra.Command) (*config.File, error) {
	path := configPath(cmd)
	if path == "" || !hasSettings(cmd) {
		return &config.File{}, nil
	}
	file, err := config.ReadFile(path, keys(cmd.Root()))
	if err != nil {
		return nil, &UsageError{Err: err}
	}
	return file, nil
}

// Reread reads the YAML file of cmd again and sets a flag to its value there, or to the
// default if the file has none any more. A flag that the command line or the environment
// has set is left alone, since these cannot change. On error, which names the file, the
// value stays.
func Reread(cmd *cobra.Command, flag Flag) error {
	file, err := readFile(cmd)
	if err != nil {
		return err
	}
	if origin := flag.origin(); origin == fromFlag || origin == fromEnv {
		return nil
	}
	v, ok := flag.flag.Value.(flagValue)
	if !ok {
		return nil // add accepts no other kind
	}
	texts, place := file.Lookup(flag.setting.key)
	if text, err := v.replace(texts); err != nil {
		return &UsageError{Err: fmt.Errorf("%s: %w", place, badValue(flag.flag, text, err))}
	}
	flag.setting.origin = fromDefault
	if texts != nil {
		flag.setting.origin = fromFile
	}
	return nil
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

// PlaceOf returns where the environment or the YAML file of cmd sets a key, as errors name
// it, or nothing where neither does. The key may be one of other commands.
func PlaceOf(cmd *cobra.Command, key string) (string, error) {
	if name := EnvName(key); os.Getenv(name) != "" {
		return name, nil
	}
	file, err := readFile(cmd)
	if err != nil {
		return "", err
	}
	if texts, place := file.Lookup(key); texts != nil {
		return place, nil
	}
	return "", nil
}
