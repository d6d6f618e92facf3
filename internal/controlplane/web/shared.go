package web

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	// partsHeader marks a request of the script, which loads the parts of an open page again.
	partsHeader = "Switchyard-Parts"
	// sharedFor is for how long a page that was rendered for the script is used again.
	sharedFor = time.Second
	// maxShared bounds the pages that are kept, and maxSharedSize the size of one, in bytes.
	maxShared, maxSharedSize = 128, 512 << 10
	// maxRenders bounds the pages that are rendered for the script at the same time: open
	// pages wait for each other, and not the dispatch of jobs for them.
	maxRenders = 1
)

// shared are pages that were rendered for the script a moment ago, for all who have the
// same page open with the same token. Its methods may be called concurrently.
type shared struct {
	mu      sync.Mutex
	pages   map[string]*sharedPage
	renders chan struct{}
}

func newShared() *shared {
	return &shared{pages: map[string]*sharedPage{}, renders: make(chan struct{}, maxRenders)}
}

// sharedPage is one of them. Its lock is held while the page is rendered.
type sharedPage struct {
	mu   sync.Mutex
	at   time.Time // zero if there is no page
	body []byte
}

// serve responds to a request of the script with the page of a key, which render writes if
// there is none that is new enough.
func (s *shared) serve(w http.ResponseWriter, r *http.Request, key string, render func(http.ResponseWriter, *http.Request)) {
	body, other := s.page(key).render(r, s.renders, render)
	switch {
	case other != nil:
		other.to(w)
	case body != nil:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body) // the reader may have gone
	}
}

// render returns the page, or another response that is not kept; neither if the reader has
// gone. One caller at a time renders it.
func (p *sharedPage) render(r *http.Request, renders chan struct{}, render func(http.ResponseWriter, *http.Request)) ([]byte, *capture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < sharedFor {
		return p.body, nil
	}
	select {
	case renders <- struct{}{}:
		defer func() { <-renders }()
	case <-r.Context().Done():
		return nil, nil
	}
	rendered := &capture{header: http.Header{}, status: http.StatusOK}
	render(rendered, r.WithContext(context.WithoutCancel(r.Context()))) // others may wait for it, too
	if rendered.status != http.StatusOK || rendered.body.Len() > maxSharedSize {
		return nil, rendered
	}
	p.at, p.body = time.Now(), rendered.body.Bytes()
	return p.body, nil
}

// page returns the page of a key, a new one without content if there is none. It forgets
// those that are too old to be used.
func (s *shared) page(key string) *sharedPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := s.pages[key]; page != nil {
		return page
	}
	if len(s.pages) >= maxShared {
		clear(s.pages) // those that wait for one of them keep it
	}
	page := &sharedPage{}
	s.pages[key] = page
	return page
}

// capture is a response that is kept.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *capture) WriteHeader(status int) { c.status = status }

// Write implements io.Writer.
func (c *capture) Write(p []byte) (int, error) { return c.body.Write(p) } //nolint:wrapcheck // it never fails

// to writes the response to another writer.
func (c *capture) to(w http.ResponseWriter) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body.Bytes()) // the reader may have gone
}
