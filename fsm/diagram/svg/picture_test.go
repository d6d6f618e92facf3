package svg_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// TestPictureIsXML shows that every element is well-formed, whatever the texts
// contain.
func TestPictureIsXML(t *testing.T) {
	t.Parallel()
	hostile := "]]><b>&\"'\x00\x1b\v\f\u0085\ufffe\xff\n"
	p := svg.New(svg.Head{Width: 10, Height: 20, Title: hostile, Description: hostile, Style: svg.Stylesheet(12), Defs: `<marker id="m"/>`})
	p.Group("a", hostile)
	p.Text("b", 1, 2.26, svg.Middle, hostile)
	p.Rect("c", svg.Box{X: -0.04, Width: 3, Height: 4.06, Radius: 2}, hostile)
	p.Path("d", "M0 0h1", hostile)
	p.Arrow("e", "M0 0h1", "m")
	p.Circle("", 1, 2, 3)
	p.EndGroup()
	picture := string(p.Finish())
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v\n%s", err, picture)
		}
	}
	for _, want := range []string{
		`<text class="b" x="1" y="2.3" text-anchor="middle">`,
		`<rect class="c" x="0" y="0" width="3" height="4.1" rx="2"><title>`,
		`<path class="e" d="M0 0h1" marker-end="url(#m)"/>`,
		`<circle cx="1" cy="2" r="3"/>`,
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture does not contain %s:\n%s", want, picture)
		}
	}
}

// TestStylesheet shows that a color is written for both pages, and only once if
// it is the same on both.
func TestStylesheet(t *testing.T) {
	t.Parallel()
	css := svg.Stylesheet(12,
		svg.Rule{Selector: ".a", Fill: svg.Color{Light: "#111111", Dark: "#eeeeee"}, Stroke: svg.Always("#777777"), Other: "opacity:.5"},
		svg.Rule{Selector: ".b", Stroke: svg.Always("#777777")})
	light, dark, found := strings.Cut(css, "@media (prefers-color-scheme:dark){\n")
	if !found || !strings.Contains(light, ".a{fill:#111111;stroke:#777777;opacity:.5}\n") || !strings.Contains(light, ".b{stroke:#777777}\n") {
		t.Errorf("the light rules are\n%s", light)
	}
	if !strings.HasSuffix(dark, "\n.a{fill:#eeeeee}\n}\n") {
		t.Errorf("the dark rules are\n%s", dark)
	}
}
