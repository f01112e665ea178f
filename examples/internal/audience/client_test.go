//lint:file-ignore SA1019 the frozen path of the library is the one that the project depends on

package audience

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"nhooyr.io/websocket"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// client is a connection of a user that keeps all it can: it ignores every notice, subscribes with whatever grant it has,
// and records each frame.
type client struct {
	w      *world
	p      *process
	user   consultation.UserID
	conn   *websocket.Conn
	socket realtime.SocketID
	done   chan struct{} // closed when the connection has ended
	pong   chan struct{} // has a token when the server has answered

	mu     sync.Mutex // guards grants
	grants []subscription
}

// subscription is what a client sends to subscribe.
type subscription struct {
	Channel     realtime.Channel `json:"channel"`
	Auth        string           `json:"auth"`
	ChannelData string           `json:"channel_data,omitempty"`
}

// connect opens a connection of the user to the server of p.
func (w *world) connect(ctx context.Context, p *process, user consultation.UserID) (*client, error) {
	conn, _, err := websocket.Dial(ctx, p.socket+"/app/"+appKey+"?protocol=7", nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 20)
	c := &client{w: w, p: p, user: user, conn: conn, done: make(chan struct{}), pong: make(chan struct{}, 1)}
	_, greeting, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	var frame struct{ Data string }
	var data struct {
		SocketID realtime.SocketID `json:"socket_id"`
	}
	if err := json.Unmarshal(greeting, &frame); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(frame.Data), &data); err != nil {
		return nil, err
	}
	c.socket = data.SocketID
	go c.read()
	return c, nil
}

// read records frames until the connection ends.
func (c *client) read() {
	defer close(c.done)
	for {
		_, frame, err := c.conn.Read(context.Background())
		if err != nil {
			return
		}
		c.w.truth.receive(c.user, frame)
		if strings.Contains(string(frame), `"pusher:pong"`) {
			select {
			case c.pong <- struct{}{}:
			default:
			}
		}
		if strings.Contains(string(frame), `"pusher:ping"`) {
			_ = c.conn.Write(context.Background(), websocket.MessageText, []byte(`{"event":"pusher:pong","data":{}}`))
		}
	}
}

// sync waits until the server has answered a ping, or has closed the connection.
func (c *client) sync(ctx context.Context) {
	_ = c.conn.Write(ctx, websocket.MessageText, []byte(`{"event":"pusher:ping","data":{}}`))
	select {
	case <-c.pong:
	case <-c.done:
	case <-ctx.Done():
	}
}

func (c *client) close() {
	_ = c.conn.CloseNow()
	<-c.done
}

// ended reports whether the server has closed the connection.
func (c *client) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// call makes a request of the user to the process.
func (c *client) call(ctx context.Context, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(form.Encode()))
	r.Header.Set("X-User", string(c.user))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer := httptest.NewRecorder()
	c.p.api.ServeHTTP(answer, r)
	return answer
}

// channel asks for the consultation's channel, as a page does.
func (c *client) channel(ctx context.Context, id consultation.ID) realtime.Channel {
	var page struct {
		Transport struct{ Channel realtime.Channel }
	}
	answer := c.call(ctx, http.MethodGet, "/api/beratungen/"+string(id), nil)
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &page) != nil {
		return ""
	}
	return page.Transport.Channel
}

// authorize asks for a grant and keeps it.
func (c *client) authorize(ctx context.Context, ch realtime.Channel) bool {
	answer := c.call(ctx, http.MethodPost, "/api/pusher/auth", url.Values{
		"socket_id": {string(c.socket)}, "channel_name": {string(ch)},
	})
	s := subscription{Channel: ch}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &s) != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grants = append(c.grants, s)
	return true
}

// subscribe sends one of the grants that the client has, the newest for n = 0.
func (c *client) subscribe(ctx context.Context, n int) {
	c.mu.Lock()
	if len(c.grants) == 0 {
		c.mu.Unlock()
		return
	}
	s := c.grants[len(c.grants)-1-n%len(c.grants)]
	c.mu.Unlock()
	frame, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": s})
	if err == nil {
		_ = c.conn.Write(ctx, websocket.MessageText, frame) // an error: the connection has ended
	}
}
