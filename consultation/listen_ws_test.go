package consultation_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

// TestReplacedStudentIsOutAtOnce runs over the real server, behind a relay: when Reassign returns, the former student
// has been told, and hears nothing any more, also with the grant that they still have.
func TestReplacedStudentIsOutAtOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server, err := ws.New(ws.Config{
		AppID: "1", Key: "key", Secret: "secret", Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	host := httptest.NewServer(server)
	t.Cleanup(host.Close)
	t.Cleanup(func() { _ = server.Shutdown(t.Context()) }) // the context has ended by then: cut, do not wait
	store := memstore.New()
	relay, err := realtime.NewRelay(store, server, nil)
	require.NoError(t, err)
	svc, err := consultation.NewService(store, relay, nil)
	require.NoError(t, err)
	c, err := svc.Request(ctx, consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Accept(ctx, by(c.ID, student))
	require.NoError(t, err)

	ch := consultation.Channel(c.ID, 1)
	grants := map[consultation.UserID]realtime.Grant{}
	connect := func(id consultation.UserID) *realtimetest.Client {
		client, err := realtimetest.Dial(ctx, host.URL+"/app/key?protocol=7", nil)
		require.NoError(t, err)
		t.Cleanup(client.Cut)
		grants[id], err = server.SignChannel(client.SocketID(), ch, &realtime.Member{UserID: string(id)})
		require.NoError(t, err)
		require.NoError(t, client.Subscribe(ctx, ch, grants[id]))
		return client
	}
	_, err = relay.Flush(ctx) // nobody is there for what has happened so far
	require.NoError(t, err)
	stays, goes := connect(patient.UserID), connect(student.UserID)

	other := student
	other.UserID = "student-2"
	began := time.Now()
	_, err = svc.Reassign(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Host(), Student: &other})
	require.NoError(t, err)
	frame, err := goes.Next(ctx)
	require.NoError(t, err)
	require.Equal(t, "pusher:subscription_error", frame.Event)
	require.Less(t, time.Since(began), time.Second)
	_, err = relay.Flush(ctx)
	require.NoError(t, err)
	require.NoError(t, server.Broadcast(ctx, realtime.Event{Channel: ch, Name: "new-message", Data: []byte(`{}`)}))
	// The patient's page is told to fetch, and with that learns the channel that everything else goes to.
	for _, want := range []string{"resync-required", "new-message"} {
		frame, err := stays.NextEvent(ctx)
		require.NoError(t, err)
		require.Equal(t, want, frame.Event)
	}
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, goes.Subscribe(ctx, ch, grants[student.UserID]), &refused)
	_, heard := goes.Waiting()
	require.False(t, heard)
}
