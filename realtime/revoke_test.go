package realtime_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

type revoker struct{ realtime.BroadcasterFunc }

func (revoker) Revoke(context.Context, realtime.Channel, ...string) error { return nil }

type wrapper struct{ realtime.Broadcaster }

func (w wrapper) Unwrap() realtime.Broadcaster { return w.Broadcaster }

func TestFindRevoker(t *testing.T) {
	t.Parallel()
	plain := realtime.BroadcasterFunc(func(context.Context, realtime.Event) error { return nil })
	require.Nil(t, realtime.FindRevoker(nil))
	require.Nil(t, realtime.FindRevoker(plain))
	require.Nil(t, realtime.FindRevoker(wrapper{plain}))
	require.Nil(t, realtime.FindRevoker(wrapper{nil}))
	require.NotNil(t, realtime.FindRevoker(revoker{plain}))
	require.NotNil(t, realtime.FindRevoker(wrapper{wrapper{revoker{plain}}}))
}
