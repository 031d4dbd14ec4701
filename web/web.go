// Package web carries the built pages (web/dist) inside the binary.
//
// It refuses to build them: `npm --prefix web run build` does, and without it Dist holds only a placeholder, so that
// the Go code builds and is tested with Go alone.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the content of web/dist: manifest.json and the files that it names, or only a placeholder.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded above
	}
	return sub
}
