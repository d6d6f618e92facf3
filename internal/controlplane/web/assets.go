package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed static/*
var staticFiles embed.FS

// assets are the static files. The name of each contains its hash, so browsers keep it.
type assets struct {
	paths map[string]string // by name
	files map[string][]byte // by the name with its hash
}

func newAssets() assets {
	a := assets{paths: map[string]string{}, files: map[string][]byte{}}
	for _, name := range []string{"style.css", "terminal.css", "app.js", "icon.svg"} {
		content, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			panic(err) // a fault of the program: the files are embedded
		}
		if name == "terminal.css" {
			content = append(content, palette()...)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		hashed := name[:len(name)-len(ext)] + "-" + hex.EncodeToString(sum[:6]) + ext
		a.paths[name], a.files[hashed] = "/static/"+hashed, content
	}
	return a
}

// path returns the path of a file.
func (a assets) path(name string) string { return a.paths[name] }

// serve responds with a file. It needs no session: the page to sign in has a style, too.
func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	content, ok := a.files[r.PathValue("name")]
	secure(w.Header())
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, r.PathValue("name"), time.Time{}, bytes.NewReader(content))
}

// palette returns the style of the 256 colors of terminals: the cube of 216 and the grays.
// The first 16 are in terminal.css.
func palette() []byte {
	var css bytes.Buffer
	rule := func(n, red, green, blue int) {
		fmt.Fprintf(&css, ".term-fgx%d{color:#%02x%02x%02x}.term-bgx%d{background:#%02x%02x%02x}\n", n, red, green, blue, n, red, green, blue)
	}
	const (
		base, step       = 55, 40 // of the cube
		side             = 6
		cube, grays      = 16, 232
		darkest, lighter = 8, 10
	)
	level := func(n int) int {
		if n == 0 {
			return 0
		}
		return base + step*n
	}
	for n := range 216 {
		rule(cube+n, level(n/side/side), level(n/side%side), level(n%side))
	}
	for n := range 24 {
		rule(grays+n, darkest+lighter*n, darkest+lighter*n, darkest+lighter*n)
	}
	return css.Bytes()
}
