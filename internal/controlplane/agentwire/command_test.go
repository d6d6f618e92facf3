package agentwire

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// printArgs is a shell script that prints its arguments, each followed by a NUL.
const printArgs = `for a in "$@"; do printf '%s\000' "$a"; done`

func TestShellCommandRunsExactlyTheArguments(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"plain":             {"a", "b"},
		"empty argument":    {"", "a", ""},
		"spaces and quotes": {"a b", `'`, `"`, `'"'"'`, "a'b"},
		"expansions":        {"$HOME", "${X}", "`id`", "$(id)", "~", "~root", "*", "?", "[a]", "{a,b}", "!1"},
		"operators":         {";", "&", "&&", "|", ">", "<", "#", "(", ")", "\\", "\\n"},
		"white space":       {"a\nb", "\t", "\r\n", "\n"},
		"assignment":        {"A=b", "A='b'"},
		"options":           {"-n", "--", "-e"},
		"not ASCII":         {"größe", "名", "\x7f", "\x01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runShell(t, shellCommand(append([]string{"sh", "-c", printArgs, "program"}, args...)))
			if want := strings.Join(args, "\x00") + "\x00"; got != want {
				t.Errorf("arguments %q, want %q", got, want)
			}
		})
	}
}

// The first word is run as a program, even if it is a word of the shell.
func TestShellCommandRunsTheProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := []byte("#!/bin/sh\nprintf 'program %s' \"$1\"\n")
	for _, name := range []string{"echo", "if", "exit", "A=b", "kill", "a b", "{", "!", "$x"} {
		if err := os.WriteFile(dir+"/"+name, script, 0o700); err != nil { //nolint:gosec // it is to be run
			t.Fatal(err)
		}
		if got := runShell(t, shellCommand([]string{name, `x\ty`}), "PATH="+dir+":/usr/bin:/bin"); got != `program x\ty` {
			t.Errorf("%q: output %q, want that of the program", name, got)
		}
	}
}

func runShell(t *testing.T, command string, env ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	shell := exec.CommandContext(t.Context(), "/bin/sh", "-e", "-c", command)
	shell.Env, shell.Stderr = append(os.Environ(), env...), &stderr
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("running %q: %v, %s", command, err, stderr.Bytes())
	}
	return string(out)
}

func FuzzShellCommand(f *testing.F) {
	f.Add("a", "b")
	f.Add("'", "$x")
	f.Fuzz(func(t *testing.T, first, second string) {
		if strings.ContainsRune(first+second, 0) {
			t.Skip("no argument can hold a NUL")
		}
		got := runShell(t, shellCommand([]string{"printf", `%s\n%s`, first, second}))
		if want := first + "\n" + second; got != want {
			t.Errorf("arguments %q, want %q", got, want)
		}
	})
}
