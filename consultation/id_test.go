package consultation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "0", ".", "a.b", "-_=@,.;", "A-Z_a-z.0-9", strings.Repeat("x", 128)} {
		id, err := consultation.ParseID(s)
		require.NoError(t, err, s)
		require.EqualValues(t, s, id)
		user, err := consultation.ParseUserID(s)
		require.NoError(t, err, s)
		require.EqualValues(t, s, user)
	}
	for _, s := range []string{
		"", strings.Repeat("x", 129), "..", "a..b", "a b", "a/b", "a:b", "a\x00", "ä", "a\n", "a%2e", "a+b", "#a", "\xff", "a\u202eb",
	} {
		_, err := consultation.ParseID(s)
		invalid(t, err, "consultationId")
		if s != "" && len(s) > 3 {
			require.NotContains(t, err.Error(), s, "the error repeats its input")
		}
		_, err = consultation.ParseUserID(s)
		invalid(t, err, "userId")
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"demo", "", "a..b", "-_=@,.;", strings.Repeat("x", 129), "ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := consultation.ParseID(s)
		want := s != "" && len(s) <= 128 && realtime.IsNameSafe(s) && !strings.Contains(s, "..")
		if (err == nil) != want {
			t.Fatalf("ParseID(%q): %v", s, err)
		}
		if err == nil && string(id) != s {
			t.Fatalf("ParseID(%q) = %q", s, id)
		}
	})
}
