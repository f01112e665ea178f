//go:build unix

package ws_test

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// FuzzWire sends messages over a socket that takes any number of bytes at any time, and ends the connection at any
// moment. Whatever happens, the client reads whole messages in order; all that were taken, unless the end dropped some;
// and nothing behind the close frame. Two bytes are one step.
func FuzzWire(f *testing.F) {
	f.Add([]byte{0, 3, 0, 3, 2, 9, 1, 5, 2, 200, 4, 0}, true)
	f.Add([]byte{3, 3, 0, 1, 2, 255, 5, 0, 2, 255}, true)
	f.Add([]byte{1, 7, 1, 7, 1, 7, 2, 30, 5, 0}, false)
	f.Add([]byte{65, 1, 49, 1}, true) // the room ends where a frame does
	f.Fuzz(func(t *testing.T, steps []byte, straight bool) {
		if len(steps) > 200 {
			return
		}
		synctest.Test(t, func(t *testing.T) { runWire(t, steps, straight) })
	})
}

func runWire(t *testing.T, steps []byte, straight bool) {
	cfg := ws.Config{MaxQueueFrames: 16, MaxQueueBytes: 2000}
	w := ws.NewWire(cfg, straight)
	var sent []string // what was taken, in order
	next := 0
	message := func(size byte) []byte {
		m := append(strconv.AppendInt(nil, int64(next), 10), bytes.Repeat([]byte{'x'}, int(size))...)
		next++
		return m
	}
	finished, dropped := false, false
	for i := 0; i+1 < len(steps); i += 2 {
		size := steps[i+1]
		switch steps[i] % 7 {
		case 0, 1: // one message, or several as one batch
			var batch [][]byte
			for range 1 + int(steps[i]/7)%4 {
				batch = append(batch, message(size))
			}
			was := finished
			if !w.Deliver(batch...) {
				w.Finish(true) // as the server does; a part of the batch may be out
				dropped, finished = dropped || !was, true
			}
			for _, m := range batch {
				if !was {
					sent = append(sent, string(m))
				}
			}
		case 2:
			w.Sock.Grant(int(size) * 4)
		case 3:
			if m := message(size); w.Hold(m) {
				require.False(t, finished)
				sent = append(sent, string(m))
			}
			w.Flush()
		case 4, 5:
			drop := steps[i]%7 == 5
			dropped = dropped || drop && !finished
			w.Finish(drop)
			finished = true
		case 6:
			synctest.Wait()
		}
		own, all := w.Pending()
		require.Equal(t, own, all)
		require.LessOrEqual(t, own, cfg.MaxQueueBytes+4*260+10) // and the rest of one frame, and the close frame
	}
	w.Sock.Grant(1 << 20)
	synctest.Wait()
	own, all := w.Pending()
	require.Zero(t, own)
	require.Zero(t, all)

	stream, closed := w.Sock.Written()
	require.False(t, closed)
	got, end := readFrames(t, stream)
	require.Equal(t, finished, end)
	if !dropped {
		require.Equal(t, sent, got)
		return
	}
	for len(sent) > 0 && len(got) > 0 {
		if sent[0] == got[0] {
			got = got[1:]
		}
		sent = sent[1:]
	}
	require.Empty(t, got, "out of order, or not sent")
}

// readFrames splits what a server has sent, and reports whether a close frame is at its end.
func readFrames(t *testing.T, stream []byte) (messages []string, end bool) {
	for len(stream) > 0 {
		require.False(t, end, "something is behind the close frame")
		require.GreaterOrEqual(t, len(stream), 2)
		head, size := 2, int(stream[1])
		if size == 126 {
			require.GreaterOrEqual(t, len(stream), 4)
			head, size = 4, int(binary.BigEndian.Uint16(stream[2:]))
		}
		require.GreaterOrEqual(t, len(stream), head+size, "a frame is not whole")
		switch stream[0] {
		case 0x81:
			messages = append(messages, string(stream[head:head+size]))
		case 0x88:
			end = true
		default:
			require.Fail(t, "a frame within a frame", "%x", stream[0])
		}
		stream = stream[head+size:]
	}
	return messages, end
}

// TestWriteDeadlineIsTakenBack writes long after a write that had to wait: the deadline of that one is over.
func TestWriteDeadlineIsTakenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := ws.NewWire(ws.Config{}, true)
		require.True(t, w.Deliver([]byte("waits")))
		synctest.Wait()
		w.Sock.Grant(1000)
		synctest.Wait()
		pass(time.Hour)
		require.True(t, w.Deliver([]byte("goes out at once")))
		stream, closed := w.Sock.Written()
		require.False(t, closed)
		messages, _ := readFrames(t, stream)
		require.Equal(t, []string{"waits", "goes out at once"}, messages)
	})
}

// TestWriteDeadlineIsTakenBackOverTLS has crypto/tls write something of its own, as when the client asks for new keys, long
// after the last write of the server's.
func TestWriteDeadlineIsTakenBackOverTLS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := ws.NewWire(ws.Config{}, false)
		w.Sock.Grant(1000)
		require.True(t, w.Deliver([]byte("through the queue")))
		pass(time.Hour)
		_, err := w.Sock.Write([]byte("new keys"))
		require.NoError(t, err)
	})
}

// TestWriteThatNeverEnds closes the connection when the write timeout is over, and forgets what waits.
func TestWriteThatNeverEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := ws.NewWire(ws.Config{WriteTimeout: time.Second}, true)
		w.Sock.Grant(3)
		require.True(t, w.Deliver([]byte("first")))
		require.True(t, w.Deliver([]byte("second")))
		pass(time.Second)
		stream, closed := w.Sock.Written()
		require.True(t, closed)
		require.Len(t, stream, 3)
		own, all := w.Pending()
		require.Zero(t, own)
		require.Zero(t, all)
		require.False(t, w.Deliver([]byte("third")))
	})
}
