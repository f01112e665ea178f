package pusher

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	vendor "github.com/pusher/pusher-http-go/v5"

	"github.com/murph-chat/murph/realtime"
)

// The bounds of the default transport. The vendor's default keeps two idle connections, and a new one costs two round
// trips.
const (
	maxIdlePerHost = 16 * realtime.MaxBatch // a relay has 16 batches under way, whose events may need a call each
	idleTimeout    = 30 * time.Second       // below that of the service, so that we are the one to close
	maxAnswer      = 64 << 10               // bytes of an answer that are read
)

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          maxIdlePerHost,
		MaxIdleConnsPerHost:   maxIdlePerHost,
		IdleConnTimeout:       idleTimeout,
		TLSHandshakeTimeout:   2 * time.Second,
		ResponseHeaderTimeout: 5 * time.Second,
	}
}

// call runs one request of the vendor's client under ctx. The client is made anew for each call, because it has no place
// for a context, and makes its HTTP client without a lock when it has none.
// key is the one to seal with, nil for none.
func (b *Broadcaster) call(ctx context.Context, op string, key []byte, do func(*vendor.Client) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("pusher: %s: %w", op, err)
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	x := &exchange{ctx: ctx, transport: b.cfg.Transport}
	err := do(&vendor.Client{
		EncryptionMasterKeyBase64: base64.StdEncoding.EncodeToString(key),
		AppID:                     b.cfg.AppID, Key: b.cfg.Key, Secret: b.cfg.Secret,
		Cluster: b.cfg.Cluster, Host: b.cfg.Host, Secure: !b.cfg.Insecure,
		HTTPClient: &http.Client{Transport: x, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // an answer from elsewhere is no answer, and the query has a signature in it
		}},
	})
	err = x.outcome(op, err)
	b.stats.count(x.status, err)
	return err
}

// trigger is call for events. An answer that blames them is believed only if the
// service takes another event.
func (b *Broadcaster) trigger(ctx context.Context, op string, key []byte, do func(*vendor.Client) error) error {
	err := b.call(ctx, op, key, do)
	var api *APIError
	if !errors.As(err, &api) || !api.blamesEvent() {
		return err
	}
	checked := b.call(ctx, "check after "+op, nil, func(c *vendor.Client) error {
		return c.Trigger(checkChannel, "murph-check", []byte("{}"))
	})
	var other *APIError
	switch {
	case checked == nil:
		return err
	case errors.As(checked, &other) && other.blamesEvent():
		return fmt.Errorf("pusher: %s: %w", op, &realtime.RefusedError{Err: api, ProbeAfter: probeApplication})
	}
	return checked
}

// checkChannel has no subscribers, because package consultation builds no such
// name and httpadapter signs for no other.
const checkChannel = "private-murph-check"

// exchange is the RoundTripper of one call. It gives the request its context and remembers the answer, of which the
// vendor's error has only a text, with a signature in it in the case of a 401.
type exchange struct {
	ctx       context.Context // the vendor's client has no other way in; it lives for one call
	transport http.RoundTripper

	sent   bool
	status int
	header http.Header
}

// RoundTrip implements [http.RoundTripper].
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	x.sent = true
	resp, err := x.transport.RoundTrip(r.WithContext(x.ctx))
	if err != nil {
		return nil, err
	}
	x.status, x.header = resp.StatusCode, resp.Header
	resp.Body = limitedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}

// outcome turns what happened into an error that a caller can act on and that has no secret in it.
func (x *exchange) outcome(op string, err error) error {
	switch {
	case err == nil, x.status >= 200 && x.status < 300: // delivered, whatever the body looks like
		return nil
	case !x.sent:
		// The vendor's client refused it. Events were checked before, so it will refuse all of them.
		err := errors.New("the request was refused before it was sent, check the configuration")
		return fmt.Errorf("pusher: %s: %w", op, &realtime.RefusedError{Err: err, ProbeAfter: probeApplication})
	case x.status == 0:
		// The error of the HTTP client has the whole address in it, and so the signature.
		var withAddress *url.Error
		if errors.As(err, &withAddress) {
			err = withAddress.Err
		}
		return fmt.Errorf("pusher: %s: %w", op, err)
	}
	now := time.Now()
	api := &APIError{Status: x.status, RetryAfter: retryAfter(x.header, now), ClockSkew: clockSkew(x.header, now)}
	return fmt.Errorf("pusher: %s: %w", op, api.classify())
}

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = time.Hour

// retryAfter reads the header of that name (RFC 9110 §10.2.3): a number of
// seconds, or a date, by the clock of the answer if it says its time. It returns
// 0 if there is no header or it has another form, such as "-1" or "1.5", and at
// most maxRetryAfter.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v != "" && strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.ParseInt(v, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // an error means that the number is too large for an int64
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// clockSkew is how far our clock is ahead of the service's.
func clockSkew(h http.Header, now time.Time) time.Duration {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return now.Sub(at).Round(time.Second)
}
