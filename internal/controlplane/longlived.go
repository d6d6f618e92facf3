package controlplane

import (
	"fmt"
	"net/http"
	"time"
)

// streamWriteTimeout is how long the reader of a stream may leave a message
// unread before its stream is dropped. Nothing is buffered for it beyond what
// the transport's windows hold.
const streamWriteTimeout = 20 * time.Second

// accelBuffering tells nginx, and the proxies that took the header over from it,
// not to collect an answer before they pass it on. As it comes, nginx asks us in
// HTTP/1.0, and would keep the small messages of a stream until it ends. It acts on
// the header and keeps it to itself.
const accelBuffering = "X-Accel-Buffering"

// longLived lifts the server's time for a whole answer for a handler of streams,
// and bounds each write instead. The time to read the request stays: it is one
// small message, and once it has been read it binds nothing.
func longLived(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bounded := &boundedWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: streamWriteTimeout}
		if err := bounded.disarm(); err != nil {
			http.Error(w, "streams are not supported on this connection", http.StatusInternalServerError)
			return
		}
		w.Header().Set(accelBuffering, "no")
		next.ServeHTTP(bounded, r)
	})
}

// A boundedWriter has a deadline while it writes and none while it waits. Like
// every http.ResponseWriter it belongs to one goroutine.
type boundedWriter struct {
	http.ResponseWriter

	control *http.ResponseController
	timeout time.Duration
}

// Write implements io.Writer.
func (w *boundedWriter) Write(p []byte) (int, error) {
	if err := w.arm(); err != nil {
		return 0, err
	}
	n, err := w.ResponseWriter.Write(p)
	if err != nil {
		return n, fmt.Errorf("writing to a stream: %w", err)
	}
	return n, w.disarm()
}

// Flush implements http.Flusher, which the handlers of streams ask for.
func (w *boundedWriter) Flush() {
	if w.arm() != nil || w.control.Flush() != nil {
		return // the next write fails too, and reports it
	}
	_ = w.disarm()
}

// Unwrap lets http.ResponseController find the server's own writer.
func (w *boundedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *boundedWriter) arm() error {
	if err := w.control.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return fmt.Errorf("bounding a write to a stream: %w", err)
	}
	return nil
}

func (w *boundedWriter) disarm() error {
	if err := w.control.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("unbounding a stream: %w", err)
	}
	return nil
}
