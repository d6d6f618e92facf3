package diagram

import "github.com/switchyard-ci/switchyard/fsm"

// Colours are those in which the pictures draw a state, for a light page and
// for a dark one.
type Colours struct {
	Fill, Line         string
	DarkFill, DarkLine string
}

// The colours of the stylesheet that say which state it is.
const (
	streamFill, streamLine               = "#dcfce7", "#15803d"
	streamDarkFill, streamDarkLine       = "#12402a", "#2ea45a"
	pollerFill, pollerLine               = "#ffedd5", "#d9480f"
	pollerDarkFill, pollerDarkLine       = "#4a2510", "#f0743a"
	returningFill, returningLine         = "#fef9c3", "#4d7c0f"
	returningDarkFill, returningDarkLine = "#3b3a0f", "#9bb33a"
	stoppedFill, stoppedLine             = "#f6f8fa", "#57606a"
	stoppedDarkFill, stoppedDarkLine     = "#21262d", "#9aa4af"
)

// ColoursOf returns the colours of a state. States in which the same side is in
// control share them.
func ColoursOf(s fsm.State) Colours {
	switch s {
	case fsm.StreamHealthy, fsm.Running:
		return Colours{streamFill, streamLine, streamDarkFill, streamDarkLine}
	case fsm.FallingBack, fsm.PollingBusy:
		return Colours{pollerFill, pollerLine, pollerDarkFill, pollerDarkLine}
	case fsm.Reclaiming:
		return Colours{returningFill, returningLine, returningDarkFill, returningDarkLine}
	case fsm.Initial, fsm.Stopped:
	}
	return Colours{stoppedFill, stoppedLine, stoppedDarkFill, stoppedDarkLine}
}
