package httpadapter_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/realtime/ws"
)

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	good := httpadapter.Config{
		Chat: &chat.Service{}, Consultations: &consultation.Service{}, Authenticator: httpadapter.AuthenticatorFunc(session),
	}
	_, err := httpadapter.New(good)
	require.NoError(t, err)
	_, err = httpadapter.New(httpadapter.Config{
		BasePath: "chat", MaxRequestBytes: -1, TrustedOrigins: []string{"app.example"},
		Paths: httpadapter.Paths{Socket: "/socket/{key}", Messages: "/a/", Message: "/a"},
	})
	for _, want := range []string{"required", "BasePath", "MaxRequestBytes", "app.example", "Paths.Socket", "Paths.Messages", "Paths.Message must have the segment {id}"} {
		require.ErrorContains(t, err, want)
	}

	server := &ws.Server{}
	keyed, err := ws.New(ws.Config{AppID: "1", Key: "the-key", Secret: "s"})
	require.NoError(t, err)
	hosted, err := pusher.New(pusher.Config{AppID: "1", Key: "the-key", Secret: "s", Cluster: "eu"})
	require.NoError(t, err)
	signer := struct{ realtime.Signer }{keyed} // says nothing of its key
	for name, c := range map[string]struct {
		change func(*httpadapter.Config)
		want   string
	}{
		"wildcard in the base": {func(c *httpadapter.Config) { c.BasePath = "/{x}" }, "BasePath must consist"},
		"no slash":             {func(c *httpadapter.Config) { c.Paths.Messages = "m" }, "Paths.Messages must start"},
		"dot segment":          {func(c *httpadapter.Config) { c.Paths.Messages = "/a/../m" }, "Paths.Messages must consist"},
		"foreign wildcard":     {func(c *httpadapter.Config) { c.Paths.Messages = "/{id}" }, "Paths.Messages must consist"},
		"two wildcards":        {func(c *httpadapter.Config) { c.Paths.Message = "/{id}/{id}" }, "once"},
		"part of a segment":    {func(c *httpadapter.Config) { c.Paths.Message = "/m-{id}" }, "Paths.Message must consist"},
		"same path twice":      {func(c *httpadapter.Config) { c.Paths.Messages = "/api/beratungen" }, "Paths.Messages and Paths.Consultations match"},
		"crossing wildcards":   {func(c *httpadapter.Config) { c.Paths.Message = "/api/beratungen/gelesen/{id}" }, "Paths.Message and Paths.Read match"},
		"unknown driver":       {func(c *httpadapter.Config) { c.Transport.Driver = "smoke" }, "Transport.Driver"},
		"driver, no signer":    {func(c *httpadapter.Config) { c.Transport.Driver, c.Transport.Key = httpadapter.DriverWebSocket, "k" }, "needs a Signer"},
		"signer, no key":       {func(c *httpadapter.Config) { c.Signer, c.Socket = server, server }, "needs Transport.Key"},
		"another key":          {func(c *httpadapter.Config) { c.Signer, c.Transport = keyed, httpadapter.Transport{Key: "k"} }, "not the key"},
		"another key, socket": {func(c *httpadapter.Config) {
			c.Signer, c.Socket, c.Transport = signer, keyed, httpadapter.Transport{Key: "k"}
		}, "not the key"},
		"another key, hosted": {func(c *httpadapter.Config) {
			c.Signer, c.Transport = hosted, httpadapter.Transport{Key: "k", Cluster: "eu"}
		}, "not the key"},
		"pusher without cluster": {func(c *httpadapter.Config) { c.Signer, c.Transport.Key = server, "k" }, "Cluster"},
	} {
		cfg := good
		c.change(&cfg)
		_, err := httpadapter.New(cfg)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestTransportTellsTheFrontEndWhereTheEventsAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*httpadapter.Config)
		want   map[string]any
	}{
		"hosted Pusher": {
			func(c *httpadapter.Config) {
				c.Socket, c.Transport = nil, httpadapter.Transport{Key: appKey, Cluster: "eu", Presence: true}
			},
			map[string]any{
				"driver": "pusher", "key": appKey, "cluster": "eu", "forceTLS": true, "authEndpoint": channelAuth,
				"channel": "private-consultation-demo", "presenceChannel": "presence-consultation-demo",
			},
		},
		"a server that speaks Pusher": {
			func(c *httpadapter.Config) {
				c.Socket, c.Transport = nil, httpadapter.Transport{Key: appKey, WSHost: "rt.example", WSPort: 6001, WSSPort: 6002, WSPath: "/x/"}
			},
			map[string]any{
				"driver": "pusher", "key": appKey, "wsHost": "rt.example", "wsPort": 6001.0, "wssPort": 6002.0, "wsPath": "/x", "forceTLS": false,
				"authEndpoint": channelAuth, "channel": "private-consultation-demo",
			},
		},
		"a proxy that changes paths": {
			func(c *httpadapter.Config) {
				c.BasePath = "/inner"
				c.Transport = httpadapter.Transport{Key: appKey, ForceTLS: true, WSPath: "/", AuthEndpoint: "/outer/auth"}
			},
			map[string]any{
				"driver": "websocket", "key": appKey, "forceTLS": true, "authEndpoint": "/outer/auth", "channel": "private-consultation-demo",
			},
		},
	} {
		base := ""
		b := setup(t, c.change, func(cfg *httpadapter.Config) { base = cfg.BasePath })
		got := b.do(t, "patient-1", "GET", base+consultations+"/demo", "")
		require.Equal(t, c.want, got.json["transport"], name)
	}
}

func TestMaxRequestBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.MaxRequestBytes = 60 })
	require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"0123456789abcdefgh"}`).status)
	require.Equal(t, 413, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"0123456789abcdefghijklmnopq"}`).status)
}

var _ http.Handler = (*httpadapter.Handler)(nil)
