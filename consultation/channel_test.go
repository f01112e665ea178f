package consultation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// builders are the functions that return channel names.
var builders = map[realtime.ChannelKind]func(consultation.ID, int) realtime.Channel{
	realtime.KindPrivate:   consultation.Channel,
	realtime.KindPresence:  consultation.PresenceChannel,
	realtime.KindEncrypted: consultation.EncryptedChannel,
}

func TestChannels(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, "private-consultation-demo", consultation.Channel("demo", 1))
	require.EqualValues(t, "private-consultation-demo", consultation.Channel("demo", 0))
	require.EqualValues(t, "presence-consultation-demo", consultation.PresenceChannel("demo", 1))
	require.EqualValues(t, "private-encrypted-consultation-demo", consultation.EncryptedChannel("demo", 1))
	require.EqualValues(t, "private-consultation.2-demo", consultation.Channel("demo", 2))
	require.EqualValues(t, "presence-consultation.31-demo", consultation.PresenceChannel("demo", 31))
	require.EqualValues(t, "private-encrypted-consultation.2-demo", consultation.EncryptedChannel("demo", 2))
	for _, id := range []consultation.ID{"demo", "2-demo", ".2-demo", "0198c5a0-0000-7000-8000-000000000000", "-_=@,.;", "consultation-1", consultation.ID(strings.Repeat("x", 128))} {
		for kind, build := range builders {
			for _, audience := range []int{1, 2, 10, consultation.MaxAudience} {
				ch := build(id, audience)
				_, err := realtime.ParseChannel(string(ch))
				require.NoError(t, err, "%s is no channel name", ch)
				require.LessOrEqual(t, len(ch), 164, "hosted Pusher does not take %s", ch)
				require.Equal(t, kind, ch.Kind())
				got, ok := consultation.FromChannel(string(ch))
				require.True(t, ok, ch)
				require.Equal(t, consultation.ChannelName{ID: id, Audience: audience, Kind: kind}, got)
				require.Equal(t, build(id, 1), consultation.FixedChannel(ch))
			}
		}
	}
	for _, ch := range []realtime.Channel{"private-other", "lobby", "#server-to-user-a"} {
		require.Equal(t, ch, consultation.FixedChannel(ch))
	}
}

// No other name may be signed.
func TestFromChannelRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"",
		"demo",
		"consultation-demo",
		"private-",
		"private-consultation-",
		"private-consultation",
		"private-encrypted-consultation-",
		"presence-consultation-",
		"private-consultations-demo",
		"private-other-demo",
		"presence-demo",
		"public-consultation-demo",
		"Private-consultation-demo",
		" private-consultation-demo",
		"private-consultation-demo ",
		"private-consultation-demo\n",
		"private-consultation-demo\x00",
		"private-consultation-de:mo",
		"private-consultation-de/mo",
		"private-consultation-démo",
		"private-consultation-..",
		"private-consultation-a..b",
		"private-consultation-../../etc",
		"private-consultation-" + strings.Repeat("x", 129),
		"private-private-consultation-demo",
		"private-encrypted-private-consultation-demo",
		":user::{}",
		"#server-to-user-demo",
		"private-consultation.1-demo",
		"private-consultation.02-demo",
		"private-consultation.+2-demo",
		"private-consultation.-2-demo",
		"private-consultation.0-demo",
		"private-consultation.10000-demo",
		"private-consultation.99999999999999999999-demo",
		"private-consultation.x-demo",
		"private-consultation.2",
		"private-consultation.2-",
		"private-consultation..2-demo",
		"private-consultation.2.3-demo",
	} {
		got, ok := consultation.FromChannel(name)
		require.False(t, ok, "%q is taken for the channel of %q", name, got.ID)
	}
}

func FuzzFromChannel(f *testing.F) {
	for _, s := range []string{
		"private-consultation-demo", "presence-consultation-a..b", "private-encrypted-consultation-1", "private-consultation-", ":user::{}", "private-consultation.2-demo",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := consultation.FromChannel(name)
		if ok {
			build, known := builders[got.Kind]
			if !known || string(build(got.ID, got.Audience)) != name {
				t.Fatalf("FromChannel(%q) = %+v, which makes another name", name, got)
			}
			if _, err := consultation.ParseID(string(got.ID)); err != nil {
				t.Fatalf("FromChannel(%q) returns the id %q: %v", name, got.ID, err)
			}
			if _, err := realtime.ParseChannel(name); err != nil {
				t.Fatalf("FromChannel takes %q: %v", name, err)
			}
			return
		}
		// The input as an id: every id comes back from each name.
		if parsed, err := consultation.ParseID(name); err == nil {
			for kind, build := range builders {
				want := consultation.ChannelName{ID: parsed, Audience: 7, Kind: kind}
				if got, ok := consultation.FromChannel(string(build(parsed, 7))); !ok || got != want {
					t.Fatalf("the id %q comes back from %q as %+v, %v", parsed, build(parsed, 7), got, ok)
				}
			}
		}
	})
}
