package ws_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

var attacks = []attack{
	{name: "reads a byte at a time", want: 4100, run: (*siege).trickle},
	{name: "never answers a ping", change: impatient, want: 4201, run: (*siege).silence},
	{name: "half-open socket", change: impatient, want: 4201, run: (*siege).halfOpen},
	{name: "slowloris", run: (*siege).slowloris},
	{name: "100,000 channel names at once", change: unpaced, run: (*siege).manyNames},
	{name: "20,000 channel names in turn", change: unpaced, run: (*siege).fleetingNames},
	{name: "frame of 16 KiB and one byte", want: 1009, run: func(s *siege) int {
		return s.answer(realtimetest.OpText, true, make([]byte, 16<<10+1))
	}},
	{name: "fragments of 16 KiB and one byte", want: 1009, run: (*siege).fragments},
	{name: "frame that claims 2^62 bytes", want: 1009, run: (*siege).hugeClaim},
	{name: "deflate bomb", want: 1002, run: (*siege).deflateBomb},
	{name: "ping flood", want: 4100, run: (*siege).pingFlood},
	{name: "bad UTF-8", want: 1007, run: func(s *siege) int {
		return s.answer(realtimetest.OpText, true, []byte("{\"event\":\"\xc3\x28\"}"))
	}},
	{name: "duplicate keys", run: malformed(`{"event":"pusher:ping","event":"pusher:subscribe"}`)},
	{name: "NUL", run: malformed(`{"event":"pusher:ping","data":"\u0000"}`)},
	{name: "raw NUL", run: malformed("{\"event\":\"pusher:ping\",\"data\":\"\x00\"}")},
	{name: "wrong origin", want: 4009, run: (*siege).wrongOrigin},
	{name: "captured authorisation", run: (*siege).replay},
}

// unpaced lets a client do as much as it can.
func unpaced(c *ws.Config) {
	patient(c)
	c.MessageRate, c.SubscribeRate = ws.Rate{PerSecond: -1}, ws.Rate{PerSecond: -1}
}

// answer sends one frame and returns the close code that it is answered with.
func (s *siege) answer(opcode byte, final bool, payload []byte) int {
	c := s.connect()
	require.NoError(s.t, c.SendFrame(s.t.Context(), opcode, final, payload))
	return closeCode(s.t, c)
}

// malformed is a message that is answered with an error, after which the connection goes on.
func malformed(message string) func(*siege) int {
	return func(s *siege) int {
		c := s.connect()
		for range 10 {
			require.NoError(s.t, c.SendText(s.t.Context(), message))
			require.Equal(s.t, `{"event":"pusher:error","data":{"code":null,"message":"Malformed message"}}`, next(s.t, c))
		}
		require.NoError(s.t, c.Sync(s.t.Context()))
		return 0
	}
}

// drip reads a byte for each token, once it is limited, and as much as there is when there are no more tokens to come.
type drip struct {
	net.Conn
	limited atomic.Bool
	tokens  chan struct{}
}

func (d *drip) Read(p []byte) (int, error) {
	if d.limited.Load() {
		if _, ok := <-d.tokens; ok {
			p = p[:1]
		}
	}
	return d.Conn.Read(p)
}

// trickle reads one byte for every event: the clock of this test, in which a second is an event of 10 kB.
func (s *siege) trickle() int {
	line := &drip{tokens: make(chan struct{}, 1)}
	c, err := s.dialPath(path, &realtimetest.DialOptions{
		Dial: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			line.Conn, err = new(net.Dialer).DialContext(ctx, network, addr)
			return line, err
		},
	})
	require.NoError(s.t, err)
	s.subscribe(c, private)
	line.limited.Store(true)
	code := make(chan int, 1)
	s.background(func() error {
		for {
			if _, err := c.Next(s.t.Context()); err != nil {
				var ce *realtimetest.CloseError
				if errors.As(err, &ce) {
					code <- ce.Code
				}
				close(code)
				return nil
			}
		}
	})
	s.t.Cleanup(line.open)
	big := `"` + strings.Repeat("x", realtime.MaxEventData-2) + `"`
	for s.Stats().SlowCloses == 0 {
		s.broadcast(private, big)
		require.NoError(s.t, s.Flush(s.t.Context()))
		select {
		case line.tokens <- struct{}{}:
		default:
		}
	}
	s.capped()
	line.open()
	return <-code
}

func (d *drip) open() {
	if d.limited.Swap(false) {
		close(d.tokens)
	}
}

// silence reads everything and answers nothing.
func (s *siege) silence() int {
	clients := s.mute(20)
	for _, c := range clients[1:] {
		require.Equal(s.t, 4201, closeCode(s.t, c))
	}
	return closeCode(s.t, clients[0])
}

// halfOpen are connections whose other end has gone without a word: nothing is read and nothing sent any more.
func (s *siege) halfOpen() int {
	clients := s.mute(20)
	s.gone()
	require.EqualValues(s.t, 20, s.Stats().Closes[4201])
	return closeCode(s.t, clients[0]) // that was for nobody
}

// slowloris are requests that never end, and connections without any.
func (s *siege) slowloris() int {
	conns := s.raw(20)
	for i, conn := range conns {
		request := "GET " + path + " HTTP/1.1\r\nHost: murph.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Never: "
		_, err := io.WriteString(conn, request[:len(request)*i/len(conns)])
		require.NoError(s.t, err)
	}
	s.serves()
	for _, conn := range conns {
		answer, err := io.ReadAll(conn)
		require.NoError(s.t, err)
		require.NotContains(s.t, string(answer), "101 Switching Protocols")
	}
	s.gone()
	return 0
}

func subscribeTo(i int) string {
	return fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"made-up-%d"}}`, i)
}

// manyNames wants to have all names at the same time, and gets the first hundred.
func (s *siege) manyNames() int {
	const names = 100_000
	c := s.connect()
	s.sends(c, func(i int) (string, bool) { return subscribeTo(i), i < names })
	for i := range names {
		frame, err := c.Next(s.t.Context())
		require.NoError(s.t, err)
		if i < 100 {
			require.Equal(s.t, "pusher_internal:subscription_succeeded", frame.Event)
		} else {
			require.Equal(s.t, "pusher:subscription_error", frame.Event)
		}
	}
	require.Equal(s.t, 100, s.Stats().Channels)
	require.EqualValues(s.t, names-100, s.Stats().RefusedSubscriptions)
	s.capped()
	return 0
}

// fleetingNames has one name after the other.
func (s *siege) fleetingNames() int {
	const names = 20_000
	c := s.connect()
	s.sends(c, func(i int) (string, bool) {
		if i%2 == 0 {
			return subscribeTo(i / 2), true
		}
		return strings.Replace(subscribeTo(i/2), "subscribe", "unsubscribe", 1), i < 2*names-1
	})
	for range names {
		frame, err := c.Next(s.t.Context())
		require.NoError(s.t, err)
		require.Equal(s.t, "pusher_internal:subscription_succeeded", frame.Event)
	}
	require.LessOrEqual(s.t, s.Stats().Channels, 1) // the last one
	s.capped()
	return 0
}

// fragments makes a message too big out of frames that are not.
func (s *siege) fragments() int {
	c := s.connect()
	opcode := realtimetest.OpText
	for range 16 {
		require.NoError(s.t, c.SendFrame(s.t.Context(), opcode, false, make([]byte, 1<<10)))
		opcode = realtimetest.OpContinuation
	}
	require.NoError(s.t, c.SendFrame(s.t.Context(), opcode, true, []byte{0}))
	return closeCode(s.t, c)
}

// hugeClaim announces more than there is memory, and sends a little of it.
func (s *siege) hugeClaim() int {
	var line net.Conn
	c, err := s.dialPath(path, &realtimetest.DialOptions{
		Dial: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			line, err = new(net.Dialer).DialContext(ctx, network, addr)
			return line, err
		},
	})
	require.NoError(s.t, err)
	header := []byte{0x81, 0x80 | 127, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	_, err = line.Write(append(header, make([]byte, 32<<10)...))
	require.NoError(s.t, err)
	s.capped()
	return closeCode(s.t, c)
}

// deflateBomb offers compression, is not granted it, and sends a frame as if it were: 16 MB that take 16 kB.
func (s *siege) deflateBomb() int {
	tap := new(bytes.Buffer)
	c, err := s.dialPath(path, &realtimetest.DialOptions{
		Header: http.Header{"Sec-Websocket-Extensions": {"permessage-deflate; client_max_window_bits"}},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return tapped{conn, tap}, err
		},
	})
	require.NoError(s.t, err)
	require.NotContains(s.t, strings.ToLower(tap.String()), "sec-websocket-extensions")
	var bomb bytes.Buffer
	w, err := flate.NewWriter(&bomb, flate.BestCompression)
	require.NoError(s.t, err)
	_, err = w.Write(make([]byte, 15<<20))
	require.NoError(s.t, errors.Join(err, w.Flush()))
	require.Less(s.t, bomb.Len(), 16<<10)
	const compressed = 0x40 // RSV1 (RFC 7692 §6)
	require.NoError(s.t, c.SendFrame(s.t.Context(), compressed|realtimetest.OpText, true, bomb.Bytes()))
	return closeCode(s.t, c)
}

// pingFlood sends pings without end.
func (s *siege) pingFlood() int {
	c := s.connect()
	s.background(func() error {
		for c.SendFrame(s.t.Context(), realtimetest.OpPing, true, make([]byte, 125)) == nil {
		}
		return nil
	})
	defer c.Cut()
	return closeCode(s.t, c)
}

// wrongOrigin is a page on somebody else's site.
func (s *siege) wrongOrigin() int {
	_, err := s.dialPath(path, &realtimetest.DialOptions{Header: http.Header{"Origin": {"https://evil.example"}}})
	var ce *realtimetest.CloseError
	require.ErrorAs(s.t, err, &ce)
	return ce.Code
}

// replay takes an authorisation from somebody else's connection.
func (s *siege) replay() int {
	victim, thief := s.connect(), s.connect()
	for _, ch := range []realtime.Channel{private, room} {
		captured := s.grantFor(victim, ch, &realtime.Member{UserID: "victim"})
		require.NoError(s.t, victim.Subscribe(s.t.Context(), ch, captured))
		require.Contains(s.t, s.refusal(thief, ch, captured), `"status":401`)
		require.Equal(s.t, 1, s.Subscribers(ch))
	}
	return 0
}
