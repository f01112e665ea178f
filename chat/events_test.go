package chat_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

const thin = `{"consultationId":"room","id":"m-1","seq":3,"rev":3,"thin":true}`

func TestMessageEvent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{chat.EventNewMessage, chat.EventMessageUpdated, chat.EventMessageDeleted} {
		ev, err := chat.MessageEvent(name, example(), consultation.Audience{Number: 2, UserIDs: "a b"}, "1.2")
		require.NoError(t, err)
		require.NoError(t, ev.Validate())
		require.Equal(t, name, ev.Name)
		require.EqualValues(t, "private-consultation.2-room", ev.Channel)
		require.Equal(t, "a b #2", ev.Audience)
		require.EqualValues(t, "1.2", ev.Except)
		require.JSONEq(t, golden, string(ev.Data))
		require.Equal(t, thin, string(ev.Thin))
	}
	require.Equal(t, "new-message message-updated message-deleted messages-read resync-required", strings.Join([]string{
		chat.EventNewMessage, chat.EventMessageUpdated, chat.EventMessageDeleted, chat.EventMessagesRead, chat.EventResyncRequired,
	}, " "))
}

func TestMessageEventGoesThin(t *testing.T) {
	t.Parallel()
	size := func(content string) (realtime.Event, int) {
		m := example()
		m.Content = content
		ev, err := chat.MessageEvent(chat.EventNewMessage, m, consultation.Audience{}, "")
		require.NoError(t, err)
		return ev, len(encode(t, m))
	}
	_, empty := size("")
	ev, n := size(strings.Repeat("x", 9500-empty))
	require.Equal(t, 9500, n)
	require.Len(t, ev.Data, 9500, "9,500 bytes still go as they are")
	ev, n = size(strings.Repeat("x", 9501-empty))
	require.Equal(t, 9501, n)
	require.Equal(t, thin, string(ev.Data))
	require.Equal(t, thin, string(ev.Thin))
	ev, _ = size(strings.Repeat("ä", 5000))
	require.Equal(t, thin, string(ev.Data), "5,000 umlauts do not fit")
	// What counts is the encoded form: each of these takes six bytes.
	ev, _ = size(strings.Repeat("<", 1600))
	require.Equal(t, thin, string(ev.Data))
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	to := consultation.Audience{Number: 2, UserIDs: "a b"}
	ev, err := chat.MessagesRead(room, student.UserID, chat.ReadMark{Seq: 3, At: then}, to)
	require.NoError(t, err)
	require.NoError(t, ev.Validate())
	require.Equal(t, realtime.Event{
		Channel: consultation.Channel(room, 2), Name: "messages-read", Audience: "a b #2",
		Data: []byte(`{"consultationId":"room","userId":"student-1","seq":3,"at":"2026-03-01T09:00:00.120000Z"}`),
	}, ev)
	ev = chat.ResyncRequired(room, 17, to)
	require.NoError(t, ev.Validate())
	require.Equal(t, realtime.Event{
		Channel: consultation.Channel(room, 2), Name: "resync-required", Audience: "a b #2",
		Data: []byte(`{"consultationId":"room","rev":17}`),
	}, ev)
}
