package realtime_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestParseSocketID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"1.1", "0.0", "18446744073709551615.18446744073709551615", strings.Repeat("1", 62) + ".1"} {
		id, err := realtime.ParseSocketID(s)
		require.NoError(t, err, s)
		require.Equal(t, realtime.SocketID(s), id)
	}
	for _, s := range []string{
		"", ".", "1", "1.", ".1", "1.1.1", "1..1", "a.1", "1.a", "-1.1", "+1.1", " 1.1", "1.1\n", "1,1", "١.١", "1.1:x",
		strings.Repeat("1", 63) + ".1",
	} {
		id, err := realtime.ParseSocketID(s)
		require.ErrorIs(t, err, realtime.ErrInvalidSocketID, "%q", s)
		require.Empty(t, id)
	}
}

func FuzzParseSocketID(f *testing.F) {
	for _, s := range []string{"1.1", "", "1.1\n", "1..1", "12"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(`\A[0-9]+\.[0-9]+\z`)
	f.Fuzz(func(t *testing.T, s string) {
		_, err := realtime.ParseSocketID(s)
		if got, want := err == nil, len(s) <= 64 && pattern.MatchString(s); got != want {
			t.Errorf("ParseSocketID(%q): %v", s, err)
		}
	})
}
