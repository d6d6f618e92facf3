package agentstatus

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

const pageHead = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<link rel="stylesheet" href="page.css">
`

// htmlWriter writes a page. It escapes every text: names, jobs and causes come from
// outside. Package html/template would do that, too, and add a fifth to the size of the
// agent's program.
type htmlWriter struct{ bytes.Buffer }

// addf writes a format, and escapes its texts.
func (w *htmlWriter) addf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = html.EscapeString(text)
		}
	}
	fmt.Fprintf(w, format, args...)
}

// htmlOf returns the page about an agent.
func htmlOf(s agent.Status, now time.Time) []byte {
	var w htmlWriter
	w.addf(pageHead)
	w.addf("<title>%s: agent of Switchyard</title>\n<header>\n<h1>Agent on %s</h1>\n", s.Hostname, s.Hostname)
	w.addf("<p>queue %s · version %s · process %d · up for %v", s.Queue, s.Version, s.PID, Age(now, s.Started))
	if s.Draining {
		w.addf(" · <strong>draining</strong>")
	}
	w.addf("</p>\n<p>workers: %d · undelivered results: %d · spool: %d bytes · %s</p>\n",
		len(s.Workers), len(s.Undelivered), s.SpoolBytes, now.UTC().Format("2006-01-02 15:04:05 MST"))
	for _, id := range s.Undelivered {
		w.addf("<p class=\"bad\">undelivered result of job %s</p>\n", id)
	}
	w.addf("</header>\n")
	for _, worker := range s.Workers {
		w.worker(worker, now)
	}
	if len(s.Workers) == 0 {
		w.addf("<p>No worker is registered.</p>\n")
	}
	return w.Bytes()
}

func (w *htmlWriter) worker(s agent.WorkerStatus, now time.Time) {
	w.addf("<section>\n<h2>%s</h2>\n<p><strong>%s</strong> for %v · stream %s", s.Name, s.StateName, Age(now, s.Since), s.Stream)
	if s.Paused {
		w.addf(" · <strong>paused</strong>")
	}
	if s.JobID != "" {
		w.addf(" · job %s", s.JobID)
	}
	w.addf("</p>\n")
	if s.FailedPings > 0 {
		w.addf("<p class=\"bad\">failed pings: %d, the last one: %s</p>\n", s.FailedPings, s.PingFailure)
	}
	w.addf("<img src=\"machine/%s.svg\" alt=\"the machine of the worker, in %s\">\n", s.StateName, s.StateName)
	w.addf("<table>\n<tr><th>time<th>from<th>to<th>event\n")
	for _, c := range slices.Backward(s.Changes[max(0, len(s.Changes)-shownChanges):]) {
		w.addf("<tr><td>%s<td>%s<td>%s<td>%s", c.At.UTC().Format("15:04:05.000"), c.From, c.To, c.Event)
		if c.Cause != "" {
			w.addf(": %s", c.Cause)
		}
		w.addf("\n")
	}
	w.addf("</table>\n</section>\n")
}

// Age returns the time since a moment in whole seconds.
func Age(now, at time.Time) time.Duration { return max(0, now.Sub(at)).Truncate(time.Second) }
