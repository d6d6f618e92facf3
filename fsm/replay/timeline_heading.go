package replay

import "strings"

// heading returns the name of the worker, and how it ended with its times in each state, as
// both fit on one line of the picture. The name is shortened before the other text is.
func (w *WorkerTimeline) heading() (name, ending string) {
	const room = svgWidth - 2*margin - 2*charWidth
	ending = w.leaving() + " · " + w.Summary.states()
	if room-width(ending) < leastName*nameWidth {
		word, _, _ := strings.Cut(w.leaving(), ":")
		ending = cut(word+" · "+w.Summary.states(), int((room-leastName*nameWidth)/charWidth))
	}
	return cutMiddle(w.label(), min(maxName, int((room-width(ending))/nameWidth))), ending
}

// width returns about the width of a label.
func width(text string) float64 { return float64(len([]rune(text))) * charWidth }

// cutMiddle bounds a name to n characters, and keeps its beginning and its end: the names
// of the machines of a fleet, and of the workers of a machine, differ in their ends.
func cutMiddle(text string, n int) string {
	if r := []rune(text); len(r) > n {
		end := (n - 1) / 2
		return string(r[:n-1-end]) + "…" + string(r[len(r)-end:])
	}
	return text
}
