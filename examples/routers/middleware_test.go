//lint:file-ignore SA1019 hosts still use the Timeout middleware of echo

package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func behindChi(use ...func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(socket http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(use...)
		r.Mount("/app", socket)
		return r
	}
}

func behindEcho(use ...echo.MiddlewareFunc) func(http.Handler) http.Handler {
	return func(socket http.Handler) http.Handler {
		e := echo.New()
		e.Logger.SetOutput(&lockedBuffer{})
		e.Use(use...)
		e.Any("/app/*", echo.WrapHandler(socket))
		return e
	}
}

func behindGin(use ...gin.HandlerFunc) func(http.Handler) http.Handler {
	return func(socket http.Handler) http.Handler {
		r := gin.New()
		r.Use(use...)
		r.Any("/app/*any", gin.WrapH(socket))
		return r
	}
}

// TestSocketBehindMiddleware connects through middleware that replaces the
// ResponseWriter. Where that cannot work, the answer comes at once and the log
// says why.
func TestSocketBehindMiddleware(t *testing.T) {
	t.Parallel()
	chiLog := chimiddleware.RequestLogger(&chimiddleware.DefaultLogFormatter{Logger: slog.NewLogLogger(slog.DiscardHandler, 0)})
	for name, c := range map[string]struct {
		mount   func(http.Handler) http.Handler
		refused string // the ResponseWriter in the way
	}{
		"chi: logger, compress, timeout": {mount: behindChi(chiLog, chimiddleware.Compress(5), chimiddleware.Timeout(time.Minute))},
		"chi: throttle, recoverer":       {mount: behindChi(chimiddleware.Throttle(10), chimiddleware.Recoverer)},
		"gin: logger, recovery":          {mount: behindGin(gin.LoggerWithWriter(&lockedBuffer{}), gin.Recovery())},
		"gin: behind an Unwrap method": {mount: func(socket http.Handler) http.Handler {
			return countBytes(behindGin(gin.Recovery())(socket))
		}},
		"echo: gzip":               {mount: behindEcho(echomiddleware.Gzip())},
		"echo: gzip of large ones": {mount: behindEcho(echomiddleware.GzipWithConfig(echomiddleware.GzipConfig{MinLength: 1 << 20}))},
		"echo: body dump": {mount: behindEcho(echomiddleware.BodyDump(func(echo.Context, []byte, []byte) {}),
			echomiddleware.RequestID(), echomiddleware.Recover())},
		"echo: context timeout": {mount: behindEcho(echomiddleware.ContextTimeout(time.Minute))},
		"echo: timeout": {mount: behindEcho(echomiddleware.TimeoutWithConfig(echomiddleware.TimeoutConfig{Timeout: time.Minute})),
			refused: "*http.timeoutWriter"},
		"net/http: timeout": {mount: func(socket http.Handler) http.Handler {
			return http.TimeoutHandler(socket, time.Minute, "")
		}, refused: "*http.timeoutWriter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			socket, err := ws.New(ws.Config{AppID: "1", Key: key, Secret: "s", Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			server := httptest.NewServer(c.mount(socket))
			t.Cleanup(server.Close)
			t.Cleanup(func() { _ = socket.Shutdown(t.Context()) }) // the context has ended by then: cut, do not wait

			address := "ws" + strings.TrimPrefix(server.URL, "http") + "/app/" + key + "?protocol=7"
			header := http.Header{"Accept-Encoding": {"gzip"}} // as browsers send it
			client, err := realtimetest.Dial(t.Context(), address, &realtimetest.DialOptions{Header: header})
			if c.refused != "" {
				require.ErrorContains(t, err, "501")
				require.Contains(t, log.String(), "response_writer="+c.refused)
				return
			}
			require.NoError(t, err)
			t.Cleanup(client.Cut)
			require.NoError(t, client.Sync(t.Context()))
			require.NotContains(t, log.String(), "response_writer")
		})
	}
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
