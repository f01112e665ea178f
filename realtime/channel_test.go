package realtime_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestParseChannel(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "private-consultation-1", "presence-a_B-9=@,.;", strings.Repeat("a", 200)} {
		ch, err := realtime.ParseChannel(s)
		require.NoError(t, err, s)
		require.Equal(t, realtime.Channel(s), ch)
	}
	for _, s := range []string{
		"", " ", "a b", "a/b", "a:b", ":user::{}", "#server-to-user-1", "ä", "a\x00", "a\n", "\xff", "../a%2e",
		strings.Repeat("a", 201),
	} {
		ch, err := realtime.ParseChannel(s)
		require.ErrorIs(t, err, realtime.ErrInvalidChannel, "%q", s)
		require.Empty(t, ch)
		if len(s) > 1 {
			require.NotContains(t, err.Error(), s, "what comes from outside is not repeated")
		}
	}
}

func TestChannelKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[realtime.Channel]string{
		"lobby": "public", "Private-a": "public", "private": "public", "xprivate-a": "public",
		"private-": "private", "private-a": "private", "private-encrypted": "private", "private-presence-a": "private",
		"private-encrypted-": "private-encrypted", "private-encrypted-a": "private-encrypted",
		"presence-a": "presence", "presence-private-a": "presence",
	} {
		require.Equal(t, want, name.Kind().String(), name)
	}
	require.Equal(t, "ChannelKind(9)", realtime.ChannelKind(9).String())
}

func FuzzParseChannel(f *testing.F) {
	for _, s := range []string{"", "private-consultation-1", ":user::1", "ä", strings.Repeat("a", 201)} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(`\A[-a-zA-Z0-9_=@,.;]{1,200}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		_, err := realtime.ParseChannel(s)
		if got, want := err == nil, pattern.MatchString(s); got != want {
			t.Errorf("ParseChannel(%q): %v", s, err)
		}
		if realtime.IsNameSafe(s) != regexp.MustCompile(`\A[-a-zA-Z0-9_=@,.;]*\z`).MatchString(s) {
			t.Errorf("IsNameSafe(%q) = %v", s, realtime.IsNameSafe(s))
		}
	})
}
