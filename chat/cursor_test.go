package chat_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func TestInboxCursor(t *testing.T) {
	t.Parallel()
	for _, c := range []chat.InboxCursor{
		{},
		{Activity: then.UTC(), ID: "room"},
		{Activity: time.UnixMicro(1).UTC(), ID: "a.b.c"},
		{Activity: time.UnixMicro(-1).UTC(), ID: ".=-_@,;"},
		{Activity: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), ID: consultation.ID(strings.Repeat("x", 128))},
	} {
		s := c.String()
		require.Equal(t, c.IsZero(), s == "")
		require.Equal(t, s, strings.Trim(s, "/+= "), "a cursor is one word for a URL")
		back, err := chat.ParseInboxCursor(s)
		require.NoError(t, err)
		require.Equal(t, c, back)
	}
	require.False(t, chat.InboxCursor{ID: "x"}.IsZero())
	for _, raw := range []string{"", "1", "1.2", "2.3.room", "1.x.room", "1..room", "1.3.", "1.3.a b", "1.3.a..b", "1.99999999999999999999.room"} {
		_, err := chat.ParseInboxCursor(base64.RawURLEncoding.EncodeToString([]byte(raw)) + map[bool]string{true: "A"}[raw == ""])
		require.Error(t, err, raw)
		invalid(t, err, "cursor")
	}
	for _, s := range []string{"!", " ", "MS4zLnJvb20=", strings.Repeat("A", 513)} {
		_, err := chat.ParseInboxCursor(s)
		require.Error(t, err, s)
		invalid(t, err, "cursor")
		require.NotContains(t, err.Error(), s+s)
	}
}

func FuzzInboxCursor(f *testing.F) {
	f.Add("", int64(0), "room")
	f.Add(chat.InboxCursor{Activity: then, ID: "room"}.String(), int64(-5), "a.b")
	f.Add("MS4zLnJvb20", int64(1)<<62, "..")
	f.Fuzz(func(t *testing.T, s string, micros int64, id string) {
		if c, err := chat.ParseInboxCursor(s); err == nil {
			again, err := chat.ParseInboxCursor(c.String())
			if err != nil || again.ID != c.ID || !again.Activity.Equal(c.Activity) {
				t.Fatalf("the cursor %q is %+v, and that one comes back as %+v, %v", s, c, again, err)
			}
		}
		c := chat.InboxCursor{Activity: time.UnixMicro(micros).UTC(), ID: consultation.ID(id)}
		back, err := chat.ParseInboxCursor(c.String())
		if _, bad := consultation.ParseID(id); bad != nil {
			return
		}
		if err != nil || back.ID != c.ID || back.Activity.UnixMicro() != micros {
			t.Fatalf("%+v comes back as %+v, %v", c, back, err)
		}
	})
}
