package realtime_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

type revoker struct{ realtime.BroadcasterFunc }

func (revoker) Revoke(context.Context, realtime.Revocation) error { return nil }

type wrapper struct{ realtime.Broadcaster }

func (w wrapper) Unwrap() realtime.Broadcaster { return w.Broadcaster }

func TestFind(t *testing.T) {
	t.Parallel()
	plain := realtime.BroadcasterFunc(func(context.Context, realtime.Event) error { return nil })
	for name, b := range map[string]realtime.Broadcaster{
		"nil": nil, "plain": plain, "wrapped": wrapper{plain}, "wraps nil": wrapper{nil},
	} {
		_, found := realtime.Find[realtime.Revoker](b)
		require.False(t, found, name)
	}
	for name, b := range map[string]realtime.Broadcaster{"itself": revoker{plain}, "twice wrapped": wrapper{wrapper{revoker{plain}}}} {
		r, found := realtime.Find[realtime.Revoker](b)
		require.True(t, found, name)
		require.NotNil(t, r, name)
	}
}
