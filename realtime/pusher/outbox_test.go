package pusher_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/storage/memstore"
)

// What is left in the outbox, and whether the relay goes on sending, after each answer of the service.
func TestOutboxAfterEachAnswer(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	// toTheEvent answers with the first status to the message, and with the second
	// one, or 200, to everything else.
	toTheEvent := func(codes ...int) http.HandlerFunc {
		codes = append(codes, 200)
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(body(r), canary) {
				w.WriteHeader(codes[0])
				return
			}
			w.WriteHeader(codes[1])
		}
	}
	stall := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		answer          http.HandlerFunc
		pending, parked int64
		open            bool
		timeout         time.Duration // of a call, where it is waited for
	}{
		"200":     {answer: status(200)},
		"garbage": {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }},
		"slow body": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			stall(w, r)
		}, timeout: time.Second},
		"400":              {answer: status(400), pending: 1, open: true}, // to everything: the fault is not the event's
		"405":              {answer: status(405), pending: 1, open: true},
		"422":              {answer: status(422), pending: 1, open: true},
		"400 to the event": {answer: toTheEvent(400), parked: 1},
		"422 to the event": {answer: toTheEvent(422), parked: 1},
		"400, then 500":    {answer: toTheEvent(400, 500), pending: 1},
		"400, then 401":    {answer: toTheEvent(400, 401), pending: 1, open: true},
		"401":              {answer: status(401), pending: 1, open: true},
		"403":              {answer: status(403), pending: 1, open: true},
		"404":              {answer: status(404), pending: 1, open: true},
		"413":              {answer: status(413), pending: 1, open: true}, // thin too: it is the quota
		"429":              {answer: status(429), pending: 1, open: true},
		"500":              {answer: status(500), pending: 1},
		"stall":            {answer: stall, pending: 1, timeout: time.Second},
		"cut":              {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, pending: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t)
			e.answers(c.answer)
			relay, _ := relayTo(t, e, c.timeout)
			_, err := relay.Flush(t.Context())
			require.NoError(t, err)
			stats, err := relay.Stats(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.pending, stats.Backlog.Pending, "pending")
			require.Equal(t, c.parked, stats.Backlog.Parked, "parked")
			require.Equal(t, c.open, stats.Down, "breaker")
		})
	}
}

// A batch that is refused because of one event costs the others nothing.
func TestOneBadEventOfABatchIsParkedAlone(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.answers(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(body(r), canary) {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	b := e.broadcaster()
	good := event()
	good.Data = []byte(`{}`)
	var permanent *realtime.PermanentError
	for _, err := range b.BroadcastBatch(t.Context(), []realtime.Event{good, event()}) {
		require.ErrorAs(t, err, &permanent, "the relay finds out which one it is")
	}
	require.NoError(t, b.Broadcast(t.Context(), good))
	require.ErrorAs(t, b.Broadcast(t.Context(), event()), &permanent)
}

// The vendor's client refuses what makes no address. New lets nothing of the
// kind through, so this stands for what a later version of it may refuse.
func TestRefusedBeforeItIsSentIsNoFaultOfTheEvent(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	b := e.broadcaster()
	pusher.SpoilHost(b)
	var refused *realtime.RefusedError
	require.ErrorAs(t, b.Broadcast(t.Context(), event()), &refused)
	for _, err := range b.BroadcastBatch(t.Context(), []realtime.Event{event(), event()}) {
		require.ErrorAs(t, err, &refused)
	}
	paths, _ := e.requests()
	require.Empty(t, paths)
}

// An event that the service finds too large goes out thin.
func TestTooLargeGoesThin(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.answers(func(w http.ResponseWriter, _ *http.Request) {
		if _, bodies := e.requests(); strings.Contains(bodies[len(bodies)-1], canary) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})
	relay, store := relayTo(t, e, 0)
	_, err := relay.Flush(t.Context())
	require.NoError(t, err)
	_, bodies := e.requests()
	require.Len(t, bodies, 2)
	require.Contains(t, bodies[1], "thin")
	backlog, err := store.Backlog(t.Context())
	require.NoError(t, err)
	require.Zero(t, backlog)
}

// relayTo makes a relay to the endpoint with one message in its outbox that is
// due. A timeout of zero is the default.
func relayTo(t *testing.T, e *endpoint, timeout time.Duration) (*realtime.Relay, *memstore.Store) {
	t.Helper()
	store := memstore.New()
	cfg, _ := e.config()
	to, err := pusher.New(cfg)
	require.NoError(t, err)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	relay, err := realtime.NewRelay(store, to, &realtime.RelayOptions{Logger: quiet, PublishTimeout: timeout})
	require.NoError(t, err)
	patient := consultation.Participant{UserID: "p", Role: consultation.RolePatient}
	student := consultation.Participant{UserID: "s", Role: consultation.RoleStudent}
	_, err = store.Create(t.Context(), consultation.CreateParams{ID: "c", Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = store.Change(t.Context(), consultation.ChangeParams{Change: consultation.Change{
		ID: "c", By: consultation.Host(), To: consultation.StatusInProgress, Student: &student,
	}})
	require.NoError(t, err)
	_, err = store.Append(t.Context(), chat.AppendParams{
		ID: "m", ConsultationID: "c", SenderID: "p", Content: canary, Enqueue: &realtime.Enqueue{},
	})
	require.NoError(t, err)
	return relay, store
}
