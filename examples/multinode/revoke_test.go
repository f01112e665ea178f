package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// TestReassigned gives the consultation to another student on one process. Whoever had it listens on another one, and
// hears no more.
func TestReassigned(t *testing.T) {
	r := assemble(t, engineNATS, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const channel = realtime.Channel("private-consultation-demo")
	student := dial(ctx, t, r.nodes[2].addr)
	grant := sign(t, r.nodes[1].addr, "student-1", student.SocketID(), channel)
	require.NoError(t, student.Subscribe(ctx, channel, grant))

	resp, err := http.Post("http://"+r.nodes[0].addr+"/demo/reassign", "application/json", strings.NewReader(`{"studentId":"student-2"}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	for {
		f, err := student.Next(ctx)
		require.NoError(t, err)
		if f.Event == "pusher:subscription_error" {
			require.Contains(t, string(f.Data), "403")
			break
		}
	}
	require.NoError(t, post(r.url, `{"consultationId":"demo","content":"between us"}`))
	require.NoError(t, student.Sync(ctx))
	_, more := student.Waiting()
	require.False(t, more)
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, student.Subscribe(ctx, channel, grant), &refused, "the old signature is worth nothing on any process")
}

func dial(ctx context.Context, t *testing.T, addr string) *realtimetest.Client {
	t.Helper()
	c, err := realtimetest.Dial(ctx, "ws://"+addr+"/app/murph-demo?protocol=7", nil)
	require.NoError(t, err)
	t.Cleanup(c.Cut)
	return c
}

// sign asks for a signature as the user.
func sign(t *testing.T, addr, user string, id realtime.SocketID, ch realtime.Channel) (grant realtime.Grant) {
	t.Helper()
	form := url.Values{"socket_id": {string(id)}, "channel_name": {string(ch)}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/api/pusher/auth", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "murph_demo", Value: user})
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&grant))
	return grant
}
