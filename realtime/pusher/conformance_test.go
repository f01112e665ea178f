package pusher_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// through is a Broadcaster whose service is our own server, over its HTTP API.
type through struct {
	*pusher.Broadcaster
	server *ws.Server
	url    string
	stall  atomic.Bool
}

func newThrough(t *testing.T) *through {
	t.Helper()
	server, err := ws.New(ws.Config{AppID: appID, Key: key, Secret: secret})
	require.NoError(t, err)
	th := &through{server: server}
	mux := http.NewServeMux()
	mux.Handle("GET /app/{key}", server)
	api := server.API()
	mux.HandleFunc("/apps/", func(w http.ResponseWriter, r *http.Request) {
		if th.stall.Load() {
			<-r.Context().Done()
			return
		}
		api.ServeHTTP(w, r)
	})
	endpoint := httptest.NewServer(mux)
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		endpoint.Close()
	})
	th.url = endpoint.URL
	th.Broadcaster, err = pusher.New(pusher.Config{
		AppID: appID, Key: key, Secret: secret, Host: strings.TrimPrefix(endpoint.URL, "http://"), Insecure: true,
	})
	require.NoError(t, err)
	return th
}

func TestConformance(t *testing.T) {
	t.Parallel()
	realtimetest.Run(t, realtimetest.Harness{
		New: func(t *testing.T) realtime.Broadcaster { return newThrough(t) },
		Subscribe: func(t *testing.T, b realtime.Broadcaster, channels ...realtime.Channel) realtimetest.Subscriber {
			th := b.(*through)
			c, err := realtimetest.Dial(t.Context(), th.url+"/app/"+key+"?protocol=7", nil)
			require.NoError(t, err)
			for _, ch := range channels {
				var grant realtime.Grant
				if ch.Kind() != realtime.KindPublic {
					grant, err = th.SignChannel(c.SocketID(), ch, nil)
					require.NoError(t, err)
				}
				require.NoError(t, c.Subscribe(t.Context(), ch, grant))
			}
			return realtimetest.Subscriber{
				ID: c.SocketID(),
				Next: func(ctx context.Context) (realtime.Event, error) {
					frame, err := c.NextEvent(ctx)
					return realtime.Event{Channel: frame.Channel, Name: frame.Event, Data: frame.Data}, err
				},
				Close: c.Close,
			}
		},
		Stall: func(_ *testing.T, b realtime.Broadcaster) { b.(*through).stall.Store(true) },
	})
}
