package ws_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

func counting(c *ws.Config) { c.SubscriptionCount = true }

func count(ch realtime.Channel, n int) string {
	return fmt.Sprintf(`{"event":"pusher_internal:subscription_count","channel":%q,"data":"{\"subscription_count\":%d}"}`, ch, n)
}

func TestSubscriptionCount(t *testing.T) {
	t.Parallel()
	f := start(t, counting)
	a, b := f.connect(), f.connect()
	for _, ch := range []realtime.Channel{lobby, private, "private-encrypted-a"} {
		f.subscribe(a, ch)
		require.Equal(t, count(ch, 1), next(t, a))
		f.subscribe(b, ch)
		require.Equal(t, count(ch, 2), next(t, a))
		require.Equal(t, count(ch, 2), next(t, b))
		require.NoError(t, b.Unsubscribe(t.Context(), ch))
		require.Equal(t, count(ch, 1), next(t, a))
	}
	f.join(a, room, "a") // has its members
	silent(t, a, b)
}

// TestSubscriptionCountOfManyPauses has 101 subscribers: the next change is told within 5 s, once.
func TestSubscriptionCountOfManyPauses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		var clients []*realtimetest.Client
		told := make(chan string, 1000)
		join := func() {
			c := f.connect()
			clients = append(clients, c)
			f.subscribe(c, lobby)
			first := len(clients) == 1
			go func() {
				for {
					frame, err := c.Next(t.Context())
					if err != nil {
						return
					}
					if first && frame.Event == "pusher_internal:subscription_count" {
						told <- string(frame.Raw)
					}
				}
			}()
			synctest.Wait()
		}
		for n := range 100 {
			join()
			require.Equal(t, count(lobby, n+1), <-told)
		}
		join()
		join()
		require.Empty(t, told)
		pass(5 * time.Second)
		require.Equal(t, count(lobby, 102), <-told)
		pass(time.Minute)
		require.Empty(t, told)
		join()
		clients[102].Cut()
		synctest.Wait()
		pass(5 * time.Second)
		require.Equal(t, count(lobby, 102), <-told, "the newcomer does not know it")
		clients[101].Cut()
		clients[100].Cut()
		synctest.Wait()
		require.Equal(t, count(lobby, 100), <-told)
		pass(10 * time.Second)
		require.Empty(t, told, "it was told at once")
		for _, c := range clients {
			c.Cut()
		}
		pass(10 * time.Second)
		require.Zero(t, f.Stats().Channels)
	}, counting)
}
