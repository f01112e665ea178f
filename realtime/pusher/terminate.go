package pusher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// TerminateUser implements [realtime.Terminator]. The service closes the
// connections that are signed in as the user (HTTP API reference, "POST terminate
// user connections"), and no others: it does not know whose a subscription to a
// private channel is. Grants from before the call stay valid on connections that
// stay open, and a client can reconnect, so a host must refuse to sign for the
// user too. The vendor's client has no such call.
func (b *Broadcaster) TerminateUser(ctx context.Context, userID string) error {
	const op = "terminate connections"
	if userID == "" || len(userID) > pusherproto.MaxUserID {
		return fmt.Errorf("pusher: %s: %w", op, &realtime.PermanentError{Err: errors.New("the user id is empty or too long")})
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	u := url.URL{Scheme: "https", Host: b.cfg.Host, Path: "/apps/" + b.cfg.AppID + "/users/" + userID + "/terminate_connections"}
	if b.cfg.Insecure {
		u.Scheme = "http"
	}
	if u.Host == "" {
		u.Host = "api-" + b.cfg.Cluster + ".pusher.com"
	}
	body := []byte("{}")
	u.RawQuery = b.signer.SignRequest(pusherproto.Request{Method: http.MethodPost, Path: u.EscapedPath(), Body: body}, time.Now()).Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("pusher: %s: %w", op, &realtime.PermanentError{Err: errors.New("the user id makes no address")})
	}
	r.Header.Set("Content-Type", "application/json")
	x := &exchange{ctx: ctx, transport: b.cfg.Transport}
	resp, err := x.RoundTrip(r)
	if err != nil {
		return x.outcome(op, err)
	}
	if err := resp.Body.Close(); err != nil {
		return fmt.Errorf("pusher: %s: %w", op, err)
	}
	return x.outcome(op, errStatus)
}

// errStatus stands for the error that the vendor's client returns for an answer without success.
var errStatus = errors.New("status")
