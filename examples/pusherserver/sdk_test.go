package main

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	pusher "github.com/pusher/pusher-http-go/v5"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// subscribe authorises with the official SDK, as the host's own endpoint would, and waits for the acknowledgement. user
// is the member of a presence channel.
func (p *process) subscribe(c *realtimetest.Client, ch realtime.Channel, user string) {
	p.t.Helper()
	require.NoError(p.t, c.Subscribe(p.t.Context(), ch, p.authorize(c, ch, user)))
}

func (p *process) authorize(c *realtimetest.Client, ch realtime.Channel, user string) realtime.Grant {
	p.t.Helper()
	var grant realtime.Grant
	if ch.Kind() == realtime.KindPublic {
		return grant
	}
	form := []byte("socket_id=" + string(c.SocketID()) + "&channel_name=" + string(ch))
	var answer []byte
	var err error
	if ch.Kind() == realtime.KindPresence {
		answer, err = sdk(p.addr).AuthorizePresenceChannel(form, pusher.MemberData{UserID: user, UserInfo: map[string]string{"name": "N" + user}})
	} else {
		answer, err = sdk(p.addr).AuthorizePrivateChannel(form)
	}
	require.NoError(p.t, err)
	require.NoError(p.t, json.Unmarshal(answer, &grant))
	return grant
}

// signIn authenticates a connection as a user and subscribes to the user's own channel, as pusher-js does.
func (p *process) signIn(c *realtimetest.Client, user string) {
	p.t.Helper()
	answer, err := sdk(p.addr).AuthenticateUser([]byte("socket_id="+string(c.SocketID())), map[string]any{"id": user})
	require.NoError(p.t, err)
	require.NoError(p.t, c.Send(p.t.Context(), "pusher:signin", json.RawMessage(answer)))
	p.expect(c, "pusher:signin_success")
	require.NoError(p.t, c.Subscribe(p.t.Context(), realtime.Channel("#server-to-user-"+user), realtime.Grant{}))
}

func (p *process) next(c *realtimetest.Client) realtimetest.Frame {
	p.t.Helper()
	frame, err := c.Next(p.t.Context())
	require.NoError(p.t, err)
	return frame
}

// expect waits for the next message and compares its event.
func (p *process) expect(c *realtimetest.Client, event string) realtimetest.Frame {
	p.t.Helper()
	frame := p.next(c)
	require.Equal(p.t, event, frame.Event, "%s", frame.Raw)
	return frame
}

// post makes the one call that the official SDK for Go has not, and returns its status.
func (p *process) post(path, body string) int {
	p.t.Helper()
	path = "/apps/" + appID + path
	mac := hmac.New(sha256.New, []byte(secret))
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%x", key, time.Now().Unix(), md5.Sum([]byte(body)))
	_, _ = fmt.Fprintf(mac, "POST\n%s\n%s", path, query)
	url := fmt.Sprintf("http://%s%s?%s&auth_signature=%x", p.addr, path, query, mac.Sum(nil))
	req, err := http.NewRequestWithContext(p.t.Context(), "POST", url, strings.NewReader(body))
	require.NoError(p.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	require.NoError(p.t, res.Body.Close())
	return res.StatusCode
}

func pointer(s string) *string { return &s }

// TestGoSDK makes every call of the official SDK for Go.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	p := launch(t)
	client := sdk(p.addr)
	a, b := p.connect(), p.connect()
	for _, ch := range []realtime.Channel{"lobby", "private-a", "private-encrypted-a", "cache-a"} {
		p.subscribe(a, ch, "")
	}
	p.expect(a, "pusher:cache_miss")
	p.subscribe(a, "presence-a", "1")
	p.subscribe(b, "presence-a", "2")
	p.subscribe(b, "lobby", "")
	p.expect(a, "pusher_internal:member_added")
	p.signIn(b, "2")

	require.NoError(t, client.Trigger("lobby", "greeting", map[string]string{"text": "<ä>"}))
	for _, c := range []*realtimetest.Client{a, b} {
		require.JSONEq(t, `{"text":"<ä>"}`, string(p.expect(c, "greeting").Data))
	}
	info, err := client.TriggerWithParams("presence-a", "except", "text",
		pusher.TriggerParams{SocketID: pointer(string(a.SocketID())), Info: pointer("user_count,subscription_count")})
	require.NoError(t, err)
	require.Equal(t, 2, *info.Channels["presence-a"].UserCount)
	require.Equal(t, 2, *info.Channels["presence-a"].SubscriptionCount)
	require.Equal(t, `"text"`, string(p.expect(b, "except").Data))

	require.NoError(t, client.TriggerMulti([]string{"private-a", "cache-a"}, "many", 1))
	many := []realtime.Channel{p.expect(a, "many").Channel, p.expect(a, "many").Channel}
	require.ElementsMatch(t, []realtime.Channel{"private-a", "cache-a"}, many)

	require.NoError(t, client.Trigger("private-encrypted-a", "secret", "canary"))
	sealed := p.expect(a, "secret")
	require.Contains(t, string(sealed.Data), "ciphertext")
	require.NotContains(t, string(sealed.Raw), "canary")

	require.NoError(t, client.SendToUser("2", "for-you", 7))
	require.Equal(t, realtime.Channel("#server-to-user-2"), p.expect(b, "for-you").Channel)
	require.NoError(t, client.SendToUser("nobody", "for-you", 7))

	batch, err := client.TriggerBatch([]pusher.Event{
		{Channel: "private-a", Name: "one", Data: 1, Info: pointer("subscription_count")},
		{Channel: "private-a", Name: "two", Data: 2, SocketID: pointer(string(a.SocketID()))},
		{Channel: "private-a", Name: "three", Data: 3},
	})
	require.NoError(t, err)
	require.Equal(t, 1, *batch.Batch[0].SubscriptionCount)
	require.Nil(t, batch.Batch[1].SubscriptionCount)
	p.expect(a, "one")
	p.expect(a, "three")

	channels, err := client.Channels(pusher.ChannelsParams{})
	require.NoError(t, err)
	require.Len(t, channels.Channels, 5)
	channels, err = client.Channels(pusher.ChannelsParams{FilterByPrefix: pointer("presence-"), Info: pointer("user_count")})
	require.NoError(t, err)
	require.Equal(t, map[string]pusher.ChannelListItem{"presence-a": {UserCount: 2}}, channels.Channels)
	channels, err = client.Channels(pusher.ChannelsParams{FilterByPrefix: pointer("a;b,c=d@e")})
	require.NoError(t, err)
	require.Empty(t, channels.Channels)
	channel, err := client.Channel("presence-a", pusher.ChannelParams{Info: pointer("user_count,subscription_count")})
	require.NoError(t, err)
	require.Equal(t, pusher.Channel{Name: "presence-a", Occupied: true, UserCount: 2, SubscriptionCount: 2}, *channel)
	channel, err = client.Channel("a;b,c=d@e", pusher.ChannelParams{})
	require.NoError(t, err)
	require.False(t, channel.Occupied)
	users, err := client.GetChannelUsers("presence-a")
	require.NoError(t, err)
	require.Equal(t, []pusher.User{{ID: "1"}, {ID: "2"}}, users.List)
}

// TestGoSDKErrors shows what callers of the SDK see: the status and the reason.
func TestGoSDKErrors(t *testing.T) {
	t.Parallel()
	p := launch(t)
	client := sdk(p.addr)
	large := sdk(p.addr)
	large.OverrideMaxMessagePayloadKB = 100
	wrong := sdk(p.addr)
	wrong.Secret = "wrong"
	other := sdk(p.addr)
	other.AppID = "2"
	info := "user_count"
	for name, c := range map[string]struct {
		call func() error
		want string
	}{
		"reserved name": {func() error { return client.Trigger("a", "pusher:x", 1) }, "Status Code: 400 - Invalid event: "},
		"long name":     {func() error { return client.Trigger("a", strings.Repeat("n", 201), 1) }, "Status Code: 400"},
		"too large":     {func() error { return large.Trigger("a", "x", strings.Repeat("d", 11_000)) }, "Status Code: 413 - The data content"},
		"batch of 11": {func() error {
			_, err := client.TriggerBatch(slices.Repeat([]pusher.Event{{Channel: "a", Name: "e", Data: 1}}, 11))
			return err
		}, "Status Code: 400 - Batch too large"},
		"wrong secret": {func() error { return wrong.Trigger("a", "x", 1) }, "Status Code: 401 - Not authenticated"},
		"another app":  {func() error { return other.Trigger("a", "x", 1) }, "Status Code: 404"},
		"users of a public channel": {func() error {
			_, err := client.GetChannelUsers("a")
			return err
		}, "Status Code: 400 - Users can only be retrieved for presence channels"},
		"user_count of all": {func() error {
			_, err := client.Channels(pusher.ChannelsParams{Info: &info})
			return err
		}, "Status Code: 400 - user_count may only be requested for presence channels"},
	} {
		require.ErrorContains(t, c.call(), c.want, name)
	}
}

// TestGoSDKWebhooks has the official SDK verify a webhook of each kind.
func TestGoSDKWebhooks(t *testing.T) {
	t.Parallel()
	hooks := receiveWebhooks(t)
	p := launch(t, "-webhook", hooks.url, "-allow-private-webhooks", "-client-events", "-subscription-count")
	a := p.connect()
	p.subscribe(a, "presence-a", "7")
	require.Equal(t, "presence-a", hooks.next("channel_occupied").Channel)
	require.Equal(t, "7", hooks.next("member_added").UserID)
	p.subscribe(a, "cache-a", "")
	require.Equal(t, "cache-a", hooks.next("channel_occupied").Channel)
	kinds := []string{(<-hooks.events).Name, (<-hooks.events).Name}
	require.ElementsMatch(t, []string{"cache_miss", "subscription_count"}, kinds)
	require.NoError(t, a.SendText(t.Context(), `{"event":"client-typing","channel":"presence-a","data":{"on":true}}`))
	require.Equal(t, pusher.WebhookEvent{
		Name: "client_event", Channel: "presence-a", Event: "client-typing", Data: `{"on":true}`,
		SocketID: string(a.SocketID()), UserID: "7",
	}, hooks.next("client_event"))
	a.Cut()
	var left []string
	for range 4 {
		ev := <-hooks.events
		left = append(left, ev.Name+" "+ev.Channel+" "+ev.UserID)
	}
	require.ElementsMatch(t, []string{
		"member_removed presence-a 7", "channel_vacated presence-a ", "subscription_count cache-a ", "channel_vacated cache-a ",
	}, left)
}
