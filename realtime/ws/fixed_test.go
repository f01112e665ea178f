package ws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// fixed is the configuration of a host whose front end knows one name for each consultation.
func fixed(c *ws.Config) {
	c.FixedChannel = func(ch realtime.Channel) realtime.Channel {
		if id, ok := strings.CutPrefix(string(ch), "private-consultation.2-"); ok {
			return realtime.Channel("private-consultation-" + id)
		}
		if ch == "private-bad" {
			return "no channel name"
		}
		return ch
	}
}

// event makes an event of the second assignment of consultation 1.
func event(data, audience string) realtime.Event {
	return realtime.Event{Channel: "private-consultation.2-1", Name: "new-message", Data: []byte(data), Audience: audience}
}

// received is the frame of event on the fixed name.
func received(data string) string {
	return `{"event":"new-message","channel":"` + string(private) + `","data":"` + data + `"}`
}

// TestFixedChannel delivers to the audience of an event only, in one batch with events for all.
func TestFixedChannel(t *testing.T) {
	t.Parallel()
	f := start(t, fixed)
	patient, replaced, anonymous, signedIn, both := f.connect(), f.connect(), f.connect(), f.connect(), f.connect()
	f.join(patient, private, "patient")
	f.join(replaced, private, "student")
	f.subscribe(anonymous, private)
	f.subscribe(signedIn, private)
	f.signIn(signedIn, "student2", "")
	f.join(both, private, "student")
	f.signIn(both, "student2", "")

	f.Hold()
	for _, ev := range []realtime.Event{
		event("1", ""), event("2", ""), event("3", "patient student2"), event("4", ""), event("5", "patient"),
		event("6", "stud"), event("7", " "),
	} {
		require.NoError(t, f.Broadcast(t.Context(), ev))
	}
	except := event("8", "patient student2")
	except.Except = patient.SocketID()
	require.NoError(t, f.Broadcast(t.Context(), except))
	f.Resume()
	for c, want := range map[*realtimetest.Client][]string{
		patient:  {"1", "2", "3", "4", "5"},
		signedIn: {"1", "2", "3", "4", "8"}, both: {"1", "2", "3", "4", "8"},
		replaced: {"1", "2", "4"}, anonymous: {"1", "2", "4"},
	} {
		for _, data := range want {
			require.Equal(t, received(data), next(t, c))
		}
	}
	silent(t, patient, replaced, anonymous, signedIn, both)

	status, answer := f.caller().do("POST", "/apps/1/events", `{"name":"new-message","channels":["private-consultation.2-1"],"data":"9"}`)
	require.Equal(t, 200, status, answer)
	require.Equal(t, received("9"), next(t, replaced))

	err := f.Broadcast(t.Context(), realtime.Event{Channel: "private-bad", Name: "e", Data: []byte("1")})
	require.ErrorIs(t, err, realtime.ErrInvalidEvent)
	require.ErrorContains(t, err, "Config.FixedChannel")
}

// TestFixedChannelOfRevocation revokes under the name that changes.
func TestFixedChannelOfRevocation(t *testing.T) {
	t.Parallel()
	f := start(t, fixed)
	patient, student := f.connect(), f.connect()
	f.join(patient, private, "patient")
	f.join(student, private, "student")
	f.revoke(1, []string{"patient"}, "private-consultation.2-1")
	require.Equal(t, revoked(private), next(t, student))
	silent(t, patient)
	err := f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private, "private-bad"}})
	require.ErrorIs(t, err, realtime.ErrInvalidChannel)
	require.ErrorContains(t, err, "Config.FixedChannel")
	silent(t, patient)
}

// TestFixedChannelOfSignedInUser sends an event to one user, whose channel keeps its name.
func TestFixedChannelOfSignedInUser(t *testing.T) {
	t.Parallel()
	f := start(t, fixed)
	c := f.connect()
	f.signIn(c, "ann", "")
	require.NoError(t, c.Subscribe(t.Context(), "#server-to-user-ann", realtime.Grant{}))
	require.NoError(t, f.SendToUser(t.Context(), "ann", "notice", []byte("1")))
	require.Contains(t, next(t, c), "notice")
}

// TestFixedCacheChannel keeps the remembered event from those who are not in its audience.
func TestFixedCacheChannel(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		const ch = realtime.Channel("private-cache-x")
		heard := listen(f)
		patient, student, anonymous := f.connect(), f.connect(), f.connect()
		miss := `{"event":"pusher:cache_miss","channel":"` + string(ch) + `"}`
		ev := realtime.Event{Channel: ch, Name: "new-message", Data: []byte("1"), Audience: "patient"}
		f.join(student, ch, "student")
		require.Equal(t, miss, next(t, student))
		heard.take()
		require.NoError(t, f.Broadcast(t.Context(), ev))
		f.subscribe(anonymous, ch)
		require.Equal(t, miss, next(t, anonymous))
		f.join(patient, ch, "patient")
		require.Contains(t, next(t, patient), `"data":"1"`)
		silent(t, patient, student, anonymous)
		require.Empty(t, heard.take(), "the channel remembers an event, so there is no webhook")
		ev.Audience = "student"
		require.NoError(t, f.Broadcast(t.Context(), ev))
		require.Contains(t, next(t, student), `"data":"1"`)
		silent(t, patient, anonymous)
	}, fixed)
}

// TestClusterFixedChannel has the audience of an event cross over.
func TestClusterFixedChannel(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		const cached = realtime.Channel("private-cache-x")
		patient, student := nodes[1].connect(), nodes[1].connect()
		for _, ch := range []realtime.Channel{private, cached} {
			nodes[1].join(patient, ch, "patient")
			nodes[1].join(student, ch, "student")
		}
		pass(time.Second)
		anything(patient)
		anything(student)
		require.NoError(t, nodes[0].Broadcast(t.Context(), event("1", "patient")))
		ev := event("2", "patient")
		ev.Channel = cached
		require.NoError(t, nodes[0].Broadcast(t.Context(), ev))
		require.ElementsMatch(t, []string{"new-message 1", "new-message 2"}, anything(patient))
		require.Empty(t, anything(student))
		late := nodes[1].connect()
		nodes[1].join(late, cached, "student")
		require.Equal(t, []string{"pusher:cache_miss "}, anything(late))
	}, fixed)
}

// TestAudienceWithoutFixedChannel delivers to all subscribers, because the name of the channel keeps others out.
func TestAudienceWithoutFixedChannel(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		here, there := nodes[0].connect(), nodes[1].connect()
		ev := event("1", "patient")
		nodes[0].join(here, ev.Channel, "student")
		nodes[1].subscribe(there, ev.Channel)
		require.NoError(t, nodes[0].Broadcast(t.Context(), ev))
		require.Equal(t, []string{"new-message 1"}, anything(here))
		require.Equal(t, []string{"new-message 1"}, anything(there))
	})
}
