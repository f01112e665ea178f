package consultation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// builders are the three ways to a channel name.
var builders = map[realtime.ChannelKind]func(consultation.ID) realtime.Channel{
	realtime.KindPrivate:   consultation.Channel,
	realtime.KindPresence:  consultation.PresenceChannel,
	realtime.KindEncrypted: consultation.EncryptedChannel,
}

func TestChannels(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, "private-consultation-demo", consultation.Channel("demo"))
	require.EqualValues(t, "presence-consultation-demo", consultation.PresenceChannel("demo"))
	require.EqualValues(t, "private-encrypted-consultation-demo", consultation.EncryptedChannel("demo"))
	for _, id := range []consultation.ID{"demo", "0198c5a0-0000-7000-8000-000000000000", "-_=@,.;", "consultation-1", consultation.ID(strings.Repeat("x", 128))} {
		for kind, build := range builders {
			ch := build(id)
			_, err := realtime.ParseChannel(string(ch))
			require.NoError(t, err, "%s is no channel name", ch)
			require.LessOrEqual(t, len(ch), 164, "hosted Pusher does not take %s", ch)
			require.Equal(t, kind, ch.Kind())
			gotID, gotKind, ok := consultation.FromChannel(string(ch))
			require.True(t, ok, ch)
			require.Equal(t, id, gotID)
			require.Equal(t, kind, gotKind)
		}
	}
}

// Whatever is not built here must never be signed.
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
	} {
		id, _, ok := consultation.FromChannel(name)
		require.False(t, ok, "%q is taken for the channel of %q", name, id)
	}
}

func FuzzFromChannel(f *testing.F) {
	for _, s := range []string{
		"private-consultation-demo", "presence-consultation-a..b", "private-encrypted-consultation-1", "private-consultation-", ":user::{}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		id, kind, ok := consultation.FromChannel(name)
		if ok {
			build, known := builders[kind]
			if !known || string(build(id)) != name {
				t.Fatalf("FromChannel(%q) = %q, %v: the name is not what the builder makes of it", name, id, kind)
			}
			if _, err := consultation.ParseID(string(id)); err != nil {
				t.Fatalf("FromChannel(%q) returns the id %q: %v", name, id, err)
			}
			if _, err := realtime.ParseChannel(name); err != nil {
				t.Fatalf("FromChannel takes %q: %v", name, err)
			}
			return
		}
		// The input as an id: whatever ParseID takes has to survive the way through each name.
		if parsed, err := consultation.ParseID(name); err == nil {
			for kind, build := range builders {
				gotID, gotKind, ok := consultation.FromChannel(string(build(parsed)))
				if !ok || gotID != parsed || gotKind != kind {
					t.Fatalf("the id %q comes back from %q as %q, %v, %v", parsed, build(parsed), gotID, gotKind, ok)
				}
			}
		}
	})
}
