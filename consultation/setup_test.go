package consultation_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

// recorder is a broadcaster that keeps what it gets, or fails.
type recorder struct {
	mu     sync.Mutex
	events []realtime.Event
	err    error
}

func (r *recorder) Broadcast(_ context.Context, ev realtime.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev)
	return r.err
}

// take returns the events since the last call.
func (r *recorder) take() []realtime.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// relay is a recorder with an outbox.
type relay struct {
	recorder
	ids []int64
}

func (r *relay) HandOff(id int64, ev realtime.Event) {
	_ = r.Broadcast(context.Background(), ev)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, id)
}

func (r *relay) Lease() time.Duration { return 5 * time.Second }

// counted is a store that counts the calls of its methods.
type counted struct {
	*memstore.Store
	mu    sync.Mutex
	calls int
}

func (s *counted) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
}

func (s *counted) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	s.count()
	return s.Store.Create(ctx, p)
}

func (s *counted) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	s.count()
	return s.Store.Consultation(ctx, id, viewer)
}

func (s *counted) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	s.count()
	return s.Store.Change(ctx, p)
}

// bundle is what a test of the service works with.
type bundle struct {
	*consultation.Service
	store *counted
	to    *recorder
	log   *strings.Builder
}

func setup(t *testing.T, opts consultation.Options) bundle {
	t.Helper()
	b := bundle{store: &counted{Store: memstore.New()}, to: &recorder{}, log: &strings.Builder{}}
	opts.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	var err error
	b.Service, err = consultation.NewService(b.store, b.to, &opts)
	require.NoError(t, err)
	return b
}

// request stores a requested consultation and returns its id.
func (b bundle) request(t *testing.T) consultation.ID {
	t.Helper()
	c, err := b.Request(t.Context(), consultation.RequestParams{Topic: "Rücken", Patient: patient})
	require.NoError(t, err)
	b.store.calls = 0
	return c.ID
}

// start stores a consultation between the patient and the student and returns its id.
func (b bundle) start(t *testing.T) consultation.ID {
	t.Helper()
	id := b.request(t)
	_, err := b.Accept(t.Context(), by(id, student))
	require.NoError(t, err)
	b.to.take()
	b.store.calls = 0
	return id
}

func by(id consultation.ID, p consultation.Participant) consultation.TransitionParams {
	return consultation.TransitionParams{ID: id, By: consultation.Person(p)}
}

func byHost(id consultation.ID, s *consultation.Participant) consultation.TransitionParams {
	return consultation.TransitionParams{ID: id, By: consultation.Host(), Student: s}
}
