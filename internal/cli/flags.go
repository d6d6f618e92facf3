package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// EnvPrefix begins the name of every environment variable that is a setting.
const EnvPrefix = "SWITCHYARD_"

// boolPlaceholder is the placeholder of a flag that needs no value. The help does
// not show it.
const boolPlaceholder = "bool"

// Flags declares flags of one command. Each of its methods binds a flag to a
// variable; the variable's value at that time is the flag's default. A name of
// the form "wait,w" declares the short form -w as well.
type Flags struct {
	cmd     *cobra.Command
	set     *pflag.FlagSet
	section string
	perCall bool
}

// Settings returns the flags of cmd that can be set in the environment and in
// the YAML file too, there below the key section. An empty section is the top
// level.
func Settings(cmd *cobra.Command, section string) Flags {
	return Flags{cmd: cmd, set: cmd.Flags(), section: section}
}

// PerCall returns the flags of cmd that belong to one call. They have neither a
// variable nor a key: in a file they would apply to every call.
func PerCall(cmd *cobra.Command) Flags {
	return Flags{cmd: cmd, set: cmd.Flags(), perCall: true}
}

// Text declares a flag for text that is UTF-8 and not empty.
func (f Flags) Text(target *string, name, placeholder, usage string) Flag {
	return Var(f, target, name, placeholder, usage, text)
}

// File declares a flag for the path of a file or directory, which may be any
// bytes but not empty.
func (f Flags) File(target *string, name, placeholder, usage string) Flag {
	return f.add(&value[string]{target: target, defaultValue: *target, parse: notEmpty}, name, placeholder, usage, format(*target), nil)
}

// Bool declares a flag that needs no value.
func (f Flags) Bool(target *bool, name, usage string) Flag {
	return Var(f, target, name, boolPlaceholder, usage, Boolean)
}

// Choice declares a flag that takes one of some words.
func (f Flags) Choice(target *string, name, placeholder, usage string, words ...string) Flag {
	offers := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	v := &value[string]{target: target, defaultValue: *target, parse: OneOf(words...)}
	return f.add(v, name, placeholder, usage, format(*target), offers)
}

// Var declares a flag whose text parse turns into a T.
func Var[T any](f Flags, target *T, name, placeholder, usage string, parse func(string) (T, error)) Flag {
	v := &value[T]{target: target, defaultValue: *target, parse: parse}
	return f.add(v, name, placeholder, usage, format(*target), cobra.NoFileCompletions)
}

// List declares a flag that may be repeated. What parse returns for each text
// replaces the default and is appended to what came before it. In the
// environment the texts are separated by commas; in the file they are a list, or
// a mapping for texts of the form NAME=VALUE.
func List[T any](f Flags, target *[]T, name, placeholder, usage string, parse func(string) ([]T, error)) Flag {
	defaults := make([]string, len(*target))
	for i, item := range *target {
		defaults[i] = fmt.Sprint(item)
	}
	v := &list[T]{target: target, defaultValue: *target, parse: parse}
	return f.add(v, name, placeholder, usage, strings.Join(defaults, ", "), cobra.NoFileCompletions)
}

// add declares a flag. The help shows defaultText as its default; a shell offers
// what offers returns as its value, or names of files where offers is nil.
func (f Flags) add(v flagValue, name, placeholder, usage, defaultText string, offers cobra.CompletionFunc) Flag {
	name, short, _ := strings.Cut(name, ",")
	s := v.settings()
	s.placeholder, s.usage, s.defaultText, s.origin = placeholder, usage, defaultText, fromDefault
	if !f.perCall {
		s.key = name
		if f.section != "" {
			s.key = f.section + "." + name
		}
		s.variable = EnvName(s.key)
	}
	flag := Flag{flag: f.set.VarPF(v, name, short, s.help()), setting: s}
	if placeholder == boolPlaceholder {
		flag.flag.NoOptDefVal = "true"
	}
	if s.offers = offers; offers != nil {
		offered := func(cmd *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return s.offers(cmd, args, text)
		}
		_ = f.cmd.RegisterFlagCompletionFunc(name, offered) // it fails only where it was called before
	}
	return flag
}

// EnvName returns the environment variable of a key: agent.spawn is
// SWITCHYARD_AGENT_SPAWN.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// Offer replaces what a shell offers as the value of a flag of cmd. A flag that cmd does not
// have is passed by.
func Offer(cmd *cobra.Command, name string, offers cobra.CompletionFunc) {
	if flag := cmd.Flags().Lookup(name); flag != nil {
		if v, ok := flag.Value.(flagValue); ok {
			v.settings().offers = offers
		}
	}
}

// Flag is a declared flag.
type Flag struct {
	flag    *pflag.Flag
	setting *setting
}

// Default replaces the default that the help shows by a text.
func (f Flag) Default(text string) Flag {
	f.setting.defaultText = text
	f.flag.Usage = f.setting.help()
	return f
}

// IsSet reports whether the flag has a value that is not its default: from the
// command line, the environment or the file.
func (f Flag) IsSet() bool { return f.origin() != fromDefault }

func (f Flag) origin() origin {
	if f.flag.Changed {
		return fromFlag
	}
	return f.setting.origin
}

// setting is what a flag has beside its value.
type setting struct {
	key         string // in the YAML file; empty for none
	variable    string // in the environment; empty for none
	origin      origin // of the value, unless the command line has set it
	placeholder string
	usage       string
	defaultText string
	secret      bool   // the value is a secret
	secretFile  string // the kind of the file, if it holds a secret
	offers      cobra.CompletionFunc
}

func (s *setting) settings() *setting { return s }

// Type returns the placeholder of the value, which the help shows.
func (s *setting) Type() string { return s.placeholder }

// help returns the usage with the default, the variable and the key.
func (s *setting) help() string {
	var details []string
	if s.defaultText != "" {
		details = append(details, "default: "+s.defaultText)
	}
	if s.variable != "" {
		details = append(details, "$"+s.variable)
	}
	if s.key != "" {
		details = append(details, s.key)
	}
	if len(details) == 0 {
		return s.usage
	}
	return s.usage + "\n[" + strings.Join(details, "] [") + "]"
}

// format returns a default as the help shows it, or nothing for a zero value.
func format(value any) string {
	text := fmt.Sprint(value)
	if slices.Contains([]string{"", "0", "0s", "false", "[]"}, text) {
		return ""
	}
	if _, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return text
}
