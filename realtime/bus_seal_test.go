package realtime_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestBusSealKeepsFrames(t *testing.T) {
	t.Parallel()
	from, to := realtime.NewBusSeal(), realtime.NewBusSeal()
	for shard := range uint8(realtime.BusShards) {
		for _, frame := range [][]byte{nil, {0}, []byte("frame"), bytes.Repeat([]byte{0xff}, 4096)} {
			sealed := from.Seal([]byte("before"), shard, frame)
			require.Len(t, sealed, len("before")+realtime.BusSealSize+len(frame))
			gotShard, gotFrame, ok := to.Open(sealed[len("before"):])
			require.True(t, ok)
			require.Equal(t, shard, gotShard)
			require.Equal(t, string(frame), string(gotFrame))
		}
	}
}

func TestBusSealDropsWhatComesTwiceOrLate(t *testing.T) {
	t.Parallel()
	from, other, to := realtime.NewBusSeal(), realtime.NewBusSeal(), realtime.NewBusSeal()
	first, second, third := from.Seal(nil, 1, nil), from.Seal(nil, 2, nil), from.Seal(nil, 1, nil)
	opens := func(sealed []byte) bool {
		_, _, ok := to.Open(sealed)
		return ok
	}
	require.True(t, opens(first))
	require.False(t, opens(first))
	require.True(t, opens(third), "second is lost")
	require.False(t, opens(second))
	require.True(t, opens(other.Seal(nil, 1, nil)), "each bus has numbers of its own")
	require.True(t, opens(from.Seal(nil, 1, nil)))
}

func TestBusSealForgetsTheOldest(t *testing.T) {
	t.Parallel()
	to := realtime.NewBusSeal()
	busy, early := realtime.NewBusSeal(), realtime.NewBusSeal()
	earlyFrame := early.Seal(nil, 0, nil)
	_, _, ok := to.Open(earlyFrame)
	require.True(t, ok)
	var repeated []byte
	for range 1100 {
		_, _, ok := to.Open(realtime.NewBusSeal().Seal(nil, 0, nil))
		require.True(t, ok)
		repeated = busy.Seal(nil, 0, nil)
		_, _, ok = to.Open(repeated)
		require.True(t, ok)
	}
	_, _, ok = to.Open(repeated)
	require.False(t, ok, "it was heard just now")
	_, _, ok = to.Open(earlyFrame)
	require.True(t, ok, "it was forgotten")
}

// FuzzBusSeal opens what anybody may have sent.
func FuzzBusSeal(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(realtime.NewBusSeal().Seal(nil, 3, []byte("frame")))
	f.Add(make([]byte, realtime.BusSealSize))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		s := realtime.NewBusSeal()
		shard, frame, ok := s.Open(sealed)
		if !ok {
			return
		}
		if shard >= realtime.BusShards || len(frame) != len(sealed)-realtime.BusSealSize {
			t.Fatalf("Open() = shard %d, %d bytes of %d", shard, len(frame), len(sealed))
		}
		if _, _, again := s.Open(sealed); again {
			t.Fatal("it opened twice")
		}
	})
}
