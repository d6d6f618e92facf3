package agentstatus

import (
	"bytes"
	_ "embed"
	"net/http"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

//go:embed page.css
var pageStyle []byte

// shownChanges is how many changes of a worker the page shows.
const shownChanges = 8

// policy allows the page its own style and pictures, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// picturePolicy allows a picture the style that is in it.
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

// routes adds what the port serves beside the metrics. The page has no script: the browser
// loads it again every few seconds, and nothing is done while nobody looks.
func (p Page) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /status", statusHandler(p.Status))
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, "text/css; charset=utf-8", policy, pageStyle)
	})
	mux.HandleFunc("GET /machine/{name}", p.picture)
}

func (p Page) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	respond(w, "text/html; charset=utf-8", policy, htmlOf(p.Status(), time.Now()))
}

// picture responds with the machine in one state.
func (p Page) picture(w http.ResponseWriter, r *http.Request) {
	name, svg := strings.CutSuffix(r.PathValue("name"), ".svg")
	state, ok := fsm.ParseState(name)
	if !svg || !ok {
		http.NotFound(w, r)
		return
	}
	var drawn bytes.Buffer
	if err := p.Picture(&drawn, state); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "max-age=600")
	respond(w, "image/svg+xml", picturePolicy, drawn.Bytes())
}

func respond(w http.ResponseWriter, kind, policy string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(body)
}
