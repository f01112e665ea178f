package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// open serves the application on a database, with one variable set.
func open(t *testing.T, db, rate string, transport Transport) (*App, *httptest.Server) {
	t.Helper()
	a, err := New(t.Context(), Config{DB: db, Env: func(name string) string {
		require.Equal(t, "MURPH_SEND_RATE", name)
		return rate
	}}, transport)
	require.NoError(t, err)
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		_ = a.Shutdown(t.Context()) // the context has ended by then: cut, do not wait
		server.Close()
		require.NoError(t, a.Close())
	})
	return a, server
}

func database(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "demo.db")
}

// call makes a request as the user and returns the status, the headers and the body.
func call(t *testing.T, method, url, user, contentType, body string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	r.AddCookie(&http.Cookie{Name: cookieName, Value: user})
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, answer
}

func TestSendersAreLimited(t *testing.T) {
	t.Parallel()
	_, server := open(t, database(t), "0.001", Poll())
	status, _, body := call(t, "POST", server.URL+"/api/nachrichten", "patient-1", "application/json", `{"consultationId":"demo","content":"x"}`)
	require.Equal(t, 201, status, string(body))
	status, header, body := call(t, "POST", server.URL+"/api/nachrichten", "patient-1", "application/json", `{"consultationId":"demo","content":"x"}`)
	require.Equal(t, 429, status, string(body))
	require.NotEmpty(t, header.Get("Retry-After"))
}

func TestSendRateVariable(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]chat.Rate{
		"": {PerSecond: 20, Burst: 200}, "0": {PerSecond: -1}, "0.5": {PerSecond: 0.5, Burst: 5}, "100": {PerSecond: 100, Burst: 1000},
		"  ": {PerSecond: 20, Burst: 200}, " 5\n": {PerSecond: 5, Burst: 50},
	} {
		rate, err := sendRate(value)
		require.NoError(t, err)
		require.Equal(t, want, rate)
	}
	for _, value := range []string{"x", "-1", "NaN", "Inf", "1e300"} {
		_, err := New(t.Context(), Config{DB: database(t), Env: func(string) string { return value }}, Poll())
		require.ErrorContains(t, err, "MURPH_SEND_RATE")
	}
}

func TestHealthOfTheApplication(t *testing.T) {
	t.Parallel()
	a, server := open(t, database(t), "", Poll())
	status, _, body := call(t, "GET", server.URL+"/healthz", "", "", "")
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"ok","parts":{"store":"ok"}}`, string(body))
	require.NoError(t, a.Shutdown(t.Context()))
	status, _, body = call(t, "GET", server.URL+"/healthz", "", "", "")
	require.Equal(t, 503, status)
	require.Contains(t, string(body), "draining")

	transport, err := WebSocket()
	require.NoError(t, err)
	_, server = open(t, database(t), "", transport)
	_, _, body = call(t, "GET", server.URL+"/healthz", "", "", "")
	require.JSONEq(t, `{"status":"ok","parts":{"store":"ok","transport":"ok"}}`, string(body))
}

func TestTheInterfaceIsDescribed(t *testing.T) {
	t.Parallel()
	_, server := open(t, database(t), "", Poll())
	status, _, body := call(t, "GET", server.URL+"/api/openapi.json", "", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, string(body), `"/api/nachrichten"`)
	require.NotContains(t, string(body), `"/app/{key}"`, "there is no socket")
}

// TestAStudentWhoWasReplacedElsewhereIsFound replaces the student in another process, which cannot end subscriptions here.
func TestAStudentWhoWasReplacedElsewhereIsFound(t *testing.T) {
	t.Parallel()
	db := database(t)
	transport, err := webSocket(50*time.Millisecond, nil)
	require.NoError(t, err)
	_, server := open(t, db, "", transport)
	elsewhere, _ := open(t, db, "", Poll())

	client, err := realtimetest.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/app/"+transport.Shown.Key+"?protocol=7", nil)
	require.NoError(t, err)
	t.Cleanup(client.Cut)
	ch := consultation.Channel(demoConsultation, 1)
	status, _, body := call(t, "POST", server.URL+"/api/pusher/auth", "student-1", "application/x-www-form-urlencoded",
		fmt.Sprintf("socket_id=%s&channel_name=%s", client.SocketID(), ch))
	require.Equal(t, 200, status, string(body))
	var grant realtime.Grant
	require.NoError(t, json.Unmarshal(body, &grant))
	require.NoError(t, client.Subscribe(t.Context(), ch, grant))

	_, err = elsewhere.consultations.Reassign(t.Context(), consultation.TransitionParams{
		ID: demoConsultation, By: consultation.Host(), Student: &student2,
	})
	require.NoError(t, err)
	frame, err := client.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pusher:subscription_error", frame.Event)
}
