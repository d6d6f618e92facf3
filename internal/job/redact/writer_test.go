package redact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestAdd adds secrets between writes, also while a part of one is held back.
func TestAdd(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	for _, step := range []struct{ add, write, passed string }{
		{"", "hidden-secret", "hidden-secret"},
		{"hidden", "hidden-sec", "[REDACTED]-sec"},
		{"secret", "ret secret", "ret [REDACTED]"},
		{"", " secr", " "},
		{"secr-et", "", ""},
		{"", "-et.", "[REDACTED]."},
		{"", "hidden and out", "[REDACTED] and out"},
	} {
		if err := w.secrets.Add(step.add); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if out.String() != step.passed {
			t.Errorf("add %q, write %q: %q passed, want %q", step.add, step.write, out.String(), step.passed)
		}
		out.Reset()
	}
}

// TestAddConcurrently adds secrets while another goroutine writes.
func TestAddConcurrently(t *testing.T) {
	t.Parallel()
	const adders, each = 4, 25
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	var adding, writing sync.WaitGroup
	added := make(chan string, adders*each)
	for i := range adders {
		adding.Go(func() {
			for j := range each {
				secret := fmt.Sprintf("secret-%d-%d.", i, j)
				if err := w.secrets.Add(secret); err != nil {
					t.Error(err)
				}
				added <- secret
			}
		})
	}
	writing.Go(func() {
		for secret := range added {
			if _, err := fmt.Fprintf(w, "<%s>", secret); err != nil {
				t.Error(err)
			}
		}
	})
	adding.Wait()
	close(added)
	writing.Wait()
	if want := strings.Repeat("<[REDACTED]>", adders*each); out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// TestTooMany adds more secrets than are allowed; the previous ones stay hidden.
func TestTooMany(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	if err := w.secrets.Add("the first"); err != nil {
		t.Fatal(err)
	}
	if err := w.secrets.Add(secrets(MaxForms)...); !errors.Is(err, ErrTooMany) {
		t.Errorf("Add: %v", err)
	}
	if _, err := w.Write([]byte("the first")); err != nil || out.String() != Marker {
		t.Errorf("%q passed: %v", out.String(), err)
	}
}

// TestHoldsBackLittle writes an endless run of control sequences behind the
// beginning of a secret: what is held back is bounded.
func TestHoldsBackLittle(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	if err := w.secrets.Add("secret"); err != nil {
		t.Fatal(err)
	}
	text := "secre" + strings.Repeat("\x1b[31m", 10_000)
	for i := range 10 {
		if _, err := w.Write([]byte(text[i*len(text)/10 : (i+1)*len(text)/10])); err != nil {
			t.Fatal(err)
		}
		if most := controlsBeside + controlsPerByte*longestOf(w.secrets); len(w.held) > most {
			t.Fatalf("%d bytes are held back, more than %d", len(w.held), most)
		}
	}
	if err := w.Flush(); err != nil || out.String() != text {
		t.Errorf("%d bytes passed, want %d: %v", out.Len(), len(text), err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestWriteFails returns the error of the next writer.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if n, err := NewWriter(&Secrets{}, failing{broken}).Write([]byte("x")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("Write: %d, %v", n, err)
	}
}

// FuzzWriter compares two writes with the naive search.
func FuzzWriter(f *testing.F) {
	f.Add("secret", "cretin", "a secretin b", 4)
	f.Add("1;31m[", "secret", "se\x1b[1;31mcret", 5)
	f.Fuzz(func(t *testing.T, one, other, text string, at int) {
		if len(one)+len(other)+len(text) > 1000 {
			t.Skip("the naive search is slow")
		}
		var out bytes.Buffer
		w := NewWriter(&Secrets{}, &out)
		if err := w.secrets.Add(one, other); err != nil {
			t.Fatal(err)
		}
		at = min(max(at, 0), len(text))
		for _, part := range []string{text[:at], text[at:]} {
			if _, err := w.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := naive(text, wantedBy(w)); out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

// TestEveryByte uses every byte value, which is more than the automaton can
// group into classes.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	all := make([]string, 256)
	for b := range all {
		all[b] = "<" + string([]byte{byte(b)}) + "1234>"
	}
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	if err := w.secrets.Add(all...); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(strings.Join(all, " "))); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat(" "+Marker, len(all))[1:]; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// longestOf returns the length of the longest string of a set.
func longestOf(s *Secrets) int {
	set, err := s.current()
	if err != nil || set == nil {
		return 0
	}
	return set.longest
}
