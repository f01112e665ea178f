package demo

import (
	"net/http"
	"os"
	"path/filepath"
)

// webDirs are the places where a build of the page may lie, seen from the folders in which the program is usually run.
var webDirs = []string{"examples/murph/web/dist", "murph/web/dist", "web/dist"}

// findPage returns the folder with the built page, dir or else the first that has one, or "".
func findPage(dir string) string {
	dirs := webDirs
	if dir != "" {
		dirs = []string{dir}
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, "index.html")); err == nil {
			return d
		}
	}
	return ""
}

// page serves the built page, or says how to build it. The page loads nothing from anywhere else.
func page(dir string) http.Handler {
	if dir = findPage(dir); dir == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("The page is not built yet. It needs Node and npm; run\n\n" +
				"    make web\n\nin the folder of the repository, then start this program again.\n" +
				"The HTTP interface under /api works without it.\n"))
		})
	}
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.URL.Path == "/" {
			w.Header().Set("Cache-Control", "no-cache")
		}
		files.ServeHTTP(w, r)
	})
}
