package prommetrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/httpadapter/prommetrics"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/memstore"
)

// parts are real ones, with a consultation "demo" in progress and one client that listens to it.
type parts struct {
	store    *memstore.Store
	server   *ws.Server
	relay    *realtime.Relay
	messages *chat.Service
	requests *consultation.Service
	http     *httpadapter.Handler
	client   *realtimetest.Client
}

func setup(t *testing.T) parts {
	t.Helper()
	var p parts
	var err error
	p.store = memstore.New()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	p.server, err = ws.New(ws.Config{AppID: "app", Key: "key", Secret: "secret", Logger: quiet})
	require.NoError(t, err)
	p.relay, err = realtime.NewRelay(p.store, p.server, nil)
	require.NoError(t, err)
	p.messages, err = chat.NewService(p.store, p.relay, &chat.Options{WriteRate: chat.Rate{PerSecond: 0.001, Burst: 1}})
	require.NoError(t, err)
	p.requests, err = consultation.NewService(p.store, p.relay, nil)
	require.NoError(t, err)
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"}
	stefan := consultation.Participant{UserID: "stefan", Role: consultation.RoleStudent, FirstName: "Stefan"}
	_, err = p.requests.Request(t.Context(), consultation.RequestParams{ID: "demo", Topic: "x", Patient: paula})
	require.NoError(t, err)
	_, err = p.requests.Accept(t.Context(), consultation.TransitionParams{ID: "demo", By: consultation.Person(stefan)})
	require.NoError(t, err)

	p.http, err = httpadapter.New(httpadapter.Config{
		Chat: p.messages, Consultations: p.requests,
		Authenticator: httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) { return consultation.Participant{}, nil }),
	})
	require.NoError(t, err)

	host := httptest.NewServer(p.server)
	t.Cleanup(host.Close)
	t.Cleanup(func() { _ = p.server.Shutdown(t.Context()) }) // the context has ended by then: cut, do not wait
	p.client, err = realtimetest.Dial(t.Context(), "ws"+strings.TrimPrefix(host.URL, "http")+"/app/key?protocol=7", nil)
	require.NoError(t, err)
	t.Cleanup(p.client.Cut)
	ch := consultation.Channel("demo", 1)
	grant, err := p.server.SignChannel(p.client.SocketID(), ch, &realtime.Member{UserID: "stefan"})
	require.NoError(t, err)
	require.NoError(t, p.client.Subscribe(t.Context(), ch, grant))
	return p
}

// statements are the figures of a store that has a database.
type statements bunstore.Stats

func (s statements) Stats() bunstore.Stats { return bunstore.Stats(s) }

// all shows everything.
func (p parts) all() prommetrics.Config {
	return prommetrics.Config{
		Server: p.server, Relay: p.relay, Chat: p.messages, Consultations: p.requests, HTTP: p.http,
		Store: statements{Statements: 7, Failures: 3, Repeats: 2, GivenUp: 1},
	}
}

// registry is a pedantic one: what is collected must be as described.
func registry(t *testing.T, cfg prommetrics.Config) *prometheus.Registry {
	t.Helper()
	c, err := prommetrics.New(cfg)
	require.NoError(t, err)
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(c))
	return r
}

func TestTheFiguresOfRealParts(t *testing.T) {
	t.Parallel()
	p := setup(t)
	send := chat.SendParams{ConsultationID: "demo", SenderID: "paula", Content: "Guten Tag", ClientMessageID: "k"}
	_, err := p.messages.Send(t.Context(), send)
	require.NoError(t, err)
	send.ClientMessageID = "l"
	_, err = p.messages.Send(t.Context(), send)
	require.ErrorIs(t, err, chat.ErrRateLimited)
	r := registry(t, p.all())
	p.http.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/beratungen", nil))
	require.NoError(t, testutil.GatherAndCompare(r, strings.NewReader(`
# HELP murph_outbox_pending Entries that wait or are leased.
# TYPE murph_outbox_pending gauge
murph_outbox_pending 3
# HELP murph_relay_queued Events that wait on the fast way.
# TYPE murph_relay_queued gauge
murph_relay_queued 3
`), "murph_outbox_pending", "murph_relay_queued"))

	_, err = p.relay.Flush(t.Context())
	require.NoError(t, err)
	for range 3 {
		_, err := p.client.NextEvent(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, testutil.GatherAndCompare(r, strings.NewReader(`
# HELP murph_chat_rate_limited_total Writes above the rate.
# TYPE murph_chat_rate_limited_total counter
murph_chat_rate_limited_total 1
# HELP murph_chat_sent_total Messages stored.
# TYPE murph_chat_sent_total counter
murph_chat_sent_total 1
# HELP murph_consultation_accepted_total Consultations that were begun.
# TYPE murph_consultation_accepted_total counter
murph_consultation_accepted_total 1
# HELP murph_http_refusals_total Requests that were refused or failed, by the code of the problem.
# TYPE murph_http_refusals_total counter
murph_http_refusals_total{code="unauthenticated"} 1
# HELP murph_http_requests_total Requests of the HTTP interface.
# TYPE murph_http_requests_total counter
murph_http_requests_total 1
# HELP murph_outbox_pending Entries that wait or are leased.
# TYPE murph_outbox_pending gauge
murph_outbox_pending 0
# HELP murph_outbox_readable 1 if the outbox could be read for this scrape.
# TYPE murph_outbox_readable gauge
murph_outbox_readable 1
# HELP murph_relay_down 1 while the transport is taken for down.
# TYPE murph_relay_down gauge
murph_relay_down 0
# HELP murph_relay_published_total Events that the transport took.
# TYPE murph_relay_published_total counter
murph_relay_published_total 3
# HELP murph_store_repeats_total Tries after another transaction was in the way.
# TYPE murph_store_repeats_total counter
murph_store_repeats_total 2
# HELP murph_ws_connections Connections.
# TYPE murph_ws_connections gauge
murph_ws_connections 1
# HELP murph_ws_subscriptions Subscriptions.
# TYPE murph_ws_subscriptions gauge
murph_ws_subscriptions 1
`), "murph_chat_sent_total", "murph_chat_rate_limited_total", "murph_outbox_pending", "murph_outbox_readable", "murph_relay_down",
		"murph_http_requests_total", "murph_http_refusals_total", "murph_consultation_accepted_total", "murph_store_repeats_total",
		"murph_relay_published_total", "murph_ws_connections", "murph_ws_subscriptions"))
}

func TestNamesAndLabels(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.client.Cut()
	_ = p.server.Shutdown(t.Context())
	p.http.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/beratungen", nil))
	r := registry(t, p.all())
	problems, err := testutil.GatherAndLint(r)
	require.NoError(t, err)
	require.Empty(t, problems)
	families, err := r.Gather()
	require.NoError(t, err)
	require.Greater(t, len(families), 30)
	for _, f := range families {
		require.Regexp(t, "^murph_(ws|relay|outbox|chat|consultation|store|http)_", f.GetName())
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				require.Contains(t, []string{"murph_ws_closes_total/code", "murph_http_refusals_total/code"}, f.GetName()+"/"+l.GetName(),
					"no label grows with users or channels")
			}
		}
	}
}

// brokenOutbox is a store that cannot be asked.
type brokenOutbox struct{ *memstore.Store }

func (brokenOutbox) Backlog(context.Context) (realtime.Backlog, error) {
	return realtime.Backlog{}, errors.New("the store is down")
}

func TestAnOutboxThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := setup(t)
	relay, err := realtime.NewRelay(brokenOutbox{p.store}, p.server, nil)
	require.NoError(t, err)
	var log strings.Builder
	r := registry(t, prommetrics.Config{Relay: relay, Timeout: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	families, err := r.Gather()
	require.NoError(t, err)
	shown := map[string]float64{}
	for _, f := range families {
		if g := f.GetMetric()[0].GetGauge(); g != nil {
			shown[f.GetName()] = g.GetValue()
		}
	}
	require.Contains(t, shown, "murph_relay_down", "the counters are there all the same")
	require.Contains(t, shown, "murph_outbox_readable")
	require.Zero(t, shown["murph_outbox_readable"])
	require.NotContains(t, shown, "murph_outbox_pending")
	require.Contains(t, log.String(), "the store is down")
}

func TestACollectorNeedsAPart(t *testing.T) {
	t.Parallel()
	_, err := prommetrics.New(prommetrics.Config{})
	require.Error(t, err)
}
