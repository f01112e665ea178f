package realtimetest_test

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
)

// echo starts a server that says what it hears, and a proxy before it.
func echo(t *testing.T) *realtimetest.Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	p, err := realtimetest.ListenProxy(l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func dial(t *testing.T, p *realtimetest.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c
}

func says(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func hears(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

// ended waits until the other side has ended the connection.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is open still")
}

func TestProxyPasses(t *testing.T) {
	t.Parallel()
	c := dial(t, echo(t))
	says(t, c, "one")
	hears(t, c, "one")
}

func TestProxyKicks(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	says(t, c, "one")
	hears(t, c, "one")
	p.Kick()
	ended(t, c)
	c = dial(t, p)
	says(t, c, "two")
	hears(t, c, "two")
}

func TestProxyCuts(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	says(t, c, "one")
	hears(t, c, "one")
	p.Cut()
	ended(t, c)
	if c, err := net.Dial("tcp", p.Addr()); err == nil { // or it was ended before the dialer knew of it
		t.Cleanup(func() { _ = c.Close() })
		ended(t, c)
	}
	p.Heal()
	c = dial(t, p)
	says(t, c, "two")
	hears(t, c, "two")
}

func TestProxyStalls(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	says(t, c, "one")
	hears(t, c, "one")
	p.Stall()
	late := dial(t, p)
	says(t, c, "two")
	says(t, late, "three")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	p.Heal()
	hears(t, c, "two")
	hears(t, late, "three")
}

func TestProxyCloses(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	says(t, c, "one")
	hears(t, c, "one")
	p.Stall()
	says(t, c, "two")
	p.Close()
	ended(t, c)
	_, err := net.Dial("tcp", p.Addr())
	require.Error(t, err)
	p.Close()
}
