package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// SecretFile is File for a file that holds a secret, of the given kind, such as "token
// file". Before the command runs, a line on standard error names a file that other users
// of this machine can read, and one that they can replace is an error.
func (f Flags) SecretFile(target *string, kind, name, placeholder, usage string) Flag {
	flag := f.File(target, name, placeholder, usage)
	flag.setting.secretFile = kind
	return flag
}

// checkSecretFiles checks the files of the flags of cmd that hold secrets, and the YAML
// file if a secret has come from it.
func checkSecretFiles(cmd *cobra.Command) error {
	var failed error
	check := func(kind, path string) {
		if failed == nil {
			failed = CheckSecretFile(cmd, kind, path)
		}
	}
	inFile := false
	eachSetting(cmd, func(flag *pflag.Flag, v flagValue) {
		s := v.settings()
		inFile = inFile || s.secret && !flag.Changed && s.origin == fromFile
		if file, ok := v.(*value[string]); ok && s.secretFile != "" && *file.target != "" {
			check(s.secretFile, *file.target)
		}
	})
	if inFile {
		check("configuration file with a token", configPath(cmd))
	}
	return failed
}

// CheckSecretFile checks the permissions of a file that holds a secret: see
// datadir.CheckSecretFile. It writes the warning to the standard error of cmd.
func CheckSecretFile(cmd *cobra.Command, kind, path string) error {
	warning, err := datadir.CheckSecretFile(kind, path)
	if warning != "" {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.Root().Name(), warning) // there is no other place to report it
	}
	return err //nolint:wrapcheck // it names the file
}
