package web

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web/session"
)

// livePath is the stream that says when to load the parts of a page again.
const livePath = "/live"

const (
	// lookEvery is how often the hub looks for a change while a page is open.
	lookEvery = 300 * time.Millisecond
	// pagePause is the time between two notifications of all pages, for each page that is open:
	// with many pages, each is notified less often.
	pagePause = 5 * time.Millisecond
	// refreshEvery is how often pages load their parts again without a change: what shows
	// in no record, such as the state of a worker's machine.
	refreshEvery = 5 * time.Second
	// checkEvery is how often a stream checks that its session goes on.
	checkEvery = 15 * time.Second
	// reconnectAfter is how long a browser waits until it opens a stream again that ended.
	reconnectAfter = time.Second

	// maxStreams bounds the streams that are open, maxTokenStreams those of the sessions of one
	// token, which may be any number, and maxSessionStreams those of one session.
	maxStreams, maxTokenStreams, maxSessionStreams = 1000, 500, 32
)

// hub notifies all open pages when something has changed. One goroutine looks for all of them,
// and none while no page is open.
type hub struct {
	position func() uint64

	mu    sync.Mutex
	pages map[chan struct{}]struct{}
	stop  chan struct{} // closed when the last page leaves
}

func newHub(position func() uint64) *hub {
	return &hub{position: position, pages: map[chan struct{}]struct{}{}}
}

// join returns a channel that receives when something has changed, until leave is called.
func (h *hub) join() (changed <-chan struct{}, leave func()) {
	page := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pages[page] = struct{}{}; len(h.pages) == 1 {
		h.stop = make(chan struct{})
		go h.look(h.stop)
	}
	return page, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.pages, page)
		if len(h.pages) == 0 {
			close(h.stop)
		}
	}
}

func (h *hub) look(stop <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	last, told := h.position(), time.Now()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			position := h.position()
			h.mu.Lock()
			since := now.Sub(told)
			if since < refreshEvery && (position == last || since < pagePause*time.Duration(len(h.pages))) {
				h.mu.Unlock()
				continue
			}
			last, told = position, now
			for page := range h.pages {
				select {
				case page <- struct{}{}:
				default: // it has not loaded its parts since the last change
				}
			}
			h.mu.Unlock()
		}
	}
}

// streams counts the open streams. Its methods may be called concurrently.
type streams struct {
	mu    sync.Mutex
	total int
	by    map[string]int // by the ID of a token, and by the cookie of a session
}

// enter counts a stream of the caller and the session of a request, until leave is called. It
// returns an error if there are too many.
func (s *streams) enter(r *http.Request) (leave func(), err error) {
	holder, name := "token "+access.Caller(r.Context()).TokenID, "session "
	if cookie, err := r.Cookie(session.CookieName); err == nil {
		name += cookie.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[string]int{}
	}
	if s.total >= maxStreams || s.by[holder] >= maxTokenStreams || s.by[name] >= maxSessionStreams {
		return nil, &problem{http.StatusServiceUnavailable, "Too many pages are open."}
	}
	s.count(1, holder, name)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.count(-1, holder, name)
	}, nil
}

// count adds n streams. The caller holds the lock.
func (s *streams) count(n int, names ...string) {
	s.total += n
	for _, name := range names {
		if s.by[name] += n; s.by[name] == 0 {
			delete(s.by, name)
		}
	}
}

// eventStream writes server-sent events. It is for one goroutine.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func newEventStream(w http.ResponseWriter) *eventStream {
	w.Header().Set("Content-Type", "text/event-stream")
	e := &eventStream{w, http.NewResponseController(w)}
	_, _ = fmt.Fprintf(w, "retry: %d\n\n", reconnectAfter.Milliseconds())
	_ = e.control.Flush() // an error shows with the next event
	return e
}

// send sends an event. Data has no line breaks. It returns errGone if the reader has gone.
func (e *eventStream) send(id, name, data string) error {
	text := "event: " + name + "\ndata: " + data + "\n\n"
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return errGone
	}
	if e.control.Flush() != nil {
		return errGone
	}
	return nil
}

// live notifies a page when to load its parts again.
func (s *site) live(w http.ResponseWriter, r *http.Request) error {
	leave, err := s.streams.enter(r)
	if err != nil {
		return err
	}
	defer leave()
	changed, leaveHub := s.hub.join()
	defer leaveHub()
	events, check := newEventStream(w), time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		select {
		case <-changed:
			if err := events.send("", "change", "."); err != nil {
				return err
			}
		case <-check.C:
			if err := s.still(r, events); err != nil {
				return err
			}
		case <-r.Context().Done():
			return errGone
		}
	}
}

// still ends a stream whose session has ended, and else sends that it goes on.
func (s *site) still(r *http.Request, events *eventStream) error {
	if _, err := s.caller(r); err != nil {
		_ = events.send("", "signout", ".")
		return errGone
	}
	return events.send("", "still", ".")
}
