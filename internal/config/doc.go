// Package config finds the value of a setting: a flag first, then an environment
// variable, then a YAML file, then the default.
//
// A setting has one key, and the key gives all its names. The key agent.spawn is
//
//	--spawn                   the flag, of the commands that have it
//	SWITCHYARD_AGENT_SPAWN    the environment variable, as EnvName says
//	agent:                    the place in the YAML file
//	  spawn: 4
//
// A command declares a setting by giving its flag the sources that Settings.Value
// or Settings.List returns. The flag's own type parses the text, wherever it
// came from, so a bad value is refused the same way everywhere, with the place
// it came from.
//
// The file is read once, when the first flag asks for it, and checked as a whole
// against the settings of every command: a key that no command has is refused
// by name, with its line, because a misspelt key that is passed over in silence
// is a setting that somebody believes is in force.
package config
