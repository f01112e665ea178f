package main

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"

	"github.com/murph-chat/murph/httpadapter"
)

// routers are the ways to mount a handler whose BasePath is base. All of them pass on the whole path, which is what the
// handler reads: no prefix is stripped anywhere.
var routers = map[string]func(*httpadapter.Handler) http.Handler{
	"stdlib": stdlib,
	"chi":    withChi,
	"gin":    withGin,
	"echo":   withEcho,
	"unwrap": func(api *httpadapter.Handler) http.Handler { return countBytes(stdlib(api)) },
}

// stdlib registers each route by itself, so that the host's mux answers what is not the chat's.
func stdlib(api *httpadapter.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", home)
	api.Register(mux)
	return mux
}

func withChi(api *httpadapter.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, middleware.Recoverer)
	r.Get("/", home)
	r.Mount(base, api)
	return r
}

func withGin(api *httpadapter.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())
	r.GET("/", gin.WrapF(home))
	r.Any(base+"/*any", gin.WrapH(api))
	return r
}

func withEcho(api *httpadapter.Handler) http.Handler {
	e := echo.New()
	e.GET("/", echo.WrapHandler(http.HandlerFunc(home)))
	e.Any(base+"/*", echo.WrapHandler(api))
	return e
}

// home is the host's own page.
func home(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("the host's own page\n"))
}

// countBytes is middleware as many hosts have it: its ResponseWriter hides what the server's own can do, but for Unwrap
// (see [http.ResponseController]), and that is enough for a WebSocket.
func countBytes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&countingWriter{w: w}, r)
	})
}

type countingWriter struct {
	w http.ResponseWriter
	n int
}

func (c *countingWriter) Header() http.Header         { return c.w.Header() }
func (c *countingWriter) WriteHeader(status int)      { c.w.WriteHeader(status) }
func (c *countingWriter) Unwrap() http.ResponseWriter { return c.w }

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}
