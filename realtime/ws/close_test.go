package ws_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
)

const opClose = 0x8

// TestCloseFrames sends every kind of close frame and compares the answer with
// RFC 6455 §5.5.1, §7.4 and §8.1.
func TestCloseFrames(t *testing.T) {
	t.Parallel()
	payload := func(code int, reason string) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	type closing struct {
		name    string
		payload []byte
		want    int // the code of the answer, 1005 for one without
		counted bool
	}
	cases := []closing{
		{"nothing", nil, 1005, false},
		{"half a code", []byte{3}, 1002, true},
		{"a reason", payload(1000, "good-bye, ü"), 1000, false},
		{"the longest reason", payload(1000, strings.Repeat("r", 123)), 1000, false},
		{"a reason that is too long", payload(1000, strings.Repeat("r", 124)), 1002, true},
		{"a byte that is not UTF-8", payload(1000, "good\xff"), 1007, true},
		{"half a character", payload(4000, "\xc3"), 1007, true},
		{"half of a surrogate pair", payload(1001, "\xed\xa0\x80"), 1007, true},
		{"an overlong character", payload(3000, "\xc0\xaf"), 1007, true},
		{"above Unicode", payload(1000, "\xf4\x90\x80\x80"), 1007, true},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, closing{"a code", payload(code, ""), code, false})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, closing{"a code that may not be sent", payload(code, ""), 1002, true})
	}
	for _, kind := range connectionKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := startOn(t, kind)
			for _, c := range cases {
				before := f.Stats().Closes[c.want]
				client := f.connect()
				require.NoError(t, client.SendFrame(t.Context(), opClose, true, c.payload))
				_, err := client.Next(t.Context())
				var ce *realtimetest.CloseError
				require.ErrorAs(t, err, &ce, "%s: %q", c.name, c.payload)
				require.Equal(t, c.want, ce.Code, "%s: %q", c.name, c.payload)
				f.waitConnections(0)
				counted := f.Stats().Closes[c.want] != before
				require.Equal(t, c.counted, counted, "%s: %q in %v", c.name, c.payload, f.Stats().Closes)
			}
			client := f.connect()
			before := f.Stats().Closes[1007]
			require.NoError(t, client.SendFrame(t.Context(), opClose, true, payload(1000, "")))
			_ = client.SendFrame(t.Context(), realtimetest.OpText, true, []byte{0xff}) // nothing counts any more
			require.Equal(t, 1000, closeCode(t, client))
			require.Equal(t, before, f.Stats().Closes[1007])

			client = f.connect()
			require.NoError(t, client.SendFrame(t.Context(), opClose, false, payload(1000, "")))
			require.Equal(t, 1002, closeCode(t, client), "a fragment")
			require.False(t, errors.Is(client.Sync(t.Context()), nil))
		})
	}
}
