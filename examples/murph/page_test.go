package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/examples/internal/testenv"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// host runs the application where it can be stopped and started again, on the same address and database, by whoever
// asks for POST /stop and /start.
type host struct {
	cfg  demo.Config
	addr string

	mu     sync.Mutex // guards what follows
	app    *demo.App  // nil while it is stopped
	server *http.Server
}

func newHost(t *testing.T, db string) *host {
	t.Helper()
	h := &host{cfg: demo.Config{DB: db, Web: filepath.Join(webDir, "dist")}, addr: "127.0.0.1:0"}
	require.NoError(t, h.start(t.Context()))
	t.Cleanup(func() { require.NoError(t, h.stop()) })
	return h
}

// quick is the transport of the program, but that asks a silent connection after two seconds already.
func quick() (demo.Transport, error) {
	const key = "murph-demo"
	server, err := ws.New(ws.Config{
		AppID: "demo", Key: key, Secret: rand.Text(), ClientEvents: []string{"client-typing"},
		ActivityTimeout: 2 * time.Second,
	})
	return demo.Transport{
		Broadcaster: server, Signer: server, Socket: server, Shutdown: server.Shutdown,
		Shown: httpadapter.Transport{Driver: httpadapter.DriverWebSocket, Key: key, Presence: true},
	}, err
}

func (h *host) start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	transport, err := quick()
	if err != nil {
		return err
	}
	app, err := demo.New(ctx, h.cfg, transport)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", h.addr)
	if err != nil {
		return errors.Join(err, app.Close())
	}
	h.addr = listener.Addr().String()
	server := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
	h.app, h.server = app, server
	go func() { _ = server.Serve(listener) }() // until stop closes it
	return nil
}

// stop ends the application as the end of its process does: requests under way get no answer.
func (h *host) stop() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.app == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), demo.DrainTime)
	defer cancel()
	err := errors.Join(h.server.Close(), h.app.Shutdown(ctx), h.app.Close())
	h.app = nil
	return err
}

// ServeHTTP is the remote control.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch r.URL.Path {
	case "/stop":
		err = h.stop()
	case "/start":
		err = h.start(context.WithoutCancel(r.Context()))
	default:
		err = fmt.Errorf("no such command: %s", r.URL.Path)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// The drivers of the two databases.
const (
	onSQLite   = "sqlite"
	onPostgres = "pgx"
)

// runPage runs a script against the page on SQLite and on Postgres. before may fill the database; env is for the script,
// by driver.
func runPage(
	t *testing.T, script string, before func(t *testing.T, driver string, db *sql.DB), env map[string]string,
) {
	t.Helper()
	testenv.Node(t, webDir)
	browser := testenv.Browser(t, webDir)
	shots, err := filepath.Abs(filepath.Join("..", "..", "test-output", "page"))
	require.NoError(t, err)
	run := func(t *testing.T, driver, source string) {
		h := newHost(t, source)
		if before != nil {
			before(t, driver, openSQL(t, driver, source))
		}
		control := httptest.NewServer(h)
		t.Cleanup(control.Close)
		testenv.RunNode(t, webDir, script, "http://"+h.addr, "CHROMIUM="+browser, "MURPH_CONTROL="+control.URL,
			"MURPH_SCREENSHOTS="+shots, env[driver])
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, onSQLite, sqliteFile(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, onPostgres, pgtest.Database(t))
	})
}

func TestPageChat(t *testing.T) {
	t.Parallel()
	runPage(t, "chat.mjs", nil, nil)
}

func TestPageOutage(t *testing.T) {
	t.Parallel()
	runPage(t, "outage.mjs", nil, map[string]string{onSQLite: "MURPH_OUTAGE_MS=20000", onPostgres: "MURPH_OUTAGE_MS=5000"})
}

func TestPageAccess(t *testing.T) {
	t.Parallel()
	// How the page looks does not depend on the database.
	runPage(t, "access.mjs", nil, map[string]string{onSQLite: "MURPH_LOOKS=light", onPostgres: "MURPH_LOOKS=dark"})
}

// manyMessages is how long the history is that must not make the page slow.
const manyMessages = 10_000

func TestPageHistory(t *testing.T) {
	t.Parallel()
	messages := fmt.Sprint("MURPH_MESSAGES=", manyMessages)
	runPage(t, "history.mjs", fillHistory, map[string]string{onSQLite: messages, onPostgres: messages})
}

// fillHistory writes a long history into the demo consultation, as its two people would have in many hours.
func fillHistory(t *testing.T, driver string, db *sql.DB) {
	t.Helper()
	now := map[string]string{
		onSQLite:   "CAST(strftime('%s', 'now') AS INTEGER) * 1000000",
		onPostgres: "clock_timestamp()",
	}[driver]
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }() // after the commit there is nothing to roll back
	var rev int
	require.NoError(t, tx.QueryRowContext(t.Context(), `SELECT rev FROM murph_consultations WHERE id = 'demo'`).Scan(&rev))
	_, err = tx.ExecContext(t.Context(), fmt.Sprintf(`
		WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
		INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, content, created_at)
		SELECT 'old-' || n, 'demo', %d + n, %d + n, CASE WHEN n %% 3 = 0 THEN 'patient-1' ELSE 'student-1' END,
			'Nachricht ' || n || CASE WHEN n %% 7 = 0 THEN replace(' ____________', '_', 'die lang ist ') ELSE '' END, %s
		FROM numbers`, manyMessages, rev, rev, now))
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), fmt.Sprintf(
		`UPDATE murph_consultations SET rev = %d WHERE id = 'demo'`, rev+manyMessages))
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

func TestReassign(t *testing.T) {
	t.Parallel()
	url := start(t, sqliteFile(t))
	patient, former, next := as(t, url, "patient-1"), as(t, url, "student-1"), as(t, url, "student-2")
	assign := func(body any) int { return patient.do("POST", "/demo/reassign", body, nil) }
	require.Equal(t, http.StatusNoContent, assign(map[string]string{"studentId": "student-2"}))
	require.Equal(t, http.StatusNotFound, former.do("GET", "/api/beratungen/demo", nil, nil))
	require.Equal(t, http.StatusOK, next.do("GET", "/api/beratungen/demo", nil, nil))
	require.Equal(t, http.StatusNotFound, assign(map[string]string{"studentId": "patient-1"}))
	require.Equal(t, http.StatusBadRequest, assign(7))
	completed := map[string]string{"status": "COMPLETED"}
	require.Equal(t, http.StatusOK, next.do("PATCH", "/api/beratungen/demo", completed, nil))
	require.Equal(t, http.StatusConflict, assign(map[string]string{"studentId": "student-1"}))
}
