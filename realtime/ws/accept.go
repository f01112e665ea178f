//lint:file-ignore SA1019 the frozen path of the library is a requirement; this file is all that a move would touch

package ws

import (
	"context"
	"net/http"

	"nhooyr.io/websocket"
)

// This is the only file that knows the WebSocket library. The library does the handshake, reads messages and handles
// control frames. What it writes, and all that the server writes, goes through a wire.

// socket reads the messages of one connection.
type socket struct{ conn *websocket.Conn }

// accept completes the handshake. After an error it has answered the request;
// the error is a *noHijackError if middleware stands in the way. The caller owns
// both results and ends them with socket.close.
func accept(w http.ResponseWriter, r *http.Request, cfg *Config, t *traffic) (*socket, *wire, error) {
	h := &handshake{w: w, cfg: cfg, traffic: t, header: http.Header{}}
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		// Origins are the server's own business, because it refuses with a close code.
		InsecureSkipVerify: true,
		// A compressor costs 1.2 MB a connection, and chat messages are small.
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, nil, err
	}
	conn.SetReadLimit(int64(cfg.MaxMessageBytes))
	return &socket{conn}, h.wire, nil
}

// read returns the next message, or errIdle if none has begun, and can be called again then. It ends with an error when
// the connection does; a message above the limit is one, and the library has sent the close frame then. The context is
// always the background: when one that can end does, the library closes the connection, and a request's context ends
// with its handler, which does not wait for it.
func (s *socket) read() (message []byte, text bool, err error) {
	typ, message, err := s.conn.Read(context.Background())
	return message, typ == websocket.MessageText, err
}

// close cuts the connection and frees what the library holds. The reader must have returned.
func (s *socket) close() { _ = s.conn.CloseNow() }
