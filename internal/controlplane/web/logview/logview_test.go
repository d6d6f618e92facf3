package logview

import (
	"bytes"
	"fmt"
	"html/template"
	"iter"
	"slices"
	"strings"
	"testing"
)

// reader returns the chunks of a log, of size bytes each.
func reader(log string, size int) Reader {
	return func(from uint64) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			for at := from; at < uint64(len(log)); at += uint64(size) {
				if !yield(Chunk{at, []byte(log[at:min(uint64(len(log)), at+uint64(size))])}, nil) {
					return
				}
			}
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]template.HTML{
		"plain":                       "plain",
		`<script>alert("x")</script>`: `&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;`,
		"\x1b[31mred\x1b[0m not":      `<span class="term-fg31">red</span> not`,
		"10%\r50%\r100%":              "100%",
		"done\r":                      "done",
		"long text\rshort\x1b[K":      "short",
		"\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07": "link",
		"\x1b]1338;url=http://x/;alt=a\x07after":          "after",
		"\x1b]1337;File=name=MS5n;inline=1:AAAA\x07after": "after",
		"\x1b_bk;t=1\x07after":                            "after",
		"\x1b[31m<img src=x onerror=alert(1)>":            `<span class="term-fg31">&lt;img src=x onerror=alert(1)&gt;</span>`,
		"a\u202eb":                                        "ab",
		"\xff\x1b[1mx":                                    "\ufffd<span class=\"term-fg1\">x</span>",
		"\x1b[2J\x1b[5Aup":                                "up",
		"\x1b]0;never ends":                               "",
		"\x1b(B\x1b[mplain":                               "plain",
		"\x1b[\u202em\x1b[\x1b(ma":                        "a",
		"\x1b[?25la\x1b[38:5:1mb":                         "ab",
		"abc\x1b[2Dx\x1b[1Gy\x1b[99999999999999999999Gz":  "yzc",
		"a\x1b[Cb":        "a b",
		"a\x1b[2K\x1b[Gb": "b",
		"":                "",
	} {
		if got := HTML(Line{Text: []byte(in)}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Lines are the same, however the log is cut into pieces, and a color goes on in the next
// line.
func TestLines(t *testing.T) {
	t.Parallel()
	log := "one\n\x1b[1;31mtwo\nthree\x1b[0m\n\n10%\r20%\r30%\nfour <b>\nlast"
	want := "1 one|2 <span class=\"term-fg31 term-fg1\">two</span>|3 <span class=\"term-fg31 term-fg1\">three</span>|4 |5 30%|6 four &lt;b&gt;|7 last"
	for size := 1; size <= len(log); size++ {
		x := NewIndex()
		if err := x.Extend(reader(log, size)); err != nil {
			t.Fatal(err)
		}
		shown, partial, err := x.Window(reader(log, size), 1, 100)
		if err != nil || !partial {
			t.Errorf("partial %t, %v", partial, err)
		}
		var got []string
		for _, line := range shown {
			got = append(got, fmt.Sprintf("%d %s", line.Number, line.HTML))
		}
		if text := strings.Join(got, "|"); text != want {
			t.Errorf("in pieces of %d:\n%s\nwant\n%s", size, text, want)
		}
	}
}

// Any line of a long log is found, and its style with it.
func TestIndex(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	const count = 300_000
	for i := 1; i <= count; i++ {
		if i == 1000 {
			b.WriteString("\x1b[32m")
		}
		fmt.Fprintf(&b, "%d\n", i)
	}
	log, x := b.String(), NewIndex()
	for _, cut := range []int{1, 70_001, len(log)} { // as it grows
		if err := x.Extend(reader(log[:cut], 4096)); err != nil {
			t.Fatal(err)
		}
	}
	if next := x.Next(); next.Line != count+1 || next.Offset != uint64(len(log)) || len(x.marks) > maxMarks {
		t.Errorf("next %+v, %d marks", next, len(x.marks))
	}
	for _, from := range []int{1, 2, 999, 1000, 1001, 70_000, count - 1, count} {
		shown, _, err := x.Window(reader(log, 4096), from, 2)
		want := template.HTML(fmt.Sprint(from))
		if from >= 1000 {
			want = `<span class="term-fg32">` + want + `</span>`
		}
		if err != nil || len(shown) == 0 || shown[0].Number != from || shown[0].HTML != want {
			t.Errorf("from %d: %v, %v", from, shown, err)
		}
	}
	if shown, _, _ := x.Window(reader(log, 4096), count+1, 5); len(shown) != 0 {
		t.Errorf("after the end: %v", shown)
	}
}

// What is kept of a line without an end is bounded; a progress bar keeps its last form.
func TestBounds(t *testing.T) {
	t.Parallel()
	all := func(data ...[]byte) (lines []string) {
		l := NewLines(First())
		at := uint64(0)
		for _, d := range data {
			l.Add(at, d, func(line Line) bool {
				lines = append(lines, string(line.Text)+line.Notice)
				return true
			})
			at += uint64(len(d))
		}
		return lines
	}
	if got := all(bytes.Repeat([]byte("x"), 5*maxLine), []byte("y\n")); len(got) != 1 || len(got[0]) > maxLine {
		t.Errorf("%d lines", len(got))
	}
	bar := []byte(strings.Repeat("=====>\r", maxLine))
	if got := all(bar, []byte("done\n")); len(got) != 1 || len(got[0]) > maxLine || !strings.HasSuffix(got[0], "done") {
		t.Errorf("%d lines", len(got))
	}
	l := NewLines(First())
	var got []string
	for _, chunk := range []Chunk{{0, []byte("a\nb")}, {10, []byte("c\n")}, {8, []byte("zzc\nd\n")}} {
		l.Add(chunk.Offset, chunk.Data, func(line Line) bool {
			got = append(got, string(line.Text)+line.Notice)
			return true
		})
	}
	if want := []string{"a", "b", "7 bytes of the log are missing here", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("with a gap: %q", got)
	}
}

// A few bytes of a log cannot make a line of any size, or take the time of one: not by
// writing beyond the last column, and not by erasing what it must fill again.
func TestMovesAreBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"beyond the last column": strings.Repeat("\x1b[65000Cab", maxLine/10),
		"erased and filled":      "\x1b[65000G" + strings.Repeat("x\x1b[2K", maxLine/5),
		"erased up to the place": "\x1b[65000G" + strings.Repeat("x\x1b[1K", maxLine/5),
		"there and back":         strings.Repeat("\x1b[65000Gx\x1b[G\x1b[K", maxLine/16),
	} {
		if got := HTML(Line{Text: []byte(text)}); len(got) > 2*maxLine {
			t.Errorf("%s: %d bytes become %d", name, len(text), len(got))
		}
		kept := filter([]byte(text), len(text)+1)
		if moves := bytes.Count(kept, []byte("\x1b[65000G")); moves > 2*maxMoves/65000+2 {
			t.Errorf("%s: %d moves over the line are left", name, moves)
		}
		if erased := bytes.Count(kept, []byte("2K")) + bytes.Count(kept, []byte("1K")); erased > 2*maxMoves/65000+2 {
			t.Errorf("%s: the line is filled %d times", name, erased)
		}
	}
	spinner := strings.Repeat("\x1b[2K\x1b[1G"+strings.Repeat("=", 80), maxLine/90) + "\x1b[2K\x1b[1Gdone"
	if got := HTML(Line{Text: []byte(spinner)}); got != "done" {
		t.Errorf("a progress bar becomes %q", got)
	}
}

// A window of long lines has fewer of them, and all lines are reached by asking for the
// next ones. A style of any size is not kept.
func TestWindowIsBounded(t *testing.T) {
	t.Parallel()
	log := strings.Repeat(strings.Repeat("&", maxLine-1)+"\n", 40)
	x := NewIndex()
	if err := x.Extend(reader(log, 4096)); err != nil {
		t.Fatal(err)
	}
	for from := 1; from <= 40; {
		shown, _, err := x.Window(reader(log, 4096), from, 40)
		if err != nil || len(shown) == 0 || len(shown) > maxWindow/(maxLine-1)+1 || shown[0].Number != from {
			t.Fatalf("from line %d: %d lines, %v", from, len(shown), err)
		}
		from += len(shown)
	}
	shown, _, err := x.Tail(reader(log, 4096), 1, 40)
	if err != nil || len(shown) < 2 || len(shown) > maxWindow/(maxLine-1)+1 || shown[len(shown)-1].Number != 40 {
		t.Errorf("the end has %d lines, %v", len(shown), err)
	}
	shown, partial, err := x.Tail(reader("a\nb\nc", 2), 1, 2)
	if err != nil || !partial || len(shown) != 2 || shown[0] != (Shown{2, "b"}) || shown[1] != (Shown{3, "c"}) {
		t.Errorf("the end is %v, %t, %v", shown, partial, err)
	}
	styled := NewIndex()
	if err := styled.Extend(reader("\x1b["+strings.Repeat("1;", maxLine)+"mx\nnext\n", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if style := styled.Next().Style; len(style) > maxStyle {
		t.Errorf("a style of %d bytes is kept", len(style))
	}
}

// A log of 100 MB in one line is read once. What a page shows of it, and of what follows,
// takes little more than is shown, also when the line grows and ends.
func TestOneLongLine(t *testing.T) {
	t.Parallel()
	const size = 100 << 20
	for name, row := range map[string]struct {
		block, want string // what the line consists of, and the beginning of what is shown
	}{
		"without an end": {strings.Repeat("x", 1<<16), "xxxx"},
		"a progress bar": {strings.Repeat("working ", 1<<13-1) + "\r100 % \r", "100 % "},
	} {
		var read uint64
		end := "" // what follows the line
		log := func(from uint64) iter.Seq2[Chunk, error] {
			return func(yield func(Chunk, error) bool) {
				for at := from; at < size+uint64(len(end)); {
					part := end[max(at, size)-size:]
					if at < size {
						part = row.block[at%uint64(len(row.block)):]
						part = part[:min(uint64(len(part)), size-at)]
					}
					read += uint64(len(part))
					if !yield(Chunk{at, []byte(part)}, nil) {
						return
					}
					at += uint64(len(part))
				}
			}
		}
		x := NewIndex()
		expect := func(what string, bound uint64, show func() ([]Shown, bool, error), want ...string) {
			t.Helper()
			read = 0
			if err := x.Extend(log); err != nil {
				t.Fatal(err)
			}
			shown, partial, err := show()
			if err != nil || len(shown) != len(want) || partial != (end == "") {
				t.Fatalf("%s, %s: %d lines, partial %t, %v", name, what, len(shown), partial, err)
			}
			for i, line := range shown {
				if !strings.HasPrefix(string(line.HTML), want[i]) || len(line.HTML) > maxLine {
					t.Errorf("%s, %s: %d bytes in line %d: %.40s", name, what, len(line.HTML), line.Number, line.HTML)
				}
			}
			if read > bound {
				t.Errorf("%s, %s: read %d bytes", name, what, read)
			}
		}
		window := func(from int) func() ([]Shown, bool, error) {
			return func() ([]Shown, bool, error) { return x.Window(log, from, 100) }
		}
		tail := func() ([]Shown, bool, error) { return x.Tail(log, 1, 100) }
		expect("first", size, tail, row.want)
		expect("again", 0, tail, row.want)
		expect("the line", 0, window(1), row.want)
		end = "\nsecond\nthird\n"
		expect("after its end", 1<<20, tail, row.want, "second", "third")
		expect("all lines", 1<<20, window(1), row.want, "second", "third")
		expect("later lines", 1<<10, window(2), "second", "third")
		if at := x.Lines(2).Reach(); at != size+1 {
			t.Errorf("%s: who follows line 2 begins at %d", name, at)
		}
	}
}

// Long lines among short ones are as they are when everything is read.
func TestLongLinesAmongOthers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x1b[33mabc", longSize/8+7)
	log := "1\n2\n" + long + "\n4\n" + long + "\r\x1b[35mend\r\n" + long + "\n7\n" + long + "\n9\nlast"
	x := NewIndex()
	if err := x.Extend(reader(log, 4096)); err != nil {
		t.Fatal(err)
	}
	var want []Shown
	plain := NewLines(First())
	add := func(line Line) bool { want = append(want, Show(line)); return true }
	plain.Add(0, []byte(log), add)
	rest, _ := plain.Rest()
	add(rest)
	for from := 1; from <= len(want); from++ {
		shown, partial, err := x.Window(reader(log, 5000), from, 100)
		if !partial || err != nil || !slices.Equal(shown, want[from-1:]) {
			t.Errorf("from %d: %d lines, partial %t, %v", from, len(shown), partial, err)
		}
	}
	if shown, _, err := x.Tail(reader(log, 5000), 2, 3); err != nil || !slices.Equal(shown, want[len(want)-3:]) {
		t.Errorf("the end: %d lines, %v", len(shown), err)
	}
}

// No log becomes markup, makes the page fail, or takes more than it has.
func FuzzHTML(f *testing.F) {
	for _, seed := range []string{"a\x1b[31mb<c>", "\x1b]8;;data:text/html,x\x07y", "\x1b[999999999Cx", "\r\r\b\b<", "\x1b[38;5;1m\xff"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, log []byte, cut int) {
		lines := NewLines(First())
		cut = min(len(log), max(0, cut))
		check := func(line Line) bool {
			rendered := string(HTML(line))
			for _, part := range strings.Split(rendered, "<")[1:] {
				if !strings.HasPrefix(part, `span class="term-`) && !strings.HasPrefix(part, "/span>") && !strings.HasPrefix(part, `em class="notice">`) && !strings.HasPrefix(part, "/em>") {
					t.Fatalf("%q becomes %q", line.Text, rendered)
				}
			}
			return true
		}
		lines.Add(0, log[:cut], check)
		lines.Add(uint64(cut), log[cut:], check)
		if rest, ok := lines.Rest(); ok {
			check(rest)
		}
	})
}
