package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/web/logview"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// flushEvery is how long lines of a log are collected before they are sent.
	flushEvery = 100 * time.Millisecond
	// flushLines is how many lines are collected at most, and flushSize of how many bytes of
	// the log.
	flushLines, flushSize = 500, 1 << 20
)

// logLive sends the lines of a job's log as they come, from a line on, and says when the
// job has changed. After an interruption the browser names the line that it has not seen.
func (s *site) logLive(w http.ResponseWriter, r *http.Request) error {
	leave, err := s.streams.enter(r)
	if err != nil {
		return err
	}
	defer leave()
	id := r.PathValue("id")
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if last, lastErr := strconv.Atoi(r.Header.Get("Last-Event-ID")); lastErr == nil {
		from, err = last, nil
	}
	if err != nil || from < 1 {
		return &problem{http.StatusBadRequest, "The line must be 1 or more."}
	}
	index, err := s.index(r.Context(), id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	f := &logFollower{
		site: s, events: newEventStream(w), from: from, lines: index.Lines(from),
		rest: true, came: make(chan *switchyardv1.FollowJobResponse),
	}
	done, reach := make(chan struct{}), f.lines.Reach()
	go func() {
		defer close(done)
		f.read(ctx, id, reach)
	}()
	defer func() { cancel(); <-done }()
	return f.run(r)
}

// logFollower sends what comes of one job to one page.
type logFollower struct {
	site   *site
	events *eventStream
	from   int // the first line that the page has not
	lines  *logview.Lines
	came   chan *switchyardv1.FollowJobResponse

	shown   []logview.Shown // not sent yet
	size    int             // of the log, in bytes, that shown has
	rest    bool            // the line without an end has changed
	changed bool            // the job has
}

// read receives what comes, the log from an offset on, and closes the channel when there is
// nothing more.
func (f *logFollower) read(ctx context.Context, id string, from uint64) {
	defer close(f.came)
	for event, err := range f.site.Calls.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: id, LogOffset: from}) {
		if err != nil {
			return // the browser comes back
		}
		select {
		case f.came <- event:
		case <-ctx.Done():
			return
		}
	}
	select { // the end is something that comes, too
	case f.came <- nil:
	case <-ctx.Done():
	}
}

func (f *logFollower) run(r *http.Request) error {
	flush, check := time.NewTicker(flushEvery), time.NewTicker(checkEvery)
	defer flush.Stop()
	defer check.Stop()
	for {
		select {
		case event, ok := <-f.came:
			if !ok {
				return errGone
			}
			if ended, err := f.take(event); ended || err != nil {
				return err
			}
		case <-flush.C:
			if err := f.flush(); err != nil {
				return err
			}
		case <-check.C:
			if err := f.site.still(r, f.events); err != nil {
				return err
			}
		case <-r.Context().Done():
			return errGone
		}
	}
}

// take takes what has come, nil at the end, and reports whether it is the end.
func (f *logFollower) take(event *switchyardv1.FollowJobResponse) (ended bool, err error) {
	if event == nil {
		if err := f.flush(); err != nil {
			return true, err
		}
		return true, f.events.send("", "end", ".")
	}
	chunk := event.GetLog()
	if chunk == nil {
		f.changed = true
		return false, nil
	}
	f.rest = true
	f.lines.Add(chunk.GetOffset(), chunk.GetData(), func(line logview.Line) bool {
		if line.Number >= f.from {
			f.shown = append(f.shown, logview.Show(line))
			f.size += len(line.Text)
			f.from = line.Number + 1
		}
		return true
	})
	if len(f.shown) >= flushLines || f.size >= flushSize {
		return false, f.flush()
	}
	return false, nil
}

// flush sends what was collected.
func (f *logFollower) flush() error {
	if f.changed {
		f.changed = false
		if err := f.events.send("", "change", "."); err != nil {
			return err
		}
	}
	shown := f.shown
	if rest, ok := f.lines.Rest(); ok && f.rest && rest.Number >= f.from {
		shown = append(shown, logview.Show(rest))
	}
	f.shown, f.size, f.rest = f.shown[:0], 0, false
	for len(shown) > 0 {
		part := shown[:min(len(shown), flushLines)]
		shown = shown[len(part):]
		data, err := json.Marshal(part)
		if err != nil {
			return err //nolint:wrapcheck // numbers and texts always have a form
		}
		next := min(f.from, part[len(part)-1].Number+1)
		if err := f.events.send(strconv.Itoa(next), "lines", string(data)); err != nil {
			return err
		}
	}
	return nil
}
