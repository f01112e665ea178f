package ws_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// dialFrom connects as a proxy on the loopback interface does for the client in X-Forwarded-For, and returns the close
// code, or 0.
func (f *fixture) dialFrom(forwarded ...string) int {
	f.t.Helper()
	_, err := f.dialPath(path, &realtimetest.DialOptions{Header: http.Header{"X-Forwarded-For": forwarded}})
	if err == nil {
		return 0
	}
	var ce *realtimetest.CloseError
	require.ErrorAs(f.t, err, &ce)
	return ce.Code
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}

// TestConnectionsPerAddress tells addresses apart by the right-most one that is no proxy of ours.
func TestConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) {
		c.MaxAddressConnections, c.TrustedProxies = 2, loopback
		c.AddressConnectRate.PerSecond = -1
	})
	for _, step := range []struct {
		forwarded []string
		want      int
	}{
		{[]string{"8.8.8.8"}, 0},
		{[]string{"1.1.1.1, 8.8.8.8"}, 0}, // what a client writes itself stands on the left
		{[]string{"2.2.2.2, 8.8.8.8, 10.1.2.3"}, 4100},
		{[]string{"8.8.8.8:1234"}, 4100},
		{[]string{"3.3.3.3", "8.8.8.8"}, 4100}, // two headers are one list
		{[]string{"8.8.4.4"}, 0},
		{[]string{"2606:4700:1:2::1"}, 0},
		{[]string{"[2606:4700:1:2::2]:443"}, 0},
		{[]string{"2606:4700:1:2:ffff::3"}, 4100}, // the same customer
		{[]string{"2606:4700:1:3::1"}, 0},
		{[]string{"::ffff:8.8.8.8"}, 4100},
		{nil, 0}, // the proxy itself, and
		{[]string{"8.8.9.9, not an address"}, 0},
		{[]string{"10.9.9.9"}, 0}, // a proxy behind a proxy
		{[]string{"unknown"}, 4100},
	} {
		require.Equal(t, step.want, f.dialFrom(step.forwarded...), step.forwarded)
	}
	require.EqualValues(t, 6, f.Stats().Closes[4100])
}

func TestAddressIsFreeAgain(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxAddressConnections = 1 })
	for range 3 {
		c := f.connect()
		require.Equal(t, 4100, f.dialFrom())
		c.Close()
		f.waitConnections(0)
	}
}

// TestHeaderOfStrangers shows that nobody gets another address by saying so.
func TestHeaderOfStrangers(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.MaxAddressConnections = 1 })
	require.Zero(t, f.dialFrom("8.8.8.8"))
	require.Equal(t, 4100, f.dialFrom("8.8.4.4"))
}

// TestDefaultsSpareProxies opens more connections from the loopback interface than one public address may have.
func TestDefaultsSpareProxies(t *testing.T) {
	t.Parallel()
	f := start(t)
	for range 101 {
		require.Zero(t, f.dialFrom())
	}
	public := start(t, func(c *ws.Config) { c.TrustedProxies = loopback })
	for range 20 {
		require.Zero(t, public.dialFrom("8.8.8.8"))
	}
	// The rate gives some back meanwhile, on a slow machine more; the number of connections is the last resort.
	for range 101 {
		if code := public.dialFrom("8.8.8.8"); code != 0 {
			require.Equal(t, 4100, code)
			return
		}
	}
	t.Error("121 connections from one public address were let in")
}

func TestConnectRates(t *testing.T) {
	t.Parallel()
	const never = 1e-6 // so slow that nothing comes back within the test
	f := start(t, func(c *ws.Config) {
		c.TrustedProxies, c.AddressConnectRate = loopback, ws.Rate{PerSecond: never, Burst: 2}
		c.ConnectRate = ws.Rate{PerSecond: never, Burst: 5}
	})
	require.Equal(t, []int{0, 0, 4100, 0, 0, 4100, 0, 4100}, []int{
		f.dialFrom("8.8.8.8"), f.dialFrom("8.8.8.8"), f.dialFrom("8.8.8.8"),
		f.dialFrom("8.8.4.4"), f.dialFrom("8.8.4.4"), f.dialFrom("8.8.4.4"),
		f.dialFrom("1.1.1.1"), // who is refused for their own address takes nobody's turn
		f.dialFrom("1.0.0.1"),
	})
}

// TestConnectRateRecovers lets the time of a bubble pass.
func TestConnectRateRecovers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		for range 2 {
			for range 3 {
				require.Zero(t, f.dialFrom())
			}
			require.Equal(t, 4100, f.dialFrom())
			pass(time.Second)
		}
	}, func(c *ws.Config) { c.ConnectRate = ws.Rate{PerSecond: 3} })
}

// TestVisitorsAreForgotten has people come from one address and from thousands. Of one who has gone, and whose rate has
// recovered, nothing is left; of one who is still there, or was there just now, everything is.
func TestVisitorsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := ws.NewDoor(ws.Config{ConnectRate: ws.Rate{PerSecond: -1}, MaxAddressConnections: 1})
		one, stays := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("8.8.4.4")
		require.Empty(t, d.Enter(one))
		pass(time.Second)
		d.Leave(one)
		require.Zero(t, d.Visitors())

		require.Empty(t, d.Enter(stays))
		for i := range 3000 {
			from := netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)})
			require.Empty(t, d.Enter(from))
			d.Leave(from) // so soon that its rate counts
		}
		require.Equal(t, 3001, d.Visitors())
		pass(time.Second)
		for i := range 3000 {
			from := netip.AddrFrom4([4]byte{9, 10, byte(i >> 8), byte(i)})
			require.Empty(t, d.Enter(from))
			d.Leave(from)
		}
		require.Less(t, d.Visitors(), 4096)
		require.NotEmpty(t, d.Enter(stays), "it is inside")
		d.Leave(stays)
		require.Empty(t, d.Enter(stays))
	})
}

// TestRefusalsAreBounded refuses more clients than are given the time to answer that, none of which does.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		const most = 1000
		ends := make(chan struct{}, 2*most)
		come := func() {
			conn, err := f.dial(t.Context(), "tcp", "murph.test")
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				ends <- struct{}{}
			}()
			_, err = io.WriteString(conn, "GET /app/another-key?protocol=7 HTTP/1.1\r\nHost: murph.test\r\nConnection: Upgrade\r\n"+
				"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
			require.NoError(t, err)
			synctest.Wait()
		}
		for range 2 {
			for range most {
				come()
			}
			require.Empty(t, ends)
			come()
			require.Len(t, ends, 1, "it is not waited for")
			pass(2 * time.Second)
			require.Len(t, ends, most+1, "there is room again")
			for range most + 1 {
				<-ends
			}
		}
		require.EqualValues(t, 2*(most+1), f.Stats().Closes[4001])
	})
}

func TestRequireOrigin(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *ws.Config) { c.RequireOrigin = true })
	_, err := f.dialPath(path, nil)
	var ce *realtimetest.CloseError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, 4009, ce.Code)
	own := http.Header{"Origin": {strings.Replace(f.base, "ws", "http", 1)}}
	_, err = f.dialPath(path, &realtimetest.DialOptions{Header: own})
	require.NoError(t, err)
}
