package redact

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// controls matches control sequences, written independently of the Writer.
var controls = regexp.MustCompile("\x1b(?:\\[[0-?]{0,64}[\\x20-/]{0,4}[\\x40-~]|[()*+][0-~])")

// naive hides the wanted strings by comparing at every position of the whole
// text.
func naive(text string, wanted []string) string {
	hidden := make([]bool, len(text)) // by byte
	joined := make([]bool, len(text)) // by byte: it belongs to the same secret as the previous byte
	hide := func(start, end int) {
		for i := start; i < end; i++ {
			hidden[i] = true
			joined[i] = joined[i] || i > start
		}
	}
	everywhere(text, wanted, hide)
	var bare []byte
	var places []int // by byte of bare: its position in text
	at := 0
	for _, control := range append(controls.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		for ; at < control[0]; at++ {
			bare, places = append(bare, text[at]), append(places, at)
		}
		at = control[1]
	}
	everywhere(string(bare), wanted, func(start, end int) { hide(places[start], places[end-1]+1) })
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			out.WriteByte(text[i])
		case !joined[i]:
			out.WriteString(Marker)
		}
	}
	return out.String()
}

func everywhere(text string, wanted []string, hide func(start, end int)) {
	for _, one := range wanted {
		for i := 0; i+len(one) <= len(text); i++ {
			if text[i:i+len(one)] == one {
				hide(i, i+len(one))
			}
		}
	}
}

// wantedBy returns the strings that a Writer searches for.
func wantedBy(w *Writer) []string {
	all := make([]string, 0, len(w.secrets.forms))
	for one := range w.secrets.forms {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

// drawSecrets draws secrets with many overlaps and repetitions.
func drawSecrets(t *rapid.T) []string {
	alphabet := rapid.SampledFrom([]string{"ab", "a", "abc+/ ", "ab\n", "a1;[\x1bm", "é€\xff\x00"}).Draw(t, "alphabet")
	secret := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), Minimum, 14, -1)
	return rapid.SliceOfN(secret, 1, 6).Draw(t, "secrets")
}

// drawText draws text made of wanted strings, parts of them, control sequences
// and noise.
func drawText(t *rapid.T, wanted []string) string {
	control := rapid.SampledFrom([]string{
		"\x1b[31m", "\x1b[m", "\x1b[0;1;38;5;123m", "\x1b[K", "\x1b(B", "\x1b[2 q", "\x1b", "\x1b[", "\x1b[3", "\x1b[\x07", "\x1b]0;",
		"\x1b[" + strings.Repeat("1", 64) + "m", "\x1b[" + strings.Repeat("1", 65) + "m",
	})
	segment := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return control.Draw(t, "control")
		case 1:
			return rapid.StringOfN(rapid.SampledFrom([]rune("ab1;m[ \n")), 0, 8, -1).Draw(t, "noise")
		default:
			if len(wanted) == 0 {
				return ""
			}
			one := rapid.SampledFrom(wanted).Draw(t, "wanted")
			from := rapid.IntRange(0, len(one)).Draw(t, "from")
			to := rapid.IntRange(from, len(one)).Draw(t, "to")
			switch rapid.IntRange(0, 3).Draw(t, "part") {
			case 0:
				return one[from:to]
			case 1:
				return one[:from] + control.Draw(t, "inside") + one[from:]
			default:
				return one
			}
		}
	})
	return strings.Join(rapid.SliceOfN(segment, 0, 12).Draw(t, "text"), "")
}

// writeSplit writes text in many small writes.
func writeSplit(t *rapid.T, w *Writer, text string) {
	for text != "" {
		n := rapid.IntRange(1, min(len(text), 9)).Draw(t, "write")
		if _, err := w.Write([]byte(text[:n])); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
}

// TestSplitWrites compares a Writer, whose input is split at random, with the
// naive search of the whole text.
func TestSplitWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w := NewWriter(&Secrets{}, &out)
		if err := w.secrets.Add(drawSecrets(t)...); err != nil {
			t.Fatal(err)
		}
		wanted := wantedBy(w)
		text := drawText(t, wanted)
		writeSplit(t, w, text)

		// No more is held back than the longest string and a control sequence.
		if bare := controls.ReplaceAll(w.held, nil); len(wanted) > 0 && len(bare) > longestOf(w.secrets)+maxParameters+maxIntermediates {
			t.Errorf("%d bytes are held back: %q", len(bare), bare)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := naive(text, wanted); out.String() != want {
			t.Errorf("text %q\nsecrets %q\ngot %q\nwant %q", text, wanted, out.String(), want)
		}
	})
}

// TestHeldBytesAreAPrefix checks that bytes are held back only if they are the
// beginning of a secret.
func TestHeldBytesAreAPrefix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := NewWriter(&Secrets{}, &bytes.Buffer{})
		if err := w.secrets.Add(drawSecrets(t)...); err != nil {
			t.Fatal(err)
		}
		wanted := wantedBy(w)
		writeSplit(t, w, strings.ReplaceAll(drawText(t, wanted), "\x1b", ""))
		if held := string(w.held); held != "" &&
			!slices.ContainsFunc(wanted, func(one string) bool { return len(held) < len(one) && strings.HasPrefix(one, held) }) {
			t.Errorf("%q is held back, and is not a prefix of any of %q", held, wanted)
		}
	})
}
