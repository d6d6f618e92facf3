// Package diagram draws the table of package fsm: as Mermaid, as Graphviz DOT,
// as an SVG in a layout of our own, and as a Markdown page with all of the
// table in words. It reads the table and knows no transition of its own.
//
// Everything here is a pure function of the table and the options, with the
// same bytes as its result in every run, and may be called concurrently.
package diagram

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Format is a language to draw in.
type Format string

// The formats.
const (
	// Mermaid is a stateDiagram-v2, which code hosts draw in Markdown.
	Mermaid Format = "mermaid"
	// DOT is a digraph for Graphviz.
	DOT Format = "dot"
	// SVG is a picture that needs no other program. It follows the reader's
	// light or dark colours.
	SVG Format = "svg"
	// Markdown is the whole machine on a page, with its picture in Mermaid.
	Markdown Format = "markdown"
)

// Formats returns every format.
func Formats() []Format { return []Format{Mermaid, DOT, SVG, Markdown} }

// ParseFormat returns the format with that name; the error names them all.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	names := make([]string, len(Formats()))
	for i, f := range Formats() {
		names[i] = string(f)
	}
	return "", fmt.Errorf("no format %q: it must be one of %s", name, strings.Join(names, ", "))
}

// Options says what a picture shows besides the states and the transitions
// between them. The zero value is the overview, in which a few words stand for
// all the rows of the table between two states. Markdown shows every row in any
// case, and the options go to its picture.
type Options struct {
	// Highlight is the state to show as the current one; fsm.Initial for none.
	Highlight fsm.State
	// SelfLoops shows the transitions that stay in their state.
	SelfLoops bool
	// Guards shows each row's event and guard instead of the few words. In SVG
	// they stand in a legend under the picture.
	Guards bool
	// Effects shows each row's event and actions, in the same places.
	Effects bool
}

// rowByRow tells whether the rows are shown one by one.
func (o Options) rowByRow() bool { return o.Guards || o.Effects }

// Write draws the machine to w. The error is that of w, or says that there is
// no such format.
func Write(w io.Writer, format Format, o Options) error {
	var page bytes.Buffer
	edges := edgesOf(fsm.Rows(), o)
	switch format {
	case Mermaid:
		writeMermaid(&page, edges, o)
	case DOT:
		writeDOT(&page, edges, o)
	case SVG:
		writeSVG(&page, edges, o)
	case Markdown:
		writeMarkdown(&page, edges, o)
	default:
		_, err := ParseFormat(string(format))
		return err
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("writing the diagram: %w", err)
	}
	return nil
}
