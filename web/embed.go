// Package web holds the built web app, ready to be served.
//
// The files in dist are made from src by build.sh and committed, so that a Go
// toolchain alone builds the whole program.
package web

import (
	"embed"
	"io/fs"
)

//go:embed dist
var dist embed.FS

// Dist is the built app: index.html, app.js, app.css and icons at its root.
// index.html holds {{nonce}} where the server writes the nonce of one answer, and
// names its files under /assets/, which the server rewrites to hashed addresses.
var Dist = sub(dist, "dist")

func sub(f fs.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic("internal error: " + err.Error()) // only an invalid dir can fail, and dir is a constant
	}
	return s
}
