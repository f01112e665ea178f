package chat_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

const room = consultation.ID("room")

var (
	patient = consultation.Participant{
		UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Zoë", LastName: "Müller", Image: "https://example.org/zoe.png",
	}
	student  = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Jürgen", LastName: "Smith"}
	stranger = consultation.Participant{UserID: "stranger", Role: consultation.RoleStudent, FirstName: "Nobody"}
)

// recorder is a broadcaster that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	events []realtime.Event
}

func (r *recorder) Broadcast(_ context.Context, ev realtime.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev)
	return nil
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

// counted is a store that writes down which of its methods were called.
type counted struct {
	chat.Storage
	calls []string
}

func (s *counted) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	s.calls = append(s.calls, "Append")
	return s.Storage.Append(ctx, p)
}

func (s *counted) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	s.calls = append(s.calls, "History")
	return s.Storage.History(ctx, p)
}

func (s *counted) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	s.calls = append(s.calls, "Changes")
	return s.Storage.Changes(ctx, p)
}

func (s *counted) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	s.calls = append(s.calls, "Inbox")
	return s.Storage.Inbox(ctx, p)
}

func (s *counted) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	s.calls = append(s.calls, "MarkRead")
	return s.Storage.MarkRead(ctx, p)
}

func (s *counted) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	s.calls = append(s.calls, "Edit")
	return s.Storage.Edit(ctx, p)
}

func (s *counted) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	s.calls = append(s.calls, "Delete")
	return s.Storage.Delete(ctx, p)
}

// bundle is what a test of the service works with: a consultation in progress, at rev 2, and all that is around it.
type bundle struct {
	*chat.Service
	store   *memstore.Store
	counted *counted
	to      *recorder
	log     *strings.Builder
}

func setup(t *testing.T, opts chat.Options) bundle {
	t.Helper()
	to := &recorder{}
	b := with(t, to, opts)
	b.to = to
	return b
}

// with makes a bundle with another broadcaster.
func with(t *testing.T, to chat.Broadcaster, opts chat.Options) bundle {
	t.Helper()
	b := bundle{store: memstore.New(), log: &strings.Builder{}}
	b.counted = &counted{Storage: b.store}
	opts.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	var err error
	b.Service, err = chat.NewService(b.counted, to, &opts)
	require.NoError(t, err)
	_, err = b.store.Create(t.Context(), consultation.CreateParams{ID: room, Topic: "Rücken", Patient: patient})
	require.NoError(t, err)
	b.change(t, consultation.Change{ID: room, By: consultation.Person(student), To: consultation.StatusInProgress, Student: &student})
	return b
}

func (b bundle) change(t *testing.T, ch consultation.Change) {
	t.Helper()
	_, err := b.store.Change(t.Context(), consultation.ChangeParams{Change: ch})
	require.NoError(t, err)
}

// complete ends the consultation.
func (b bundle) complete(t *testing.T) {
	t.Helper()
	b.change(t, consultation.Change{ID: room, By: consultation.Host(), To: consultation.StatusCompleted})
}

func text(sender consultation.Participant, content string) chat.SendParams {
	return chat.SendParams{ConsultationID: room, SenderID: sender.UserID, Content: content}
}

// say sends a message and forgets its event and its call of the store.
func (b bundle) say(t *testing.T, sender consultation.Participant, content string) chat.Message {
	t.Helper()
	sent, err := b.Send(t.Context(), text(sender, content))
	require.NoError(t, err)
	b.forget()
	return sent.Message
}

func (b bundle) forget() {
	b.counted.calls = nil
	if b.to != nil {
		b.to.take()
	}
}

// rev is the consultation's counter.
func (b bundle) rev(t *testing.T) int64 {
	t.Helper()
	c, err := b.store.Consultation(t.Context(), room, "")
	require.NoError(t, err)
	return c.Rev
}

// invalid fails the test unless err is an InvalidError about the field.
func invalid(t *testing.T, err error, field string) {
	t.Helper()
	var is *consultation.InvalidError
	require.ErrorAs(t, err, &is)
	require.Equal(t, field, is.Field)
	require.NotEmpty(t, is.Reason)
}
