package ws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
)

// TestRunEnds has Run end with its context, with Shutdown, and at once after Shutdown; a second one is refused.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		for name, bus := range map[string]realtime.Bus{"alone": nil, "cluster": hub.Node()} {
			run := func(end func(*ws.Server, context.CancelFunc)) {
				srv, err := ws.New(config(func(c *ws.Config) { c.Bus, c.Resync, c.Authorize = bus, noResync, everybody }))
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- srv.Run(ctx) }()
				pass(5 * time.Second)
				require.Empty(t, done, name)
				require.Error(t, srv.Run(ctx), "twice")
				end(srv, cancel)
				require.NoError(t, <-done, name)
			}
			run(func(_ *ws.Server, cancel context.CancelFunc) { cancel() })
			run(func(s *ws.Server, _ context.CancelFunc) { require.NoError(t, s.Shutdown(t.Context())) })
			late, err := ws.New(config(func(c *ws.Config) { c.Bus, c.Resync, c.Authorize = bus, noResync, everybody }))
			require.NoError(t, err)
			require.NoError(t, late.Shutdown(t.Context()))
			require.NoError(t, late.Run(t.Context()), name)
		}
	})
}

func TestBusNeedsResync(t *testing.T) {
	t.Parallel()
	var hub inmem.BusHub
	_, err := ws.New(config(func(c *ws.Config) { c.Bus = hub.Node() }))
	require.ErrorContains(t, err, "Config.Bus needs Config.Resync")
}

// TestRunNeedsAuthorize calls Run with a bus before and after there is a function to ask.
func TestRunNeedsAuthorize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		srv, err := ws.New(config(func(c *ws.Config) { c.Bus, c.Resync = hub.Node(), noResync }))
		require.NoError(t, err)
		err = srv.Run(t.Context())
		require.ErrorContains(t, err, "set Config.Authorize, or call AuthorizeWith before Run")
		srv.AuthorizeWith(everybody)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- srv.Run(ctx) }()
		pass(5 * time.Second)
		require.Empty(t, done)
		cancel()
		require.NoError(t, <-done)
	})
}

func noResync(realtime.Channel) (realtime.Event, bool) { return realtime.Event{}, false }

func everybody(_ context.Context, batch []realtime.Listener) ([]bool, error) {
	allowed := make([]bool, len(batch))
	for i := range allowed {
		allowed[i] = true
	}
	return allowed, nil
}

// TestClusterGoesOnAlone has the bus give up for good.
func TestClusterGoesOnAlone(t *testing.T) {
	t.Parallel()
	var end chan struct{}
	inBubble(t, func(t *testing.T, f *fixture) {
		heard := listen(f)
		done := make(chan error, 1)
		go func() { done <- f.Run(context.Background()) }()
		pass(5 * time.Second)
		close(end)
		require.ErrorIs(t, <-done, errBrittle)
		c := f.connect()
		f.subscribe(c, private)
		f.broadcast(private, `1`)
		require.Equal(t, []string{"new-message 1"}, anything(c))
		require.Equal(t, []string{"channel_occupied|" + string(private) + "|||||0"}, heard.take())
	}, func(c *ws.Config) {
		var hub inmem.BusHub
		end = make(chan struct{}) // of the bubble
		c.Bus, c.Resync, c.Authorize = &brittle{hub.Node(), end}, noResync, everybody
	})
}

var errBrittle = errors.New("it is over")

// brittle is a bus that ends for good.
type brittle struct {
	realtime.Bus
	end chan struct{}
}

func (b *brittle) Run(ctx context.Context, name string, h realtime.BusHandler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- b.Bus.Run(ctx, name, h) }()
	select {
	case err := <-done:
		return err
	case <-b.end:
		cancel()
		<-done
		return errBrittle
	}
}

// TestClusterRevokesAfterAnOutage loses a revocation with the bus. When that is back, everybody is asked about again.
func TestClusterRevokesAfterAnOutage(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		student := nodes[1].connect()
		nodes[1].join(student, private, "student")
		pass(time.Second)
		asked := nodes[1].asked
		nodes[0].Wake()
		pass(time.Second)
		require.Equal(t, asked, nodes[1].asked, "a look into the outbox is no reason to ask everybody's rights again")
		nodes[0].bus.Partition()
		pass(time.Second)
		require.NoError(t, nodes[0].Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"patient"}}))
		nodes[1].banned = map[string]bool{"student": true} // as the database says
		pass(5 * time.Second)
		for _, e := range anything(student) {
			require.NotContains(t, e, "403")
		}
		nodes[0].bus.Heal()
		nodes[1].bus.Partition()
		pass(time.Second)
		nodes[1].bus.Heal()
		pass(time.Second)
		require.Contains(t, strings.Join(anything(student), "\n"), "403")
	}, func(c *ws.Config) { c.AuthorizeInterval = time.Hour })
}

// TestClusterLargeChannel has more to say of one channel than fits into a record.
func TestClusterLargeChannel(t *testing.T) {
	t.Parallel()
	large := func(c *ws.Config) {
		c.MaxMemberInfo, c.MaxMessageBytes, c.MaxQueueFrames, c.MaxQueueBytes = 16<<10, 64<<10, 10_000, 1<<30
		c.ConnectRate = ws.Rate{PerSecond: -1}
	}
	synctest.Test(t, func(t *testing.T) {
		var hub inmem.BusHub
		first := enter(t, &hub, large)
		info := []byte(`{"name":"` + strings.Repeat("x", 16_000) + `"}`)
		for i := range 80 {
			c := first.connect()
			g := first.grantFor(c, room, &realtime.Member{UserID: fmt.Sprint(i), Info: info})
			request := map[string]string{"channel": string(room), "auth": g.Auth, "channel_data": g.ChannelData}
			require.NoError(t, c.Send(t.Context(), "pusher:subscribe", request))
		}
		pass(2 * time.Second)
		second := enter(t, &hub, large)
		pass(5 * time.Second)
		require.Len(t, second.Users(room), 80)
		frames := second.Stats().BusFramesIn
		pass(10 * time.Second)
		require.Less(t, second.Stats().BusFramesIn-frames, uint64(20), "it is said once")
	})
}
