package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"go.uber.org/zap"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the templates, by name.
type pages map[string]*template.Template

// newPages parses the templates. They are embedded and parsed by every test, so an error
// is a fault of the program.
func newPages(a assets) pages {
	layout := template.Must(template.New("").Funcs(functions(a)).ParseFS(templateFiles, "templates/layout.html"))
	p := pages{}
	for _, name := range []string{"signin", "error", "overview", "jobs", "submit", "job", "workers", "worker", "queue", "audit"} {
		p[name] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return p
}

// render writes a page. One that cannot be rendered is an error page, never half a page.
func (p pages) render(w http.ResponseWriter, status int, name string, v view, logger *zap.Logger) {
	var page bytes.Buffer
	if err := p[name].ExecuteTemplate(&page, "layout", v); err != nil {
		logger.Error("failed to render a page", zap.String("page", name), zap.Error(err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the reader may have gone
}

// show writes the page of a request.
func (s *site) show(w http.ResponseWriter, name string, v view) {
	s.pages.render(w, http.StatusOK, name, v, s.Logger)
}
