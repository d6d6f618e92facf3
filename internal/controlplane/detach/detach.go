// Package detach serves responses that go on after their handlers have returned.
//
// A stream of a worker lasts for hours and says little. As long as its handler waits, it
// keeps the stack on which the request was authenticated and decoded: 8 KiB, and twice
// that with what the garbage collector adds. Here the handlers run in a goroutine of their
// own, which ends when they have opened the stream. The goroutine of net/http only waits,
// on 4 KiB at most.
package detach

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
)

// Response is a response of Handler. Its methods as an http.ResponseWriter are for one
// goroutine at a time, as always; Left may be called concurrently.
type Response struct {
	server  http.ResponseWriter
	ctx     context.Context //nolint:containedctx // of the request, for as long as the response lasts
	lasting sync.WaitGroup  // until End
	broken  any             // what a handler panicked with

	begin func()      // goes on with the response; nil if its handlers end it
	stay  func() bool // stops the waiting for the client to go
	atEnd []func()    // are called at the end

	// unused is the header of what the handlers write after Continue; nil before, and once
	// they have returned.
	unused http.Header
}

// Handler returns a handler that calls next in a goroutine of its own with a *Response for
// the requests that match, and as it is for others. The response lasts until End is
// called, or until next returns without a call of Continue.
func Handler(next http.Handler, match func(*http.Request) bool) http.Handler {
	return &handler{next: next, match: match}
}

type handler struct {
	next  http.Handler
	match func(*http.Request) bool
}

// ServeHTTP implements http.Handler. It does little itself, so that its goroutine needs
// little stack.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.match(r) {
		h.next.ServeHTTP(w, r)
		return
	}
	d := &Response{server: w}
	d.lasting.Add(1)
	go d.serve(h.next, r)
	d.lasting.Wait()
	if d.broken != nil {
		panic(d.broken)
	}
}

// serve runs the handlers, and goes on with the response or ends it.
func (d *Response) serve(next http.Handler, r *http.Request) {
	d.ctx = r.Context()
	d.Do(func() {
		next.ServeHTTP(d, r)
		if d.begin == nil {
			d.End()
		} else {
			d.begin()
		}
	})
}

// Do calls f, which writes the response. If f panics, as writers may with
// http.ErrAbortHandler, the response ends, and the panic goes on in the goroutine of
// net/http, which knows what to do with it.
func (d *Response) Do(f func()) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if d.broken = p; p != http.ErrAbortHandler { //nolint:errorlint,err113 // net/http compares it like this
			d.broken = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
		d.End()
	}()
	f()
}

// Of returns the response that w writes, directly or with an Unwrap method as
// http.ResponseController uses it; nil if it is none of Handler.
func Of(w http.ResponseWriter) *Response {
	for {
		switch inner := w.(type) {
		case *Response:
			return inner
		case interface{ Unwrap() http.ResponseWriter }:
			w = inner.Unwrap()
		default:
			return nil
		}
	}
}

// Continue keeps the response open after its handlers have returned. Then begin is called,
// which must not block: from that on, others write the response with Do, and call End. What
// the handlers write after Continue, such as the end of the stream that connect writes, is
// dropped. When the client has gone, gone is called in a goroutine of its own, as early as
// begin is; the response must then end soon.
func (d *Response) Continue(begin, gone func()) {
	d.unused = http.Header{}
	d.begin = func() {
		d.unused = nil
		d.stay = context.AfterFunc(d.ctx, gone)
		begin()
	}
}

// AtEnd registers a function that is called when the response ends. Only handlers may call
// it.
func (d *Response) AtEnd(f func()) { d.atEnd = append(d.atEnd, f) }

// End ends the response: nothing may write it any more. It is called once, after the begin
// of Continue was called.
func (d *Response) End() {
	if d.stay != nil {
		d.stay()
	}
	for _, f := range d.atEnd {
		f()
	}
	d.lasting.Done()
}

// Left reports whether the client has gone, or the server has closed the connection.
func (d *Response) Left() bool { return d.ctx.Err() != nil }

// Header implements http.ResponseWriter.
func (d *Response) Header() http.Header {
	if d.unused != nil {
		return d.unused
	}
	return d.server.Header()
}

// WriteHeader implements http.ResponseWriter.
func (d *Response) WriteHeader(status int) {
	if d.unused == nil {
		d.server.WriteHeader(status)
	}
}

// Write implements io.Writer.
func (d *Response) Write(p []byte) (int, error) {
	if d.unused != nil {
		return len(p), nil
	}
	return d.server.Write(p) //nolint:wrapcheck // a writer's own error
}

// FlushError is what http.ResponseController flushes with.
func (d *Response) FlushError() error {
	if d.unused != nil {
		return nil
	}
	return http.NewResponseController(d.server).Flush() //nolint:wrapcheck // the server's own error
}

// Flush implements http.Flusher.
func (d *Response) Flush() { _ = d.FlushError() } // the next write returns the error

// Unwrap returns the server's writer, for the deadlines of http.ResponseController.
func (d *Response) Unwrap() http.ResponseWriter { return d.server }
