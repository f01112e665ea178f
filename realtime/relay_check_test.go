package realtime_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func TestARelayRunsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		stop := r.run()
		synctest.Wait()
		require.ErrorContains(t, r.relay.Run(t.Context()), "run before", "while it runs")
		require.NoError(t, r.relay.Check(t.Context()), "the first is not disturbed")
		stop()
		require.ErrorContains(t, r.relay.Run(t.Context()), "run before", "and after")

		for range 100 {
			r.commit("private-late")
		}
		require.Zero(t, r.relay.LeftForDrain(), "nothing grows when nobody drains any more")
		require.EqualValues(t, 100, r.pending())
	})
}

func TestCheckOfARelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t, realtime.RelayOptions{})
		require.ErrorContains(t, r.relay.Check(t.Context()), "does not run")
		stop := r.run()
		synctest.Wait()
		require.NoError(t, r.relay.Check(t.Context()))

		r.to.answers(always(errors.New("down")))
		for range 5 {
			r.commit("private-a")
		}
		pass(10 * time.Second)
		require.ErrorIs(t, r.relay.Check(t.Context()), realtime.ErrUnavailable)
		r.to.answers(always(nil))
		pass(time.Minute)
		require.NoError(t, r.relay.Check(t.Context()))

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.relay.Check(ended), context.Canceled)
		stop()
		require.ErrorContains(t, r.relay.Check(t.Context()), "does not run")
	})
}
