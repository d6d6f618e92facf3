package diagram

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// captions summarize all the rows of an edge in a few words. The golden
// testdata/captions.txt lists the events of each edge beside its caption, so that
// a change of the rows shows which captions to read again. An edge without a
// caption is labeled with its events.
var captions = map[between][]string{
	{fsm.Initial, fsm.StreamHealthy}: {"start"},
	{fsm.Initial, fsm.FallingBack}:   {"start, poll-only"},
	{fsm.Initial, fsm.PollingBusy}:   {"start, acquire"},

	{fsm.StreamHealthy, fsm.Running}:       {"job offered, or resume", "with a job waiting"},
	{fsm.StreamHealthy, fsm.FallingBack}:   {"stream lost, refused,", "or silent for too long"},
	{fsm.StreamHealthy, fsm.StreamHealthy}: {"pause, resume,", "planned end"},
	{fsm.StreamHealthy, fsm.Stopped}:       {"asked to leave,", "or time is up"},

	{fsm.Running, fsm.StreamHealthy}: {"job ended,", "stream trusted"},
	{fsm.Running, fsm.FallingBack}:   {"job ended,", "stream not trusted"},
	{fsm.Running, fsm.Running}:       {"the job continues, whatever", "the stream does"},
	{fsm.Running, fsm.Stopped}:       {"job ended,", "asked to leave"},

	{fsm.FallingBack, fsm.StreamHealthy}: {"stream message"},
	{fsm.FallingBack, fsm.Running}:       {"message offers", "a job"},
	{fsm.FallingBack, fsm.PollingBusy}:   {"ping due"},
	{fsm.FallingBack, fsm.FallingBack}:   {"stream fails", "again"},
	{fsm.FallingBack, fsm.Stopped}:       {"asked to leave,", "or time is up"},

	{fsm.PollingBusy, fsm.Reclaiming}:  {"stream message"},
	{fsm.PollingBusy, fsm.FallingBack}: {"ping answered or failed,", "or job ended"},
	{fsm.PollingBusy, fsm.PollingBusy}: {"answer brings a job,", "stream fails again"},
	{fsm.PollingBusy, fsm.Stopped}:     {"asked to leave,", "or ping refused"},

	{fsm.Reclaiming, fsm.StreamHealthy}: {"ping or job ended:", "stream takes over"},
	{fsm.Reclaiming, fsm.Running}:       {"ping or job ended,", "and the stream", "has offered a job"},
	{fsm.Reclaiming, fsm.PollingBusy}:   {"stream lost again,", "or silent"},
	{fsm.Reclaiming, fsm.Reclaiming}:    {"answer brings", "a job, offers wait"},
	{fsm.Reclaiming, fsm.Stopped}:       {"asked to leave,", "or time is up"},
}

// caption returns the edge's caption, or the names of its events.
func (e *edge) caption() []string {
	if lines, ok := captions[e.between]; ok {
		return lines
	}
	return e.events()
}

// events returns the names of the edge's events, in the order of the table.
func (e *edge) events() []string {
	var names []string
	for _, r := range e.rows {
		if name := r.On.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
