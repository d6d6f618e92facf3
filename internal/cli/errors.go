package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// The exit codes of every program.
const (
	ExitOK      = 0
	ExitFailure = 1
	ExitUsage   = 2
	ExitSignal  = 128 // plus the number of the signal
)

// ExitError ends the program with an exit code, and with a message where Err is
// not nil.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return "exit status " + strconv.Itoa(e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitWith returns an error that ends the program with the code and without a
// message. It returns nil for ExitOK.
func ExitWith(code int) error {
	if code == ExitOK {
		return nil
	}
	return &ExitError{Code: code}
}

// UsageError is a mistake on the command line, in a variable or in the file.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef returns a UsageError that names the command and its help.
func Usagef(cmd *cobra.Command, format string, args ...any) error {
	subject := ""
	if _, path, ok := strings.Cut(cmd.CommandPath(), " "); ok {
		subject = path + ": "
	}
	return &UsageError{Err: fmt.Errorf("%s%w; see `%s --help`", subject, fmt.Errorf(format, args...), cmd.CommandPath())}
}

// flagError returns the UsageError for what pflag has refused on the command line.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return Usagef(cmd, "unknown flag -%s", name)
		}
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		return Usagef(cmd, "unknown flag --%s%s", name, config.DidYouMean(name, "--", names))
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return Usagef(cmd, "--%s needs a value", missing.GetFlag().Name)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return Usagef(cmd, "%w", badValue(bad.GetFlag(), bad.GetValue(), bad.Unwrap()))
	}
	return Usagef(cmd, "%w", err)
}

// badValue returns the error for a text that the flag does not accept.
func badValue(flag *pflag.Flag, text string, cause error) error {
	if errors.Is(cause, errEmpty) {
		return fmt.Errorf("--%s %w", flag.Name, cause)
	}
	return fmt.Errorf("invalid value %q for --%s: %w", text, flag.Name, cause)
}
