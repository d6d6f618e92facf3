// Package cli is what the commands of our programs share: flags that are bound
// to the options of a command, the order of precedence of a setting, help,
// completion, signals and exit codes. It is built on cobra and pflag.
//
// A flag is bound to a field of the configuration that the command hands on:
//
//	flags := cli.Settings(cmd, "agent")
//	flags.Text(&c.Queue, "queue", "NAME", "queue to take jobs from")
//
// The value that the field has at that time is the flag's default. A flag of
// Settings can also be set outside the command line. Its key has all its names:
// the key agent.queue is
//
//	--queue                   the flag, of the commands that have it
//	SWITCHYARD_AGENT_QUEUE    the environment variable
//	agent:                    the place in the YAML file
//	  queue: gpu
//
// The command line comes before the environment, the environment before the
// file, and the file before the default. One function parses the text of a flag,
// wherever it came from, so a bad value has the same error everywhere, with the
// place it came from.
package cli
