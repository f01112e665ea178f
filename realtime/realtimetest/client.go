package realtimetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Frame is one message of the server.
type Frame struct {
	Event   string           // its name
	Channel realtime.Channel // "" for frames of the connection
	UserID  string           // who has sent a client event
	// Data is the payload as JSON: what the string contains that the protocol wraps around most payloads, or the value
	// itself where it does not. A string that is only text is the value, as pusher-js has it.
	Data json.RawMessage
	// Raw is the message as it was sent.
	Raw []byte
}

// IsProtocol tells the protocol's own messages from the application's events.
func (f Frame) IsProtocol() bool {
	return strings.HasPrefix(f.Event, "pusher:") || strings.HasPrefix(f.Event, "pusher_internal:")
}

// RefusedError is the answer to a subscription or a sign-in that the server does not allow.
type RefusedError struct {
	Event string          // pusher:subscription_error, or pusher:error
	Data  json.RawMessage // as it came
}

// Error shows the server's answer.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("realtimetest: refused: %s %s", e.Event, e.Data)
}

// DialOptions are the settings of [Dial] that have a default.
type DialOptions struct {
	// Header is sent with the handshake, for an Origin or a cookie.
	Header http.Header
	// Dial makes the connection. For wss it has to return one on which TLS is running. Defaults to a net.Dialer for ws,
	// and is required for wss.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Mute leaves pings of both kinds and close frames unanswered, and the connection open.
	Mute bool
}

// Client is a client of the Pusher Channels protocol for tests. It has no goroutine: it reads when a method waits for
// something, so a test decides how fast it consumes, and a ping is answered by the next call that reads. It is not safe
// for concurrent use.
type Client struct {
	socket   *socket
	id       realtime.SocketID
	activity time.Duration
	mute     bool
	waiting  []Frame // read while Subscribe looked for its answer
}

// Dial connects to a URL like ws://host/app/key?protocol=7 and waits for the server's greeting. nil options are the
// defaults. A refusal is a *[CloseError] (an error frame before it is skipped) or a *[HandshakeError].
func Dial(ctx context.Context, rawURL string, opts *DialOptions) (*Client, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	dial := opts.Dial
	if dial == nil {
		if u.Scheme != "ws" && u.Scheme != "http" {
			return nil, fmt.Errorf("realtimetest: dial: the scheme %q needs DialOptions.Dial", u.Scheme)
		}
		dial = new(net.Dialer).DialContext
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), map[string]string{"ws": "80", "http": "80"}[u.Scheme])
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Client{mute: opts.Mute}
	err = until(ctx, conn, func() (err error) {
		c.socket, err = handshake(conn, u, opts.Header)
		return err
	})
	if err == nil {
		c.socket.mute = opts.Mute
		err = c.greeting(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *Client) greeting(ctx context.Context) error {
	for {
		f, err := c.Next(ctx)
		if err != nil {
			return err
		}
		if f.Event == "pusher:error" {
			continue // the close frame comes next
		}
		var data struct {
			SocketID        realtime.SocketID `json:"socket_id"`
			ActivityTimeout int               `json:"activity_timeout"`
		}
		if err := json.Unmarshal(f.Data, &data); err != nil || f.Event != "pusher:connection_established" {
			return fmt.Errorf("realtimetest: the first message is %q", f.Event)
		}
		c.id, c.activity = data.SocketID, time.Duration(data.ActivityTimeout)*time.Second
		return nil
	}
}

// SocketID is the name that the server has given the connection.
func (c *Client) SocketID() realtime.SocketID { return c.id }

// ActivityTimeout is the silence after which the server wants to be pinged.
func (c *Client) ActivityTimeout() time.Duration { return c.activity }

// Next waits for the next message. Pings are answered and returned. It fails with a *[CloseError] when the server
// closes the connection, and with ctx.Err() when ctx ends first.
func (c *Client) Next(ctx context.Context) (Frame, error) {
	if len(c.waiting) > 0 {
		f := c.waiting[0]
		c.waiting = c.waiting[1:]
		return f, nil
	}
	return c.read(ctx)
}

// NextEvent waits for the next event of the application and skips the protocol's own messages.
func (c *Client) NextEvent(ctx context.Context) (Frame, error) {
	for {
		f, err := c.Next(ctx)
		if err != nil || !f.IsProtocol() {
			return f, err
		}
	}
}

func (c *Client) read(ctx context.Context) (Frame, error) {
	var message []byte
	err := until(ctx, c.socket.conn, func() (err error) {
		message, err = c.socket.read()
		return err
	})
	if err != nil {
		return Frame{}, err
	}
	f, err := parseFrame(message)
	if err == nil && f.Event == "pusher:ping" && !c.mute {
		err = c.Send(ctx, "pusher:pong", struct{}{})
	}
	return f, err
}

func parseFrame(message []byte) (Frame, error) {
	var wire struct {
		Event   string
		Channel realtime.Channel
		UserID  string `json:"user_id"`
		Data    json.RawMessage
	}
	if err := json.Unmarshal(message, &wire); err != nil {
		return Frame{}, fmt.Errorf("realtimetest: a message is not JSON: %w", err)
	}
	f := Frame{Event: wire.Event, Channel: wire.Channel, UserID: wire.UserID, Data: wire.Data, Raw: message}
	if len(f.Data) > 0 && f.Data[0] == '"' {
		var inner string
		if err := json.Unmarshal(f.Data, &inner); err != nil {
			return Frame{}, err
		}
		if json.Valid([]byte(inner)) {
			f.Data = json.RawMessage(inner)
		}
	}
	return f, nil
}

// Subscribe subscribes to a channel, with a grant where the channel needs one, and waits for the server's answer, which
// is nil or a *[RefusedError]. Messages that arrive in front of it are kept for Next.
func (c *Client) Subscribe(ctx context.Context, ch realtime.Channel, g realtime.Grant) error {
	data := map[string]string{"channel": string(ch), "auth": g.Auth}
	if g.ChannelData != "" {
		data["channel_data"] = g.ChannelData
	}
	if err := c.Send(ctx, "pusher:subscribe", data); err != nil {
		return err
	}
	for {
		f, err := c.read(ctx)
		switch {
		case err != nil:
			return err
		case f.Event == "pusher_internal:subscription_succeeded" && f.Channel == ch:
			return nil
		case f.Event == "pusher:subscription_error" && f.Channel == ch, f.Event == "pusher:error":
			return &RefusedError{Event: f.Event, Data: f.Data}
		}
		c.waiting = append(c.waiting, f)
	}
}

// SignIn signs the connection in and waits for the server's answer, which is nil or a *[RefusedError]. Messages that
// arrive in front of it are kept for Next. It does not subscribe to the user's own channel, as pusher-js does then.
func (c *Client) SignIn(ctx context.Context, g realtime.UserGrant) error {
	if err := c.Send(ctx, "pusher:signin", g); err != nil {
		return err
	}
	for {
		f, err := c.read(ctx)
		switch {
		case err != nil:
			return err
		case f.Event == "pusher:signin_success":
			return nil
		case f.Event == "pusher:error":
			return &RefusedError{Event: f.Event, Data: f.Data}
		}
		c.waiting = append(c.waiting, f)
	}
}

// Trigger sends an event to the others of a channel, with the JSON of v as its data.
func (c *Client) Trigger(ctx context.Context, ch realtime.Channel, event string, v any) error {
	message, err := json.Marshal(struct {
		Event   string           `json:"event"`
		Channel realtime.Channel `json:"channel"`
		Data    any              `json:"data"`
	}{event, ch, v})
	if err != nil {
		return err
	}
	return c.SendText(ctx, string(message))
}

// Unsubscribe ends a subscription. The protocol has no answer to it; [Client.Sync] waits until it has happened.
func (c *Client) Unsubscribe(ctx context.Context, ch realtime.Channel) error {
	return c.Send(ctx, "pusher:unsubscribe", map[string]string{"channel": string(ch)})
}

// Sync waits until the server has acted on everything that was sent so far, by way of a ping. Messages that arrive in
// front of the answer are kept for Next.
func (c *Client) Sync(ctx context.Context) error {
	if err := c.Send(ctx, "pusher:ping", struct{}{}); err != nil {
		return err
	}
	for {
		f, err := c.read(ctx)
		if err != nil || f.Event == "pusher:pong" {
			return err
		}
		c.waiting = append(c.waiting, f)
	}
}

// Send sends a message whose data is the JSON of v.
func (c *Client) Send(ctx context.Context, event string, v any) error {
	message, err := json.Marshal(struct {
		Event string `json:"event"`
		Data  any    `json:"data"`
	}{event, v})
	if err != nil {
		return err
	}
	return c.SendText(ctx, string(message))
}

// SendText sends a message as it is, whatever is in it.
func (c *Client) SendText(ctx context.Context, message string) error {
	return c.SendFrame(ctx, OpText, true, []byte(message))
}

// SendFrame sends one frame of RFC 6455 as it is, for the tests of hostile clients.
func (c *Client) SendFrame(ctx context.Context, opcode byte, final bool, payload []byte) error {
	if final {
		opcode |= finalBit
	}
	return until(ctx, c.socket.conn, func() error { return c.socket.write(opcode, payload) })
}

// Close says good-bye with the code 1000 and ends the connection, without waiting for an answer.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.SendFrame(ctx, OpClose, true, []byte{0x03, 0xe8})
	_ = c.socket.conn.Close()
}

// Cut ends the connection without a word, as when a device loses its network.
func (c *Client) Cut() { _ = c.socket.conn.Close() }

// Waiting returns the next message of those that were kept for Next, if there is one, without waiting for more.
func (c *Client) Waiting() (Frame, bool) {
	if len(c.waiting) == 0 {
		return Frame{}, false
	}
	f := c.waiting[0]
	c.waiting = c.waiting[1:]
	return f, true
}
