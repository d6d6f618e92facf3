package config

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// EnvPrefix begins the name of every environment variable that is read.
const EnvPrefix = "SWITCHYARD_"

// ListSeparator stands between the elements of a list on their way from a source
// to a flag. Neither an argument nor an environment variable can contain it, so
// an element may contain anything else, commas above all. The command line's
// SliceFlagSeparator must be set to it.
const ListSeparator = "\x00"

// Origin is where a setting got its value, the strongest first.
type Origin int

// The origins, in order of precedence.
const (
	FromFlag Origin = iota
	FromEnv
	FromFile
	FromDefault
)

// Settings knows the keys of every setting and where each got its value. It is
// for one run of the command line, in one goroutine.
type Settings struct {
	path      func() string
	lookupEnv func(string) (string, bool)

	lists   map[string]bool   // by key: whether the setting takes a list
	keyOf   map[string]string // by environment variable
	origins map[string]Origin // by key: where a source found a value

	file    *file
	fileErr error
	loaded  bool
}

// New returns Settings without a setting. path names the YAML file, or is empty
// where there is none; it is called once the flags are parsed, because a flag
// may say it. lookupEnv is os.LookupEnv, or stands in for it.
func New(path func() string, lookupEnv func(string) (string, bool)) *Settings {
	return &Settings{
		path:      path,
		lookupEnv: lookupEnv,
		lists:     map[string]bool{},
		keyOf:     map[string]string{},
		origins:   map[string]Origin{},
	}
}

// EnvName is the environment variable of a key: agent.spawn is
// SWITCHYARD_AGENT_SPAWN.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// Value declares a setting with one value and returns where its flag finds it.
func (s *Settings) Value(key string) cli.ValueSourceChain {
	return s.declare(key, false)
}

// List declares a setting with any number of values and returns where its flag
// finds them: separated by commas in the environment, a list or a mapping
// (NAME: VALUE for each NAME=VALUE) in the file.
func (s *Settings) List(key string) cli.ValueSourceChain {
	return s.declare(key, true)
}

// EnvOnly returns the environment variable of a key that the file cannot have.
func (s *Settings) EnvOnly(key string) cli.ValueSourceChain {
	return cli.NewValueSourceChain(&envSource{settings: s, key: key})
}

func (s *Settings) declare(key string, list bool) cli.ValueSourceChain {
	s.lists[key] = list
	s.keyOf[EnvName(key)] = key
	return cli.NewValueSourceChain(
		&envSource{settings: s, key: key, list: list},
		&fileSource{settings: s, key: key},
	)
}

// Err is what is wrong with the file: it cannot be read, is not YAML, or holds
// what no command has. It is nil where no flag has asked for the file.
func (s *Settings) Err() error {
	return s.fileErr
}

// Origin says where the setting got the value that cmd, after parsing, has for
// its flag.
func (s *Settings) Origin(cmd *cli.Command, flag, key string) Origin {
	if origin, ok := s.origins[key]; ok {
		return origin
	}
	if cmd.IsSet(flag) {
		return FromFlag
	}
	return FromDefault
}

// Describe is the help of a flag: what the library says of it and, on a second
// line, its environment variable and its key in the file.
func (s *Settings) Describe(flag cli.Flag) string {
	names, text, _ := strings.Cut(cli.FlagStringer(flag), "\t")
	names, _, _ = strings.Cut(names, " [ ") // the library says the names of a list twice
	doc, ok := flag.(cli.DocGenerationFlag)
	if !ok || len(doc.GetEnvVars()) == 0 {
		return names + "\t" + text
	}
	variable := doc.GetEnvVars()[0]
	text = strings.TrimSuffix(text, " [$"+variable+"]")
	where := "[$" + variable + "]"
	if key, ok := s.keyOf[variable]; ok {
		where += " [" + key + "]"
	}
	return names + "\t" + text + "\n   \t  " + where
}

// Keys are the keys of every declared setting, sorted.
func (s *Settings) Keys() []string {
	keys := make([]string, 0, len(s.lists))
	for key := range s.lists {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// load reads the file once.
func (s *Settings) load() *file {
	if !s.loaded {
		s.loaded = true
		if path := s.path(); path != "" {
			s.file, s.fileErr = readFile(path, s.lists)
		}
	}
	return s.file
}
