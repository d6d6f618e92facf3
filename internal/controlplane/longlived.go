package controlplane

import (
	"fmt"
	"net/http"
	"time"
)

// streamWriteTimeout is how long the receiver of a stream may leave a message
// unread before the stream is dropped. Nothing is buffered for it beyond the
// windows of TCP and HTTP/2.
const streamWriteTimeout = 20 * time.Second

// accelBuffering is a response header that nginx, and proxies that copied it, read
// and remove: with "no" they pass each message on at once. By default nginx
// buffers, and would hold the small messages of a stream until it ends.
const accelBuffering = "X-Accel-Buffering"

// longLived returns a handler without the server's time limit for a response; each
// write has a limit of streamWriteTimeout instead. The time limit for reading the
// request, one small message, stays.
func longLived(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bounded := &boundedWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: streamWriteTimeout}
		if err := bounded.clearDeadline(); err != nil {
			http.Error(w, "streams are not supported on this connection", http.StatusInternalServerError)
			return
		}
		w.Header().Set(accelBuffering, "no")
		next.ServeHTTP(bounded, r)
	})
}

// boundedWriter sets a deadline for the writes of a message, up to its flush, and none
// between messages. Like every http.ResponseWriter it is used by one goroutine.
type boundedWriter struct {
	http.ResponseWriter

	control *http.ResponseController
	timeout time.Duration
	bounded bool // a deadline is set
}

// Write implements io.Writer. It returns an error if the writes since the last flush
// take longer than the timeout.
func (w *boundedWriter) Write(p []byte) (int, error) {
	if err := w.setDeadline(); err != nil {
		return 0, err
	}
	n, err := w.ResponseWriter.Write(p)
	if err != nil {
		return n, fmt.Errorf("writing to a stream: %w", err)
	}
	return n, nil
}

// Flush implements http.Flusher, which handlers of streams need.
func (w *boundedWriter) Flush() {
	if w.setDeadline() != nil || w.control.Flush() != nil {
		return // the next write returns the error
	}
	_ = w.clearDeadline()
}

// Unwrap returns the server's writer, for http.ResponseController.
func (w *boundedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// setDeadline sets the deadline, if none is set: that costs the connection more than the
// write of a small message.
func (w *boundedWriter) setDeadline() error {
	if w.bounded {
		return nil
	}
	w.bounded = true
	if err := w.control.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return fmt.Errorf("setting the write deadline of a stream: %w", err)
	}
	return nil
}

func (w *boundedWriter) clearDeadline() error {
	w.bounded = false
	if err := w.control.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clearing the write deadline of a stream: %w", err)
	}
	return nil
}
