package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

const marker = "// chat\n"

// without returns main.go as it was before the chat, and how many lines the chat has added to it.
func without(t *testing.T) (string, int) {
	t.Helper()
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	var kept strings.Builder
	added := 0
	for line := range strings.Lines(string(source)) {
		if strings.HasSuffix(line, marker) {
			added++
			continue
		}
		kept.WriteString(line)
	}
	return kept.String(), added
}

func TestTheChatIsAtMost40Lines(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("chat.go")
	require.NoError(t, err)
	_, added := without(t)
	require.Equal(t, 1, added)
	require.LessOrEqual(t, strings.Count(string(source), "\n")+added, 40)
}

// visitor is a browser with cookies.
type visitor struct {
	t    *testing.T
	base string
	http http.Client
}

func visit(t *testing.T, base string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, base, http.Client{Jar: jar}}
}

func (v *visitor) do(method, path, contentType, body string, want int) []byte {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", contentType)
	res, err := v.http.Do(r)
	require.NoError(v.t, err)
	answer, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	require.NoError(v.t, res.Body.Close())
	require.Equal(v.t, want, res.StatusCode, "%s %s: %s", method, path, answer)
	return answer
}

func (v *visitor) form(path string, want int, pairs ...string) []byte {
	v.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return v.do("POST", path, "application/x-www-form-urlencoded", values.Encode(), want)
}

func (v *visitor) json(method, path, body string, want int, out any) {
	v.t.Helper()
	require.NoError(v.t, json.Unmarshal(v.do(method, path, "application/json", body, want), out))
}

// checkOwn is what the application does with and without the chat.
func checkOwn(t *testing.T, base string) (paula, stefan *visitor) {
	t.Helper()
	paula, stefan = visit(t, base), visit(t, base)
	paula.do("GET", "/", "", "", 401)
	paula.form("/login", 401, "login", "paula", "password", "wrong")
	paula.form("/login", 401, "login", "nobody", "password", "geheim")
	paula.form("/login", 200, "login", "paula", "password", "geheim")
	stefan.form("/login", 200, "login", "stefan", "password", "geheim")
	require.Equal(t, "Hello Paula!\n", string(paula.do("GET", "/", "", "", 200)))
	return paula, stefan
}

func TestTheApplicationHasAChat(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("pgx", pgtest.Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	a, err := newApp(t.Context(), db)
	require.NoError(t, err)
	server := httptest.NewServer(a.mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		for _, stop := range a.stop {
			_ = stop(t.Context()) // the context has ended by then: cut, do not wait
		}
	})
	paula, stefan := checkOwn(t, server.URL)
	visit(t, server.URL).do("GET", "/api/beratungen", "", "", 401)

	var c consultation.Consultation
	paula.json("POST", "/api/beratungen", `{"topic":"Rückenschmerzen"}`, 201, &c)
	paula.json("PATCH", "/api/beratungen/"+string(c.ID), `{"status":"IN_PROGRESS"}`, 403, &struct{}{})
	stefan.json("PATCH", "/api/beratungen/"+string(c.ID), `{"status":"IN_PROGRESS"}`, 200, &c)
	require.Equal(t, "Stefan", c.Student.FirstName)

	client, err := realtimetest.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/app/app-key?protocol=7", nil)
	require.NoError(t, err)
	t.Cleanup(client.Cut)
	ch := consultation.Channel(c.ID, 1)
	var grant realtime.Grant
	require.NoError(t, json.Unmarshal(
		stefan.form("/api/pusher/auth", 200, "socket_id", string(client.SocketID()), "channel_name", string(ch)), &grant))
	require.NoError(t, client.Subscribe(t.Context(), ch, grant))

	var sent, received chat.Message
	paula.json("POST", "/api/nachrichten", `{"consultationId":"`+string(c.ID)+`","content":"Guten Tag"}`, 201, &sent)
	frame, err := client.NextEvent(t.Context())
	require.NoError(t, err)
	require.Equal(t, chat.EventNewMessage, frame.Event)
	require.NoError(t, json.Unmarshal(frame.Data, &received))
	require.Equal(t, sent, received)
	var page struct{ Messages []chat.Message }
	stefan.json("GET", "/api/beratungen/"+string(c.ID), "", 200, &page)
	require.Len(t, page.Messages, 1)
	require.Equal(t, sent.ID, page.Messages[0].ID)
	require.NotEmpty(t, sent.Sender.UserID)
	var stored int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM murph_messages`).Scan(&stored))
	require.Equal(t, 1, stored, "in the application's own database")
}

// TestTheApplicationWithoutTheChat builds it without the file and the line, and runs it.
func TestTheApplicationWithoutTheChat(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	dir := t.TempDir()
	source, _ := without(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	here, err := os.Getwd()
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(here, "main.go"): filepath.Join(dir, "main.go"), filepath.Join(here, "chat.go"): "",
	}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program := filepath.Join(dir, "app")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-overlay", filepath.Join(dir, "overlay.json"), "-deps", ".").Output()
	require.NoError(t, err)
	require.NotContains(t, string(deps), "murph/chat", "nothing of the library is left")

	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-db", dsn)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	base, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	paula, _ := checkOwn(t, strings.TrimSpace(base))
	paula.do("POST", "/api/nachrichten", "application/json", `{}`, 404)
}
