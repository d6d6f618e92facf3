package replay_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// label is a text of a picture, with the place that it takes.
type label struct {
	Class  string  `xml:"class,attr"`
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Anchor string  `xml:"text-anchor,attr"`
	Text   string  `xml:",chardata"`
}

// extent returns the left and the right end of a label, by the width of a character as
// measured in a browser.
func (l *label) extent() (left, right float64) {
	each := 6.2
	switch l.Class {
	case "worker":
		each = 8.5
	case "heading":
		each = 10
	}
	width := each * float64(len([]rune(l.Text)))
	switch l.Anchor {
	case "middle":
		return l.X - width/2, l.X + width/2
	case "end":
		return l.X - width, l.X
	default:
		return l.X, l.X + width
	}
}

// labelsOf returns the texts of a picture.
func labelsOf(t *testing.T, picture string) []label {
	t.Helper()
	var labels []label
	decoder := xml.NewDecoder(strings.NewReader(picture))
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			var l label
			if err := decoder.DecodeElement(&l, &start); err != nil {
				t.Fatal(err)
			}
			labels = append(labels, l)
		}
	}
	return labels
}

// TestLabelsOfAFleet draws fifty workers with long names and busy nights: no text is over
// another one or beyond the edge, names that differ in their ends differ in the picture, and
// the times of the axis are never far away.
func TestLabelsOfAFleet(t *testing.T) {
	t.Parallel()
	night := badNight()
	var records []fsm.Record
	for i := range 50 {
		for k := range night {
			r := night[k]
			if r.Worker != night[0].Worker || k > len(night)*(1+i%3)/3 {
				continue
			}
			r.Worker = fmt.Sprintf("build.rack-%d.eu-west-1.example.internal-spot-machine-worker-%d", i/10, i)
			// Slower nights have longer texts.
			r.Time = midnight.Add(r.Time.Sub(midnight)*time.Duration(1+i*13) + time.Duration(i)*time.Second)
			records = append(records, r)
		}
	}
	labels := labelsOf(t, written(t, forms[2], records))
	names, axes := map[string]bool{}, 0
	for i := range labels {
		a := &labels[i]
		left, right := a.extent()
		if left < 0 || right > 1200 {
			t.Errorf("beyond the edge: %q, from %v to %v", a.Text, left, right)
		}
		switch {
		case a.Class == "worker":
			names[a.Text] = true
		case a.Text == "UTC":
			axes++
		}
		for k := range i {
			b := &labels[k]
			if l, r := b.extent(); l < right && left < r && max(a.Y-b.Y, b.Y-a.Y) < 9 {
				t.Errorf("%q is over %q", a.Text, b.Text)
			}
		}
	}
	if len(names) != 50 || axes != 11 {
		t.Errorf("%d different names of 50, and %d axes of 11", len(names), axes)
	}
}
