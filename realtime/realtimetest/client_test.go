package realtimetest_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

const greeting = `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}`

// serve runs script as the server of one connection, after the handshake, and dials it. What the script writes are raw
// bytes of frames; it reads what the client sends as raw bytes too.
func serve(t *testing.T, script func(net.Conn)) (*realtimetest.Client, error) {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		req, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			return
		}
		sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		_, _ = io.WriteString(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
		script(server)
	}()
	t.Cleanup(func() {
		client.Close()
		<-done
	})
	return realtimetest.Dial(t.Context(), "ws://murph.test/app/key?protocol=7", &realtimetest.DialOptions{
		Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	})
}

// frame makes an unmasked frame of at most 65,535 bytes.
func frame(first byte, payload string) string {
	if len(payload) > 125 {
		return string([]byte{first, 126, byte(len(payload) >> 8), byte(len(payload))}) + payload
	}
	return string([]byte{first, byte(len(payload))}) + payload
}

func send(frames ...string) func(net.Conn) {
	return func(conn net.Conn) {
		go io.Copy(io.Discard, conn) // answers are not this server's concern
		for _, f := range append([]string{frame(0x81, greeting)}, frames...) {
			_, _ = io.WriteString(conn, f)
		}
	}
}

func TestClientReads(t *testing.T) {
	t.Parallel()
	c, err := serve(t, send(
		frame(0x01, `{"event":"a","cha`), frame(0x89, "ping"), frame(0x00, ""), frame(0x80, `nnel":"b","data":"{\"n\":1}"}`),
		frame(0x81, `{"event":"c","data":{"n":2},"user_id":"u"}`), frame(0x8A, ""),
		frame(0x81, `{"event":"d","data":"{ only text"}`), frame(0x88, "\x10\x68later"),
	))
	require.NoError(t, err)
	require.Equal(t, realtime.SocketID("1.2"), c.SocketID())
	f, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "a", f.Event)
	require.Equal(t, realtime.Channel("b"), f.Channel)
	require.Equal(t, `{"n":1}`, string(f.Data))
	f, err = c.NextEvent(t.Context())
	require.NoError(t, err)
	require.Equal(t, `{"n":2}`, string(f.Data))
	require.Equal(t, "u", f.UserID)
	f, err = c.NextEvent(t.Context())
	require.NoError(t, err)
	require.Equal(t, `"{ only text"`, string(f.Data))
	_, err = c.Next(t.Context())
	require.Equal(t, &realtimetest.CloseError{Code: 4200, Reason: "later"}, err)
}

// TestClientRefuses is why the suite may trust the client: what a server must not send is an error.
func TestClientRefuses(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"masked":               "\x81\x82\x00\x00\x00\x00{}",
		"reserved bit":         frame(0xC1, "{}"),
		"binary":               frame(0x82, "{}"),
		"unknown opcode":       frame(0x83, "{}"),
		"continues nothing":    frame(0x80, "{}"),
		"message in a message": frame(0x01, "{") + frame(0x81, "{}"),
		"split ping":           frame(0x09, ""),
		"long ping":            frame(0x89, string(make([]byte, 126))),
		"not UTF-8":            frame(0x81, "\"\xff\""),
		"not JSON":             frame(0x81, "{"),
		"huge":                 "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
		"cut off":              "\x81\x05{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := serve(t, send(bad))
			require.NoError(t, err)
			_, err = c.Next(t.Context())
			require.Error(t, err)
		})
	}
}

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	_, err := serve(t, func(conn net.Conn) { _, _ = io.WriteString(conn, frame(0x81, `{"event":"hello"}`)) })
	require.ErrorContains(t, err, "hello")
	_, err = serve(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, frame(0x81, `{"event":"pusher:error","data":{"code":4001,"message":"x"}}`)+frame(0x88, "\x0f\xa1x"))
		_, _ = io.Copy(io.Discard, conn)
	})
	require.Equal(t, &realtimetest.CloseError{Code: 4001, Reason: "x"}, err)
	_, err = realtimetest.Dial(t.Context(), "wss://murph.test/app/key", nil)
	require.ErrorContains(t, err, "wss")
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c, err := serve(t, send())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// TestSubscribeKeepsWhatComesFirst has an event arrive between the request and its answer.
func TestSubscribeKeepsWhatComesFirst(t *testing.T) {
	t.Parallel()
	event := frame(0x81, `{"event":"a","channel":"other","data":"1"}`)
	c, err := serve(t, send(event, frame(0x81, `{"event":"pusher_internal:subscription_succeeded","channel":"b","data":"{}"}`),
		frame(0x81, `{"event":"pusher:subscription_error","channel":"c","data":{"type":"AuthError","error":"no","status":401}}`)))
	require.NoError(t, err)
	require.NoError(t, c.Subscribe(t.Context(), "b", realtime.Grant{}))
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, c.Subscribe(t.Context(), "c", realtime.Grant{}), &refused)
	require.Contains(t, refused.Error(), "401")
	f, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "a", f.Event)
}
