package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/examples/internal/testenv"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

const webDir = "web"

// start serves the application on a database of its own and returns its address.
func start(t *testing.T, db string) string {
	t.Helper()
	a, err := newApp(t.Context(), demo.Config{DB: db, Web: filepath.Join(webDir, "dist")}, "websocket")
	require.NoError(t, err)
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), demo.DrainTime) // t.Context() is over
		defer cancel()
		require.NoError(t, a.Shutdown(ctx))
		server.Close()
		require.NoError(t, a.Close())
	})
	return server.URL
}

func sqliteFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "murph.db")
}

// onEachDatabase runs the test on SQLite and on Postgres; open gives plain SQL access beside the application.
func onEachDatabase(t *testing.T, test func(t *testing.T, url string, open func() *sql.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		file := sqliteFile(t)
		test(t, start(t, file), func() *sql.DB { return openSQL(t, "sqlite", file) })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Database(t)
		test(t, start(t, dsn), func() *sql.DB { return openSQL(t, "pgx", dsn) })
	})
}

func openSQL(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// person is a logged-in user of the HTTP interface.
type person struct {
	t      *testing.T
	url    string
	client *http.Client
}

func as(t *testing.T, url, user string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := &person{t: t, url: url, client: &http.Client{Jar: jar}}
	require.Equal(t, http.StatusOK, p.do("POST", "/demo/login", map[string]string{"userId": user}, nil))
	return p
}

// do makes a request with a JSON body and decodes the answer into out, if there is one.
func (p *person) do(method, path string, body, out any) int {
	p.t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(p.t, err)
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, bytes.NewReader(encoded))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	require.NoError(p.t, err)
	defer func() { require.NoError(p.t, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	if out != nil {
		require.NoError(p.t, json.Unmarshal(answer, out), "answer: %s", answer)
	}
	return resp.StatusCode
}

func TestMessagesAreInTheDatabase(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, url string, open func() *sql.DB) {
		patient, student := as(t, url, "patient-1"), as(t, url, "student-1")
		texts := []string{"Guten Tag, mein Rücken schmerzt.", "Seit wann? 🙂", "O'Brien; DROP TABLE \"x\" -- \\"}
		for i, text := range texts {
			from := patient
			if i == 1 {
				from = student
			}
			var sent chat.Message
			status := from.do("POST", "/api/nachrichten", map[string]string{"consultationId": "demo", "content": text}, &sent)
			require.Equal(t, http.StatusCreated, status)
			require.Equal(t, text, sent.Content)
		}

		rows, err := open().QueryContext(t.Context(),
			`SELECT sender_id, content FROM murph_messages WHERE consultation_id = 'demo' ORDER BY seq`)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		var found [][2]string
		for rows.Next() {
			var row [2]string
			require.NoError(t, rows.Scan(&row[0], &row[1]))
			found = append(found, row)
		}
		require.NoError(t, rows.Err())
		require.Equal(t, [][2]string{{"patient-1", texts[0]}, {"student-1", texts[1]}, {"patient-1", texts[2]}}, found)
	})
}

func TestDemoSurvivesARestart(t *testing.T) {
	t.Parallel()
	file := sqliteFile(t)
	for i := range 2 {
		t.Run("", func(t *testing.T) {
			patient := as(t, start(t, file), "patient-1")
			var page struct{ Messages []chat.Message }
			require.Equal(t, http.StatusOK, patient.do("GET", "/api/beratungen/demo", nil, &page))
			require.Len(t, page.Messages, i)
			status := patient.do("POST", "/api/nachrichten", map[string]string{"consultationId": "demo", "content": "x"}, nil)
			require.Equal(t, http.StatusCreated, status)
		})
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	url := start(t, sqliteFile(t))
	patient := as(t, url, "patient-1")
	require.Equal(t, http.StatusNotFound, patient.do("POST", "/demo/login", map[string]string{"userId": "nobody"}, nil))
	require.Equal(t, http.StatusBadRequest, patient.do("POST", "/demo/login", 7, nil))

	stranger := &person{t: t, url: url, client: http.DefaultClient}
	require.Equal(t, http.StatusUnauthorized, stranger.do("GET", "/api/beratungen", nil, nil))

	// Two windows of one browser: the header says which of the two sessions is meant.
	require.Equal(t, http.StatusOK, patient.do("POST", "/demo/login", map[string]string{"userId": "student-2"}, nil))
	req, err := http.NewRequestWithContext(t.Context(), "GET", url+"/api/beratungen/demo", nil)
	require.NoError(t, err)
	for user, status := range map[string]int{"patient-1": 200, "student-2": 404, "student-1": 401} {
		req.Header.Set(demo.UserHeader, user)
		resp, err := patient.client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode, user)
	}
}

func TestPusherJS(t *testing.T) {
	t.Parallel()
	testenv.Node(t, webDir)
	onEachDatabase(t, func(t *testing.T, url string, _ func() *sql.DB) {
		testenv.RunNode(t, webDir, "pusher-js.mjs", url)
	})
}
