package ws_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// FuzzBoundaries makes a client's stream out of a recipe, and knows therefore where messages end. Two bytes make a
// frame: its kind, and its size.
func FuzzBoundaries(f *testing.F) {
	f.Add([]byte{0, 0}, uint16(1))
	f.Add([]byte{1, 5, 4, 3, 2, 200, 3, 0}, uint16(7)) // in pieces, with a ping between
	f.Add([]byte{0, 126, 0, 255, 5, 9}, uint16(3))
	f.Fuzz(func(t *testing.T, recipe []byte, cut uint16) {
		if len(recipe) > 64 {
			return
		}
		var stream []byte
		var want []bool
		open := false
		for i := 0; i+1 < len(recipe); i += 2 {
			frame := clientFrame(recipe[i], int(recipe[i+1]), &open)
			for range len(frame) - 1 {
				want = append(want, false)
			}
			want = append(want, !open)
			stream = append(stream, frame...)
		}
		require.Equal(t, want, ws.Boundaries(stream))
		if len(stream) > 0 {
			require.Equal(t, want[len(want)-1], ws.BetweenAfter(stream, int(cut)%len(stream)))
		}
	})
}

// clientFrame makes a frame that may stand where open says: the kind's lowest bit has a message go on, the second one
// makes it a control frame, the third one leaves the mask out, and the others choose how the length is written.
func clientFrame(kind byte, size int, open *bool) []byte {
	first := byte(0x80)
	switch {
	case kind&2 != 0:
		first |= 0x9
		size %= 126
	case *open:
		*open = kind&1 != 0
	default:
		first |= 0x1
		*open = kind&1 != 0
	}
	if kind&2 == 0 && *open {
		first &^= 0x80
	}
	mask := byte(0x80)
	if kind&4 != 0 {
		mask = 0
	}
	var frame []byte
	switch {
	case kind&8 != 0 && kind&2 == 0:
		frame = binary.BigEndian.AppendUint64([]byte{first, mask | 127}, uint64(size))
	case size > 125 || kind&16 != 0 && kind&2 == 0:
		frame = binary.BigEndian.AppendUint16([]byte{first, mask | 126}, uint16(size))
	default:
		frame = []byte{first, mask | byte(size)}
	}
	if mask != 0 {
		frame = append(frame, 1, 2, 3, 4)
	}
	return append(frame, make([]byte, size)...)
}
