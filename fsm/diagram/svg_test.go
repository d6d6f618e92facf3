package diagram_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

// area is a rectangle of a picture, with its class.
type area struct {
	class      string
	x, y, w, h int
}

func (a area) overlaps(b area) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

func (a area) within(b area) bool {
	return a.x >= b.x && a.y >= b.y && a.x+a.w <= b.x+b.w && a.y+a.h <= b.y+b.h
}

// picture is what was read from an SVG: its rectangles, and all its text with the
// tooltips.
type picture struct {
	areas []area
	text  string
}

func readSVG(t *testing.T, svg []byte) picture {
	t.Helper()
	var p picture
	var text strings.Builder
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			p.text = text.String()
			return p
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			if token.Name.Local == "rect" {
				p.areas = append(p.areas, readArea(t, token))
			}
		}
	}
}

func readArea(t *testing.T, rect xml.StartElement) area {
	t.Helper()
	var a area
	for _, attr := range rect.Attr {
		number := map[string]*int{"x": &a.x, "y": &a.y, "width": &a.w, "height": &a.h}[attr.Name.Local]
		if attr.Name.Local == "class" {
			a.class = attr.Value
		}
		if number == nil {
			continue
		}
		n, err := strconv.Atoi(attr.Value)
		if err != nil {
			t.Fatalf("%s of a rectangle: %v", attr.Name.Local, err)
		}
		*number = n
	}
	return a
}

// TestSVGIsCompleteAndLegible shows, for all options, that a picture is XML, that
// every row of the table is in its tooltips or its legend, and that no label
// covers another label or a state, or is outside the paper.
func TestSVGIsCompleteAndLegible(t *testing.T) {
	t.Parallel()
	for bits := range 8 {
		o := diagram.Options{SelfLoops: bits&1 != 0, Guards: bits&2 != 0, Effects: bits&4 != 0}
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			t.Parallel()
			p := readSVG(t, draw(t, diagram.SVG, o))
			for _, r := range fsm.Rows() {
				if r.From != r.To || o.SelfLoops {
					if !strings.Contains(p.text, r.Name()) {
						t.Errorf("the picture does not have %v / %s", r.From, r.Name())
					}
				}
			}
			paper := p.areas[0]
			if paper.class != "paper" {
				t.Fatalf("the first rectangle is not the paper: %+v", paper)
			}
			plates, states := 0, 0
			for i, a := range p.areas[1:] {
				if !a.within(paper) {
					t.Errorf("%+v is not on the paper", a)
				}
				switch a.class {
				case "plate":
					plates++
				case "":
					states++
				default:
					continue
				}
				for _, b := range p.areas[2+i:] {
					final := a.class == "" && b.class == "" // the double border of Stopped
					if !final && (b.class == "plate" || b.class == "") && a.overlaps(b) {
						t.Errorf("%+v covers %+v", a, b)
					}
				}
			}
			if plates < 12 || states != 7 {
				t.Errorf("%d labels on plates, and %d boxes", plates, states)
			}
		})
	}
}

// TestHighlight shows that only the current state is marked.
func TestHighlight(t *testing.T) {
	t.Parallel()
	for _, s := range fsm.States() {
		svg := string(draw(t, diagram.SVG, diagram.Options{Highlight: s}))
		_, marked, found := strings.Cut(svg, ` current"><title>`)
		switch {
		case s == fsm.Initial && found:
			t.Error("a state is marked without one to highlight")
		case s != fsm.Initial && !strings.HasPrefix(marked, s.String()+": "):
			t.Errorf("%v is not marked", s)
		case strings.Contains(marked, ` current"`):
			t.Errorf("with %v another state is marked", s)
		}
	}
}
