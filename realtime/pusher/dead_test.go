package pusher_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/storage/memstore"
)

// sender is a chat over a relay to an endpoint.
type sender struct {
	svc   *chat.Service
	times []time.Duration
}

func newSender(t *testing.T, e *endpoint) *sender {
	t.Helper()
	store := memstore.New()
	cfg, _ := e.config()
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	to, err := pusher.New(cfg)
	require.NoError(t, err)
	relay, err := realtime.NewRelay(store, to, &realtime.RelayOptions{Logger: cfg.Logger})
	require.NoError(t, err)
	people, err := consultation.NewService(store, relay, nil)
	require.NoError(t, err)
	_, err = people.Request(t.Context(), consultation.RequestParams{
		ID: "c", Topic: "x", Patient: consultation.Participant{UserID: "p", Role: consultation.RolePatient},
	})
	require.NoError(t, err)
	student := consultation.Participant{UserID: "s", Role: consultation.RoleStudent}
	_, err = people.Accept(t.Context(), consultation.TransitionParams{ID: "c", By: consultation.Person(student)})
	require.NoError(t, err)
	svc, err := chat.NewService(store, relay, &chat.Options{WriteRate: chat.Rate{PerSecond: -1}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return &sender{svc: svc}
}

func (s *sender) send(t *testing.T) {
	begin := time.Now()
	_, err := s.svc.Send(t.Context(), chat.SendParams{ConsultationID: "c", SenderID: "p", Content: "x"})
	require.NoError(t, err)
	s.times = append(s.times, time.Since(begin))
}

func (s *sender) p99() time.Duration {
	slices.Sort(s.times)
	return s.times[len(s.times)*99/100]
}

// A transport that does not answer costs a sender nothing: side by side, because machines differ. Chance may be against
// one round.
func TestDeadEndpointDoesNotSlowSends(t *testing.T) {
	var alive, dead time.Duration
	for range 3 {
		a, d := newSender(t, newEndpoint(t)), newEndpoint(t)
		d.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		b := newSender(t, d)
		for range 1000 {
			a.send(t)
			b.send(t)
		}
		alive, dead = a.p99(), b.p99()
		t.Logf("p99 of Send: %v with the endpoint alive, %v with it dead", alive, dead)
		if dead <= alive+5*time.Millisecond {
			return
		}
	}
	t.Errorf("p99 of Send is %v with a dead endpoint and %v with one that is alive", dead, alive)
}
