package diagram

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// caption says in a few words what all the rows of an edge come to. It counts
// only while the edge has exactly these events: a table that has grown past its
// captions is drawn with the names of the events instead, and a test says so.
type caption struct {
	from, to fsm.State
	lines    []string
	events   []fsm.EventKind
}

// line is the lines of a caption.
func line(lines ...string) []string { return lines }

// on is the events of a caption.
func on(kinds ...fsm.EventKind) []fsm.EventKind { return kinds }

var captions = []caption{
	{fsm.Initial, fsm.StreamHealthy, line("start"), on(fsm.Started)},
	{fsm.Initial, fsm.FallingBack, line("start, poll-only"), on(fsm.Started)},
	{fsm.Initial, fsm.PollingBusy, line("start, acquire"), on(fsm.Started)},

	{
		fsm.StreamHealthy, fsm.Running, line("job comes, or a resume", "lets a waiting job start"),
		on(fsm.ReceivedResume, fsm.ReceivedJob),
	},
	{
		fsm.StreamHealthy, fsm.FallingBack, line("stream lost, refused,", "or silent for too long"),
		on(fsm.TrustExpired, fsm.StreamLost, fsm.StreamRefused),
	},
	{
		fsm.StreamHealthy, fsm.StreamHealthy, line("pause, resume,", "planned end"),
		on(fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedJob, fsm.StreamEnded, fsm.UptimeExpired),
	},
	{
		fsm.StreamHealthy, fsm.Stopped, line("told to leave,", "or time is up"),
		on(fsm.ReceivedResume, fsm.ReceivedDisconnect, fsm.ReceivedJob, fsm.StreamRefused, fsm.DrainRequested,
			fsm.ForceRequested, fsm.SessionRefused, fsm.IdleExpired, fsm.UptimeExpired),
	},

	{
		fsm.Running, fsm.StreamHealthy, line("job over,", "stream trusted"),
		on(fsm.JobFinished, fsm.JobRejected),
	},
	{
		fsm.Running, fsm.FallingBack, line("job over,", "stream not trusted"),
		on(fsm.JobFinished, fsm.JobRejected),
	},
	{
		fsm.Running, fsm.Running, line("the job goes on, whatever", "the stream does"),
		on(fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob, fsm.StreamEnded,
			fsm.StreamLost, fsm.StreamRefused, fsm.JobFinished, fsm.JobRejected, fsm.DrainRequested,
			fsm.ForceRequested, fsm.SessionRefused, fsm.UptimeExpired),
	},
	{
		fsm.Running, fsm.Stopped, line("job over,", "told to leave"),
		on(fsm.JobFinished, fsm.JobRejected),
	},

	{
		fsm.FallingBack, fsm.StreamHealthy, line("stream speaks"),
		on(fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedJob),
	},
	{fsm.FallingBack, fsm.Running, line("stream brings", "a job"), on(fsm.ReceivedJob)},
	{fsm.FallingBack, fsm.PollingBusy, line("ping due"), on(fsm.PollDue)},
	{
		fsm.FallingBack, fsm.FallingBack, line("stream fails", "once more"),
		on(fsm.StreamLost, fsm.StreamRefused, fsm.UptimeExpired),
	},
	{
		fsm.FallingBack, fsm.Stopped, line("told to leave,", "or time is up"),
		on(fsm.ReceivedResume, fsm.ReceivedDisconnect, fsm.ReceivedJob, fsm.StreamRefused, fsm.DrainRequested,
			fsm.ForceRequested, fsm.SessionRefused, fsm.IdleExpired, fsm.UptimeExpired),
	},

	{
		fsm.PollingBusy, fsm.Reclaiming, line("stream speaks"),
		on(fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob),
	},
	{
		fsm.PollingBusy, fsm.FallingBack, line("ping answered or failed,", "or job over"),
		on(fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredJob, fsm.PollFailed, fsm.JobFinished, fsm.JobRejected),
	},
	{
		fsm.PollingBusy, fsm.PollingBusy, line("answer brings a job,", "stream fails once more"),
		on(fsm.StreamLost, fsm.StreamRefused, fsm.AnsweredJob, fsm.DrainRequested, fsm.ForceRequested,
			fsm.SessionRefused, fsm.UptimeExpired),
	},
	{
		fsm.PollingBusy, fsm.Stopped, line("told to leave,", "or ping refused"),
		on(fsm.ReceivedResume, fsm.ReceivedDisconnect, fsm.ReceivedJob, fsm.AnsweredIdle, fsm.AnsweredDisconnect,
			fsm.AnsweredJob, fsm.PollFailed, fsm.PollRefused, fsm.JobFinished, fsm.JobRejected,
			fsm.DrainRequested, fsm.ForceRequested, fsm.SessionRefused, fsm.UptimeExpired),
	},

	{
		fsm.Reclaiming, fsm.StreamHealthy, line("ping or job over:", "stream takes over"),
		on(fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredJob, fsm.PollFailed, fsm.PollRefused,
			fsm.JobFinished, fsm.JobRejected),
	},
	{
		fsm.Reclaiming, fsm.Running, line("ping or job over,", "and the stream", "has brought a job"),
		on(fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredJob, fsm.PollFailed, fsm.PollRefused,
			fsm.JobFinished, fsm.JobRejected),
	},
	{
		fsm.Reclaiming, fsm.PollingBusy, line("stream lost again"),
		on(fsm.StreamEnded, fsm.StreamLost, fsm.StreamRefused),
	},
	{
		fsm.Reclaiming, fsm.Reclaiming, line("answer brings", "a job, offers wait"),
		on(fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob, fsm.AnsweredJob,
			fsm.DrainRequested, fsm.ForceRequested, fsm.SessionRefused, fsm.UptimeExpired),
	},
	{
		fsm.Reclaiming, fsm.Stopped, line("told to leave,", "or time is up"),
		on(fsm.ReceivedResume, fsm.ReceivedDisconnect, fsm.AnsweredDisconnect, fsm.JobFinished, fsm.JobRejected,
			fsm.DrainRequested, fsm.ForceRequested, fsm.SessionRefused, fsm.UptimeExpired),
	},
}

// captionFor returns the caption that counts for the edge, or nil.
func captionFor(e *edge) *caption {
	at := slices.IndexFunc(captions, func(c caption) bool {
		return c.from == e.from && c.to == e.to && slices.Equal(c.events, e.events())
	})
	if at < 0 {
		return nil
	}
	return &captions[at]
}

// caption returns the edge's caption, or the names of its events.
func (e *edge) caption() []string {
	if c := captionFor(e); c != nil {
		return c.lines
	}
	var names []string
	for _, kind := range e.events() {
		names = append(names, kind.String())
	}
	return names
}
