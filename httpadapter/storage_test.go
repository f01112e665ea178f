package httpadapter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

var (
	_ chat.Storage         = (*countingStore)(nil)
	_ consultation.Storage = (*countingStore)(nil)
)

func TestOneStorageCallForEachRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x","clientMessageId":"k"}`).json["id"].(string)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, c := range []struct {
		method, target, body string
		headers              []string
		calls                int64
	}{
		{"POST", messages, `{"consultationId":"demo","content":"x"}`, nil, 1},
		{"POST", messages, `{"consultationId":"demo","content":"x","clientMessageId":"k"}`, nil, 1},
		{"PATCH", messages + "/" + id, `{"content":"y"}`, nil, 1},
		{"DELETE", messages + "/" + id, "", nil, 1},
		{"GET", consultations, "", nil, 1},
		{"POST", consultations, `{"topic":"x"}`, nil, 1},
		{"GET", consultations + "/demo", "", nil, 1},
		{"GET", consultations + "/demo?before=3", "", nil, 1},
		{"GET", consultations + "/demo?since=3", "", nil, 1},
		{"POST", consultations + "/demo/gelesen", `{"seq":3}`, nil, 1},
		{"POST", "/api/pusher/auth", "socket_id=1.1&channel_name=private-consultation-demo", form, 1},
		{"POST", "/api/pusher/user-auth", "socket_id=1.1", form, 0},
		{"PATCH", consultations + "/demo", `{"status":"CANCELLED"}`, nil, 1},
	} {
		before := b.store.calls.Load()
		got := b.do(t, "patient-1", c.method, c.target, c.body, c.headers...)
		require.Contains(t, []int{200, 201}, got.status, got.body)
		require.Equal(t, c.calls, b.store.calls.Load()-before, "%s %s", c.method, c.target)
	}
}
