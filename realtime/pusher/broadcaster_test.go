package pusher_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/pusher"
)

const (
	appID  = "17"
	key    = "app-key"
	secret = "the-secret-of-the-app"
	canary = "canary text of a message"
)

// endpoint is the service: it checks signatures as the real one does and answers as it is told to.
type endpoint struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex // guards what is below
	answer http.HandlerFunc
	paths  []string
	bodies []string
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{t: t}
	e.server = httptest.NewServer(e)
	t.Cleanup(e.server.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has given up
	}
	creds := pusherproto.Credentials{Key: key, Secret: secret}
	params, err := creds.VerifyQuery(r.Method, []string{r.URL.EscapedPath()}, r.URL.Query(), time.Now())
	if err := errors.Join(err, pusherproto.VerifyBody(params, body)); err != nil {
		e.t.Errorf("request: %v", err)
	}
	e.mu.Lock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	e.paths, e.bodies = append(e.paths, r.URL.Path), append(e.bodies, string(body))
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

func (e *endpoint) answers(f http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = f
}

// body returns the body of a request that the endpoint is about to answer.
func body(r *http.Request) string {
	b, _ := io.ReadAll(r.Body) // it is in memory
	return string(b)
}

func (e *endpoint) requests() (paths, bodies []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.paths, e.bodies
}

// config is the one for the endpoint, with a log to look into.
func (e *endpoint) config() (pusher.Config, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return pusher.Config{
		AppID: appID, Key: key, Secret: secret, Host: strings.TrimPrefix(e.server.URL, "http://"), Insecure: true,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

func (e *endpoint) broadcaster() *pusher.Broadcaster {
	cfg, _ := e.config()
	b, err := pusher.New(cfg)
	require.NoError(e.t, err)
	return b
}

func event() realtime.Event {
	return realtime.Event{
		Channel: "private-consultation-c", Name: "new-message",
		Data: []byte(`{"content":"` + canary + `"}`), Thin: []byte(`{"id":"m","thin":true}`), Except: "1.2",
	}
}

func TestBroadcastSendsTheEvent(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	require.NoError(t, e.broadcaster().Broadcast(t.Context(), event()))
	paths, bodies := e.requests()
	require.Equal(t, []string{"/apps/17/events"}, paths)
	require.JSONEq(t, `{"name":"new-message","channels":["private-consultation-c"],"socket_id":"1.2",
		"data":"{\"content\":\"`+canary+`\"}"}`, bodies[0])
}

func TestBroadcastBatch(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	b := e.broadcaster()
	require.Empty(t, b.BroadcastBatch(t.Context(), nil))
	evs := make([]realtime.Event, realtime.MaxBatch)
	for i := range evs {
		evs[i] = event()
		evs[i].Data = fmt.Append(nil, i)
	}
	require.Equal(t, make([]error, len(evs)), b.BroadcastBatch(t.Context(), evs))
	paths, bodies := e.requests()
	require.Equal(t, []string{"/apps/17/batch_events"}, paths)
	var sent struct {
		Batch []struct{ Channel, Name, Data, SocketID string }
	}
	require.NoError(t, json.Unmarshal([]byte(bodies[0]), &sent))
	require.Len(t, sent.Batch, realtime.MaxBatch)
	require.Equal(t, "9", sent.Batch[9].Data)

	errs := b.BroadcastBatch(t.Context(), append(evs, event()))
	require.Len(t, errs, len(evs)+1)
	for _, err := range errs {
		require.ErrorIs(t, err, realtime.ErrInvalidEvent)
	}
	paths, _ = e.requests()
	require.Len(t, paths, 1, "too many events are not sent in part")

	evs[3].Name = ""
	for i, err := range b.BroadcastBatch(t.Context(), evs) {
		if i == 3 {
			require.ErrorIs(t, err, realtime.ErrInvalidEvent)
			continue
		}
		require.NoError(t, err)
	}
	_, bodies = e.requests()
	require.NoError(t, json.Unmarshal([]byte(bodies[1]), &sent))
	require.Len(t, sent.Batch, realtime.MaxBatch-1)
}

func TestThinPrivacyKeepsContentInTheHouse(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	cfg, log := e.config()
	cfg.Privacy = pusher.PrivacyThin
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	require.Empty(t, log.String())
	require.NoError(t, b.Broadcast(t.Context(), event()))
	require.Equal(t, []error{nil}, b.BroadcastBatch(t.Context(), []realtime.Event{event()}))
	_, bodies := e.requests()
	require.NotContains(t, strings.Join(bodies, ""), canary)
	require.Contains(t, bodies[0], "thin")

	member := realtime.Member{UserID: "p", Info: []byte(`{"firstName":"Paula"}`)}
	grant, err := b.SignChannel("1.2", "presence-consultation-c", &member)
	require.NoError(t, err)
	require.NotContains(t, grant.ChannelData, "Paula")
	user, err := b.SignUser("1.2", member)
	require.NoError(t, err)
	require.NotContains(t, user.UserData, "Paula")
}

// unseal opens a sealed payload as pusher-js does.
func unseal(t *testing.T, sealed, shared string) (string, bool) {
	t.Helper()
	var box struct{ Nonce, Ciphertext []byte }
	require.NoError(t, json.Unmarshal([]byte(sealed), &box))
	key, err := base64.StdEncoding.DecodeString(shared)
	require.NoError(t, err)
	plain, ok := secretbox.Open(nil, box.Ciphertext, (*[24]byte)(box.Nonce), (*[32]byte)(key))
	return string(plain), ok
}

func TestEncryptedPrivacySealsForTheAudience(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	cfg, log := e.config()
	cfg.Privacy, cfg.EncryptionKey = pusher.PrivacyEncrypted, bytes.Repeat([]byte{7}, pusher.EncryptionKeyLength)
	cfg.FixedChannel = fixed
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	require.Empty(t, log.String())
	secretFor := func(audience string) string {
		m := realtime.Member{UserID: "p", Audience: audience, Info: []byte(`{"firstName":"Paula"}`)}
		grant, err := b.SignChannel("1.2", "private-encrypted-consultation-c", &m)
		require.NoError(t, err)
		return grant.SharedSecret
	}

	ev, large := event(), event()
	ev.Audience, large.Audience = "p s1", "p s1"
	ev.Channel, large.Channel = "private-consultation.2-c", "private-consultation.2-c"
	large.Data = []byte(`"` + strings.Repeat("x", 9000) + `"`)
	require.NoError(t, b.Broadcast(t.Context(), ev))
	require.Equal(t, []error{nil, nil}, b.BroadcastBatch(t.Context(), []realtime.Event{ev, large}))
	_, bodies := e.requests()
	require.Len(t, bodies, 2)
	type sealed struct {
		Channel, Data string
		Channels      []string
		Batch         []sealed
	}
	var one, batch sealed
	require.NoError(t, json.Unmarshal([]byte(bodies[0]), &one))
	require.NoError(t, json.Unmarshal([]byte(bodies[1]), &batch))
	require.NotContains(t, strings.Join(bodies, ""), canary)
	require.Len(t, batch.Batch, 2)
	require.Equal(t, []string{"private-encrypted-consultation-c"}, one.Channels)
	one.Channel = one.Channels[0]
	for i, sent := range []sealed{one, batch.Batch[0], batch.Batch[1]} {
		require.Equal(t, "private-encrypted-consultation-c", sent.Channel)
		plain, ok := unseal(t, sent.Data, secretFor("p s1"))
		require.True(t, ok)
		require.Equal(t, string([]realtime.Event{ev, ev, {Data: large.Thin}}[i].Data), plain)
		_, ok = unseal(t, sent.Data, secretFor("p s2"))
		require.False(t, ok, "another student has another key")
	}
	large.Thin = nil
	require.ErrorIs(t, b.Broadcast(t.Context(), large), realtime.ErrTooLarge)

	presence, err := b.SignChannel("1.2", "presence-consultation-c", &realtime.Member{UserID: "p", Info: []byte(`{"firstName":"Paula"}`)})
	require.NoError(t, err)
	require.NotContains(t, presence.ChannelData, "Paula")
	require.Empty(t, presence.SharedSecret)
	_, err = e.broadcaster().SignChannel("1.2", "private-encrypted-consultation-c", nil)
	require.ErrorIs(t, err, realtime.ErrInvalidChannel, "without encryption nothing is sent there")
}

// fixed is the function of a host whose front end knows one name for each consultation.
func fixed(ch realtime.Channel) realtime.Channel {
	if ch == "private-bad" {
		return "no channel name"
	}
	return realtime.Channel(strings.Replace(string(ch), "consultation.2-", "consultation-", 1))
}

// TestEncryptedPrivacySealsForTheChannel has no fixed names, so the name alone says who may read.
func TestEncryptedPrivacySealsForTheChannel(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	cfg, _ := e.config()
	cfg.Privacy, cfg.EncryptionKey = pusher.PrivacyEncrypted, bytes.Repeat([]byte{7}, pusher.EncryptionKeyLength)
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	ev := event()
	ev.Audience = "p s1"
	require.NoError(t, b.Broadcast(t.Context(), ev))
	_, bodies := e.requests()
	var sent struct{ Data string }
	require.NoError(t, json.Unmarshal([]byte(bodies[0]), &sent))
	open := func(ch realtime.Channel, m *realtime.Member) bool {
		grant, err := b.SignChannel("1.2", ch, m)
		require.NoError(t, err)
		_, ok := unseal(t, sent.Data, grant.SharedSecret)
		return ok
	}
	require.True(t, open("private-encrypted-consultation-c", nil))
	require.True(t, open("private-encrypted-consultation-c", &realtime.Member{UserID: "p", Audience: "p s2"}))
	require.False(t, open("private-encrypted-consultation.2-c", &realtime.Member{UserID: "p", Audience: "p s1"}))
}

// TestFixedChannel sends every event under the fixed name.
func TestFixedChannel(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	cfg, _ := e.config()
	cfg.FixedChannel = fixed
	_, err := pusher.New(cfg)
	require.ErrorContains(t, err, "Config.FixedChannel needs PrivacyThin or PrivacyEncrypted")
	require.ErrorContains(t, err, "a user who was replaced")
	cfg.Privacy = pusher.PrivacyThin
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	ev := event()
	ev.Channel, ev.Audience = "private-consultation.2-c", "p s1"
	require.NoError(t, b.Broadcast(t.Context(), ev))
	require.Equal(t, []error{nil, nil}, b.BroadcastBatch(t.Context(), []realtime.Event{ev, ev}))
	_, bodies := e.requests()
	for _, body := range bodies {
		require.Contains(t, body, `"private-consultation-c"`)
		require.NotContains(t, body, "consultation.2")
		require.NotContains(t, body, canary)
	}
	ev.Channel = "private-bad"
	err = b.Broadcast(t.Context(), ev)
	require.ErrorIs(t, err, realtime.ErrInvalidEvent)
	require.ErrorContains(t, err, "Config.FixedChannel")
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	b := newEndpoint(t).broadcaster()
	body := []byte(`{"time_ms":1700000000123,"events":[
		{"name":"channel_occupied","channel":"private-encrypted-consultation-c"},
		{"name":"client_event","channel":"presence-x","event":"client-typing","data":"{}","socket_id":"1.2","user_id":"p"}]}`)
	h := http.Header{}
	h.Set("X-Pusher-Key", key)
	h.Set("X-Pusher-Signature", pusherproto.Credentials{Key: key, Secret: secret}.SignWebhook(body))
	hook, err := b.Webhook(h, body)
	require.NoError(t, err)
	require.Equal(t, int64(1700000000123), hook.Time.UnixMilli())
	require.Equal(t, []pusher.WebhookEvent{
		{Name: "channel_occupied", Channel: "private-encrypted-consultation-c"},
		{Name: "client_event", Channel: "presence-x", Event: "client-typing", Data: "{}", SocketID: "1.2", UserID: "p"},
	}, hook.Events)
	_, err = b.Webhook(h, append(body, ' '))
	require.ErrorIs(t, err, pusher.ErrWebhook)
	h.Set("X-Pusher-Key", "other")
	_, err = b.Webhook(h, body)
	require.ErrorIs(t, err, pusher.ErrWebhook)
}

func TestFullPrivacyIsSaidOnce(t *testing.T) {
	t.Parallel()
	cfg, log := newEndpoint(t).config()
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	require.NoError(t, b.Broadcast(t.Context(), event()))
	require.Equal(t, 1, strings.Count(log.String(), "\n"))
	require.Contains(t, log.String(), "level=WARN")
	require.NotContains(t, log.String(), secret)
}

// What the service answers decides what the relay does; and nothing of it may end in a log.
func TestFailureClasses(t *testing.T) {
	t.Parallel()
	status := func(code int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(code)
			// As the real one does for a 401.
			_, _ = fmt.Fprintf(w, "Invalid signature: you sent %s", r.URL.Query().Get("auth_signature"))
		}
	}
	hour := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		check  func(t *testing.T, err error)
	}{
		{"200", status(200), func(t *testing.T, err error) { require.NoError(t, err) }},
		{"202 garbage", status(202), func(t *testing.T, err error) { require.NoError(t, err) }},
		{"400", status(400), refusesAll},
		{"422", status(422), refusesAll},
		{"402", status(402), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"405", status(405), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"407", status(407), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"408", status(408), transient},
		{"425", status(425), transient},
		{"401", status(401), func(t *testing.T, err error) {
			require.Equal(t, 30*time.Second, as[*realtime.RefusedError](t, err).ProbeAfter)
			require.Contains(t, err.Error(), "credentials")
		}},
		{"401 skew", status(401, "Date", hour), func(t *testing.T, err error) {
			as[*realtime.RefusedError](t, err)
			require.Contains(t, err.Error(), "clock")
		}},
		{"403", status(403), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"404", status(404), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"302", status(302, "Location", "http://127.0.0.1:1/"), func(t *testing.T, err error) { as[*realtime.RefusedError](t, err) }},
		{"413", status(413), func(t *testing.T, err error) { require.ErrorIs(t, err, realtime.ErrTooLarge) }},
		{"429", status(429), func(t *testing.T, err error) {
			limited := as[*realtime.RateLimitError](t, err)
			require.Zero(t, limited.RetryAfter)
		}},
		{"429 seconds", status(429, "Retry-After", "7"), func(t *testing.T, err error) {
			limited := as[*realtime.RateLimitError](t, err)
			require.Equal(t, 7*time.Second, limited.RetryAfter)
		}},
		{"429 date", status(429, "Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)), func(t *testing.T, err error) {
			limited := as[*realtime.RateLimitError](t, err)
			require.Greater(t, limited.RetryAfter, 30*time.Second)
		}},
		{"500", status(500), transient},
		{"503", status(503), transient},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, transient},
		{"endless body", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, func(t *testing.T, err error) { require.NoError(t, err) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t)
			e.answers(c.answer)
			cfg, log := e.config()
			b, err := pusher.New(cfg)
			require.NoError(t, err)
			for _, err := range []error{
				b.Broadcast(t.Context(), event()), b.BroadcastBatch(t.Context(), []realtime.Event{event()})[0], b.TerminateUser(t.Context(), "p"),
			} {
				c.check(t, err)
				said := log.String()
				if err != nil {
					said += err.Error() + fmt.Sprintf("%+v", err)
				}
				for _, leak := range []string{secret, canary, "auth_signature", "Invalid signature"} {
					require.NotContains(t, said, leak)
				}
			}
		})
	}
}

// as finds an error of the type T in err.
func as[T error](t *testing.T, err error) T {
	t.Helper()
	var found T
	require.ErrorAs(t, err, &found)
	return found
}

// refusesAll says that the fault is not the event's. A 400 to TerminateUser is
// permanent, because it concerns the user id.
func refusesAll(t *testing.T, err error) {
	var refused *realtime.RefusedError
	if !errors.As(err, &refused) {
		require.ErrorContains(t, err, "terminate connections")
		as[*realtime.PermanentError](t, err)
	}
}

// transient says that the event may be sent again, and nothing else.
func transient(t *testing.T, err error) {
	require.Error(t, err)
	var permanent *realtime.PermanentError
	var refused *realtime.RefusedError
	var limited *realtime.RateLimitError
	require.False(t, errors.As(err, &permanent) || errors.As(err, &refused) || errors.As(err, &limited), "%v", err)
	require.NotErrorIs(t, err, realtime.ErrTooLarge)
}

func TestContextIsHonoured(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	b := e.broadcaster()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Broadcast(over, event()), context.Canceled)
	paths, _ := e.requests()
	require.Empty(t, paths)

	arrived := make(chan struct{}, 1)
	e.answers(func(_ http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-r.Context().Done() })
	during, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	require.ErrorIs(t, b.Broadcast(during, event()), context.Canceled)

	cfg, _ := e.config()
	cfg.Timeout = time.Millisecond
	b, err := pusher.New(cfg)
	require.NoError(t, err)
	e.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	require.ErrorIs(t, b.Broadcast(t.Context(), event()), context.DeadlineExceeded)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	b := newEndpoint(t).broadcaster()
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			if err := b.Broadcast(t.Context(), event()); err != nil {
				t.Errorf("Broadcast() = %v", err)
			}
		})
	}
	calls.Wait()
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	_, err := pusher.New(pusher.Config{Host: "http://x/y", Privacy: 9})
	require.Error(t, err)
	for _, want := range []string{"AppID", "Key", "Secret", "Host", "Privacy"} {
		require.Contains(t, err.Error(), want)
	}
	_, err = pusher.New(pusher.Config{AppID: "1", Key: "k", Secret: "s", Cluster: "eu", Privacy: pusher.PrivacyEncrypted})
	require.ErrorContains(t, err, "EncryptionKey")
	_, err = pusher.New(pusher.Config{AppID: "1", Key: "k", Secret: "s"})
	require.ErrorContains(t, err, "Cluster")
}

func TestRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	b := e.broadcaster()
	for name, change := range map[string]func(*realtime.Event){
		"channel": func(ev *realtime.Event) { ev.Channel = "private-:user::x" },
		"name":    func(ev *realtime.Event) { ev.Name = "pusher:x" },
		"size":    func(ev *realtime.Event) { ev.Data = []byte(`"` + strings.Repeat("x", realtime.MaxEventData) + `"`) },
	} {
		ev := event()
		change(&ev)
		require.ErrorIs(t, b.Broadcast(t.Context(), ev), realtime.ErrInvalidEvent, name)
	}
	cfg, _ := e.config()
	cfg.Privacy, cfg.EncryptionKey = pusher.PrivacyEncrypted, bytes.Repeat([]byte{7}, pusher.EncryptionKeyLength)
	sealing, err := pusher.New(cfg)
	require.NoError(t, err)
	for name, change := range map[string]func(*realtime.Event){
		"a channel that is too long when encrypted": func(ev *realtime.Event) {
			ev.Channel += realtime.Channel(strings.Repeat("x", realtime.MaxChannelLength-len(ev.Channel)))
		},
		"a thin form that is no JSON": func(ev *realtime.Event) {
			ev.Data, ev.Thin = []byte(`"`+strings.Repeat("x", 9000)+`"`), []byte("{")
		},
		"a thin form that is too large": func(ev *realtime.Event) {
			ev.Thin = []byte(`"` + strings.Repeat("x", 9000) + `"`)
			ev.Data = ev.Thin
		},
	} {
		ev := event()
		change(&ev)
		require.ErrorIs(t, sealing.Broadcast(t.Context(), ev), realtime.ErrInvalidEvent, name)
	}
	for name, change := range map[string]func(*realtime.Event){
		"socket":    func(ev *realtime.Event) { ev.Except = "x" },
		"encrypted": func(ev *realtime.Event) { ev.Channel = "private-encrypted-consultation-c" },
	} {
		ev := event()
		change(&ev)
		var permanent *realtime.PermanentError
		require.ErrorAs(t, b.Broadcast(t.Context(), ev), &permanent, name)
	}
	paths, _ := e.requests()
	require.Empty(t, paths)
}
