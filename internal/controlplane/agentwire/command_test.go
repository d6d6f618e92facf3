package agentwire

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
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

// A shell reads exactly the arguments. One shell reads all inputs, since a process for each
// is what takes the time.
func FuzzShellCommand(f *testing.F) {
	f.Add("a", "b")
	f.Add("'", "$x")
	shell := startShell(f)
	f.Fuzz(func(t *testing.T, first, second string) {
		if strings.ContainsRune(first+second, 0) {
			t.Skip("no argument can hold a NUL")
		}
		want := []string{"program", first, second}
		if got := shell.read(t, shellCommand(want)); !slices.Equal(got, want) {
			t.Errorf("arguments %q, want %q", got, want)
		}
	})
}

// argumentShell is a shell that reads commands without running them.
type argumentShell struct {
	process *exec.Cmd
	in      io.Writer
	out     *bufio.Reader
}

func startShell(f *testing.F) *argumentShell {
	s := &argumentShell{process: exec.CommandContext(f.Context(), "/bin/sh")}
	in, err := s.process.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = in.Close()
		_ = s.process.Wait()
	})
	s.in, s.out = in, bufio.NewReader(out)
	return s
}

// read returns the words of a command that begins with exec, as the shell reads them.
func (s *argumentShell) read(t *testing.T, command string) (words []string) {
	t.Helper()
	arguments, ok := strings.CutPrefix(command, "exec ")
	if !ok {
		t.Fatalf("%q does not begin with exec", command)
	}
	defer time.AfterFunc(10*time.Second, func() { _ = s.process.Process.Kill() }).Stop() // it waits for a quote
	writing := make(chan error, 1)
	go func() {
		_, err := io.WriteString(s.in, "set -- "+arguments+"\nprintf '%s\\000' $# \"$@\"\n")
		writing <- err
	}()
	word := func() string {
		text, err := s.out.ReadString(0)
		if err != nil {
			t.Fatalf("reading %q: the shell has ended: %v", command, err)
		}
		return strings.TrimSuffix(text, "\x00")
	}
	count, err := strconv.Atoi(word())
	if err != nil {
		t.Fatalf("reading %q: %v", command, err)
	}
	for range count {
		words = append(words, word())
	}
	if err := <-writing; err != nil {
		t.Fatalf("writing %q: %v", command, err)
	}
	return words
}
