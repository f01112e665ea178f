package integration_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire stands between a client and Postgres and counts the round trips: each Query and each Sync message is one, because
// the server answers it with ReadyForQuery and the client waits for that (PostgreSQL manual, "Message Flow").
type wire struct {
	trips  atomic.Int64
	dsn    string // the server's address as seen through the wire
	refuse func() // ends the listener, so that no further connection succeeds

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// newWire makes a wire to the server at dsn. It lives as long as tb.
func newWire(tb testing.TB, dsn string) *wire {
	tb.Helper()
	u, err := url.Parse(dsn)
	require.NoError(tb, err)
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	u.Host = listener.Addr().String()
	w := &wire{dsn: u.String(), refuse: func() { _ = listener.Close() }, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { w.carry(client, server) })
		}
	})
	tb.Cleanup(func() {
		w.refuse()
		w.cut()
		wg.Wait()
	})
	return w
}

// carry connects a client with the server until one of them goes.
func (w *wire) carry(client net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		_ = client.Close()
		return
	}
	w.keep(client, server)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	w.count(server, client)
	_ = server.Close()
	wg.Wait()
}

func (w *wire) keep(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
}

// cut ends all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
		delete(w.conns, c)
	}
}

// count copies the client's messages and counts those that end a round trip. The first message has no type.
func (w *wire) count(server io.Writer, client io.Reader) {
	head := make([]byte, 5)
	for first := true; ; first = false {
		header := head
		if first {
			header = head[1:]
		}
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		if !first && (head[0] == 'Q' || head[0] == 'S') {
			w.trips.Add(1) // before the server can answer
		}
		length := int64(binary.BigEndian.Uint32(head[1:])) - 4
		if _, err := server.Write(header); err != nil {
			return
		}
		if _, err := io.CopyN(server, client, length); err != nil {
			return
		}
	}
}
