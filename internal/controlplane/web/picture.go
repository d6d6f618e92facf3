package web

import (
	"bytes"
	"net/http"
	"strings"
)

// picturePolicy allows a picture the style that is in it.
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

// picture responds with a machine in one state.
func (s *site) picture(w http.ResponseWriter, r *http.Request) error {
	draw := map[string]Draw{"worker": s.WorkerPicture, "job": s.JobPicture}[r.PathValue("kind")]
	state, ok := strings.CutSuffix(r.PathValue("name"), ".svg")
	var drawn bytes.Buffer
	if !ok || draw == nil || draw(&drawn, state) != nil {
		return &problem{http.StatusNotFound, "There is no such picture."}
	}
	header := w.Header()
	header.Set("Content-Type", "image/svg+xml")
	header.Set("Content-Security-Policy", picturePolicy)
	header.Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(drawn.Bytes()) // the reader may have gone
	return nil
}
