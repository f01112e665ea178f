package ws_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func revoked(ch realtime.Channel) string {
	return `{"event":"pusher:subscription_error","channel":"` + string(ch) +
		`","data":{"type":"AuthError","error":"No longer authorized","status":403}}`
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	f := start(t)
	patient, student, tab, nobody := f.connect(), f.connect(), f.connect(), f.connect()
	for _, ch := range []realtime.Channel{private, room} {
		f.join(patient, ch, "patient")
		f.join(student, ch, "student")
	}
	f.join(tab, private, "student")
	f.subscribe(nobody, private)
	f.join(tab, "private-other", "student")
	require.Equal(t, added("student", "{}"), next(t, patient))

	require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"patient", "new"}}))
	for _, c := range []*realtimetest.Client{student, tab, nobody} {
		require.Equal(t, revoked(private), next(t, c))
	}
	f.broadcast(private, "1")
	f.broadcast("private-other", "2")
	require.Contains(t, next(t, patient), "new-message")
	require.Contains(t, next(t, tab), "private-other")
	silent(t, student, tab, nobody)

	require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{room}, Keep: []string{"patient"}}))
	require.Equal(t, revoked(room), next(t, student))
	require.Equal(t, removed("student"), next(t, patient))
	silent(t, patient, student)
	require.EqualValues(t, 4, f.Stats().EndedSubscriptions)
	require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{"private-empty"}}))

	require.ErrorIs(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{lobby}}), realtime.ErrInvalidChannel)
	require.ErrorIs(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{"a b"}}), realtime.ErrInvalidChannel)
	require.ErrorIs(t, f.Revoke(ended(), realtime.Revocation{Channels: []realtime.Channel{private}}), context.Canceled)
}

// TestRevokedGrantsAreDead replays grants from before the revocation, on the connection that they were made for, and
// shows that later ones count.
func TestRevokedGrantsAreDead(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		student, fresh, foreign := f.connect(), f.connect(), f.connect()
		member := &realtime.Member{UserID: "student"}
		used, unused := f.grantFor(student, private, member), f.grantFor(fresh, private, member)
		require.NoError(t, student.Subscribe(t.Context(), private, used))
		require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"patient"}}))
		require.Equal(t, revoked(private), next(t, student))
		var refused *realtimetest.RefusedError
		for _, try := range []func() error{
			func() error { return student.Subscribe(t.Context(), private, used) },
			func() error { return fresh.Subscribe(t.Context(), private, unused) },
			func() error { // an endpoint that had read the store before the change, and signs after it
				return fresh.Subscribe(t.Context(), private, f.grantFor(fresh, private, member))
			},
			func() error { // and another SDK, whose grants have no time
				return foreign.Subscribe(t.Context(), private, signed(foreign, private, `{"user_id":"student"}`))
			},
			func() error { return foreign.Subscribe(t.Context(), private, signed(foreign, private, "")) },
		} {
			require.ErrorAs(t, try(), &refused)
			require.Contains(t, string(refused.Data), "No longer authorized")
		}
		require.NoError(t, foreign.Subscribe(t.Context(), private, signed(foreign, private, `{"user_id":"patient"}`)))

		pass(time.Second) // the host has decided anew
		require.NoError(t, student.Subscribe(t.Context(), private, f.grantFor(student, private, member)))
		require.ErrorAs(t, fresh.Subscribe(t.Context(), private, unused), &refused)
		require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"student"}}))
		require.Equal(t, revoked(private), next(t, foreign))
		require.NoError(t, fresh.Subscribe(t.Context(), private, unused), "is among those who may again")
	})
}

// TestRevokeOfSignedInUser covers a subscription that only the sign-in ties to a user, before or after it.
func TestRevokeOfSignedInUser(t *testing.T) {
	t.Parallel()
	f := start(t)
	before, after := f.connect(), f.connect()
	f.signIn(before, "ann", "")
	f.subscribe(before, private)
	f.subscribe(after, private)
	f.signIn(after, "ann", "")
	require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}, Keep: []string{"ann"}}))
	silent(t, before, after)
	require.NoError(t, f.Revoke(t.Context(), realtime.Revocation{Channels: []realtime.Channel{private}}))
	require.Equal(t, revoked(private), next(t, before))
	require.Equal(t, revoked(private), next(t, after))
}

func TestGrantsExpire(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		keep := func() *realtimetest.Client {
			c := f.connect()
			f.subscribe(c, lobby)
			return c
		}
		c, late := keep(), keep()
		member := &realtime.Member{UserID: "ann"}
		g, gLate := f.grantFor(c, private, member), f.grantFor(late, private, member)
		foreign := signed(late, "private-foreign", `{"user_id":"ann"}`)
		stop := answerPings(t, c, late)
		pass(10 * time.Minute)
		stop()
		require.NoError(t, c.Subscribe(t.Context(), private, g))
		pass(time.Second)
		var refused *realtimetest.RefusedError
		require.ErrorAs(t, late.Subscribe(t.Context(), private, gLate), &refused)
		require.Contains(t, string(refused.Data), "Authorization expired")
		require.NoError(t, late.Subscribe(t.Context(), "private-foreign", foreign))
	})
}

// answerPings has clients stay connected for as long as a test lets time pass.
func answerPings(t *testing.T, clients ...*realtimetest.Client) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			for {
				if _, err := c.Next(ctx); err != nil {
					return
				}
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// host is one who is asked who may listen.
type host struct {
	mu     sync.Mutex
	asked  [][]realtime.Listener
	denied map[realtime.Listener]bool
	err    error
	panics bool
}

func (h *host) Authorize(_ context.Context, batch []realtime.Listener) ([]bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, slices.Clone(batch))
	if h.panics {
		panic("a bug")
	}
	allowed := make([]bool, len(batch))
	for i, l := range batch {
		allowed[i] = !h.denied[l]
	}
	return allowed, h.err
}

func (h *host) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func TestSweep(t *testing.T) {
	t.Parallel()
	h := &host{denied: map[realtime.Listener]bool{}}
	inBubble(t, func(t *testing.T, f *fixture) {
		ann, tab, bob := f.connect(), f.connect(), f.connect()
		f.subscribe(ann, lobby)
		f.join(ann, private, "ann")
		f.join(ann, room, "ann")
		f.join(tab, private, "ann")
		f.join(bob, private, "bob")
		f.subscribe(bob, "private-tied-to-nobody")
		var log sync.Map
		watch := func(name string, c *realtimetest.Client) {
			go func() {
				for {
					frame, err := c.Next(t.Context())
					if err != nil {
						return
					}
					if frame.Event == "pusher:subscription_error" {
						log.Store(name, string(frame.Raw))
					}
				}
			}()
		}
		watch("ann", ann)
		watch("tab", tab)
		watch("bob", bob)
		pass(47 * time.Second)
		h.set(func() { require.Empty(t, h.asked) })
		pass(26 * time.Second) // 60 s and a fifth have passed
		h.set(func() {
			require.Len(t, h.asked, 1)
			require.ElementsMatch(t, []realtime.Listener{{UserID: "ann", Channel: private}, {UserID: "bob", Channel: private},
				{UserID: "ann", Channel: room}}, h.asked[0])
			h.denied[realtime.Listener{UserID: "ann", Channel: private}] = true
			h.err = errors.New("the database is down")
		})
		pass(72 * time.Second)
		require.Zero(t, f.Stats().EndedSubscriptions, "who cannot be asked about stays")
		h.set(func() { h.err, h.panics = nil, true })
		pass(72 * time.Second)
		require.Zero(t, f.Stats().EndedSubscriptions)
		h.set(func() { h.panics = false })
		pass(72 * time.Second)
		require.EqualValues(t, 2, f.Stats().EndedSubscriptions)
		for _, name := range []string{"ann", "tab"} {
			got, _ := log.Load(name)
			require.Equal(t, revoked(private), got)
		}
		_, told := log.Load("bob")
		require.False(t, told)
		require.Equal(t, 4, f.Stats().Subscriptions)
	}, func(c *ws.Config) { c.Authorize = h.Authorize })
}

// TestSweepAsksInBatches has 1,200 listeners.
func TestSweepAsksInBatches(t *testing.T) {
	t.Parallel()
	h := &host{}
	inBubble(t, func(t *testing.T, f *fixture) {
		for range 12 {
			c := f.connect()
			for i := range 100 {
				f.join(c, realtime.Channel("private-"+string(c.SocketID())+"-"+string(rune('A'+i%26))+string(rune('a'+i/26))), "ann")
			}
		}
		require.Equal(t, 1200, f.Stats().Subscriptions)
		pass(15 * time.Second)
		h.set(func() {
			var sizes []int
			for _, batch := range h.asked {
				sizes = append(sizes, len(batch))
			}
			require.Equal(t, []int{500, 500, 200}, sizes)
		})
	}, func(c *ws.Config) {
		c.Authorize, c.AuthorizeInterval = h.Authorize, 12*time.Second
		c.SubscribeRate.PerSecond, c.MessageRate.PerSecond = -1, -1
	})
}

// TestShutdownEndsTheSweep has a host that hangs: Shutdown says so, and waits no longer than it may.
func TestShutdownEndsTheSweep(t *testing.T) {
	t.Parallel()
	var hang chan struct{}
	inBubble(t, func(t *testing.T, f *fixture) {
		hang = make(chan struct{})
		c := f.connect()
		f.join(c, private, "ann")
		stop := answerPings(t, c)
		pass(72 * time.Second)
		stop()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		go func() { _ = closeCode(t, c) }()
		err := f.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "Authorize")
		close(hang)
		synctest.Wait()
		require.NoError(t, f.Shutdown(t.Context()))
	}, func(c *ws.Config) {
		c.Authorize = func(context.Context, []realtime.Listener) ([]bool, error) {
			<-hang
			return nil, nil
		}
	})
}
