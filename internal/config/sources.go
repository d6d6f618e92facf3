package config

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// envSource finds a setting in the environment. An empty variable is as good as
// none: it is how many a tool unsets one.
type envSource struct {
	settings *Settings
	key      string
	list     bool
}

var _ cli.EnvValueSource = (*envSource)(nil)

func (e *envSource) Lookup() (string, bool) {
	value, ok := e.settings.lookupEnv(EnvName(e.key))
	if !ok || value == "" {
		return "", false
	}
	e.settings.origins[e.key] = FromEnv
	if e.list {
		value = strings.ReplaceAll(value, ",", ListSeparator)
	}
	return value, true
}

func (e *envSource) IsFromEnv() bool  { return true }
func (e *envSource) Key() string      { return EnvName(e.key) }
func (e *envSource) String() string   { return EnvName(e.key) }
func (e *envSource) GoString() string { return fmt.Sprintf("config.envSource(%q)", e.key) }

// fileSource finds a setting in the YAML file.
type fileSource struct {
	settings *Settings
	key      string
}

var _ cli.ValueSource = (*fileSource)(nil)

func (f *fileSource) Lookup() (string, bool) {
	loaded := f.settings.load()
	if loaded == nil {
		return "", false
	}
	entry, ok := loaded.entries[f.key]
	if !ok {
		return "", false
	}
	f.settings.origins[f.key] = FromFile
	return strings.Join(entry.values, ListSeparator), true
}

func (f *fileSource) String() string {
	if loaded := f.settings.load(); loaded != nil {
		return fmt.Sprintf("%s, line %d, %s", loaded.path, loaded.entries[f.key].line, f.key)
	}
	return f.key
}

func (f *fileSource) GoString() string { return fmt.Sprintf("config.fileSource(%q)", f.key) }
