package oteltrace_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter/oteltrace"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

const canary = "Canary Rückenschmerzen"

var (
	paula  = consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Canary-Paula"}
	stefan = consultation.Participant{UserID: "stefan", Role: consultation.RoleStudent, FirstName: "Canary-Stefan"}
)

// bundle is traced services and the spans that they have ended.
type bundle struct {
	opts          *oteltrace.Options
	provider      *sdk.TracerProvider
	spans         *tracetest.InMemoryExporter
	store         *memstore.Store
	events        *inmem.Broadcaster
	messages      *chat.Service
	consultations *consultation.Service
	id            consultation.ID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{spans: tracetest.NewInMemoryExporter(), store: memstore.New(), events: &inmem.Broadcaster{}}
	b.provider = sdk.NewTracerProvider(sdk.WithSyncer(b.spans))
	b.opts = &oteltrace.Options{TracerProvider: b.provider}
	to := oteltrace.Broadcaster(b.events, b.opts)
	var err error
	b.messages, err = chat.NewService(oteltrace.Chat(b.store, b.opts), to, nil)
	require.NoError(t, err)
	b.consultations, err = consultation.NewService(oteltrace.Consultations(b.store, b.opts), to, nil)
	require.NoError(t, err)
	c, err := b.consultations.Request(t.Context(), consultation.RequestParams{Topic: canary, Patient: paula})
	require.NoError(t, err)
	b.id = c.ID
	_, err = b.consultations.Accept(t.Context(), consultation.TransitionParams{ID: c.ID, By: consultation.Person(stefan)})
	require.NoError(t, err)
	return b
}

// take returns the spans since the last call, by name, and checks that none has content.
func (b *bundle) take(t *testing.T) map[string]tracetest.SpanStub {
	t.Helper()
	byName := map[string]tracetest.SpanStub{}
	for _, s := range b.spans.GetSpans() {
		require.NotContains(t, fmt.Sprintf("%+v", s), "Canary")
		byName[s.Name] = s
	}
	b.spans.Reset()
	return byName
}

func attrs(s tracetest.SpanStub) map[attribute.Key]any {
	m := map[attribute.Key]any{}
	for _, kv := range s.Attributes {
		m[kv.Key] = kv.Value.AsInterface()
	}
	return m
}

func TestASendAndItsEventAreOneTrace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.take(t)
	ctx, request := b.provider.Tracer("host").Start(t.Context(), "POST /api/nachrichten")
	sent, err := b.messages.Send(ctx, chat.SendParams{ConsultationID: b.id, SenderID: paula.UserID, Content: canary})
	require.NoError(t, err)
	request.End()
	spans := b.take(t)
	require.Len(t, spans, 3)
	for _, name := range []string{"murph.send", "murph.publish"} {
		require.Equal(t, request.SpanContext().SpanID(), spans[name].Parent.SpanID(), name)
		require.Equal(t, codes.Unset, spans[name].Status.Code)
	}
	id := string(sent.Message.ID)
	require.Equal(t, map[attribute.Key]any{
		"murph.consultation.id": string(b.id), "murph.message.id": id, "murph.user.id": "paula", "murph.seq": int64(3), "murph.rev": int64(3),
		"murph.bytes": int64(len(canary)), "murph.replayed": false,
	}, attrs(spans["murph.send"]))
	published := attrs(spans["murph.publish"])
	require.Equal(t, id, published["murph.message.id"])
	require.Equal(t, int64(3), published["murph.rev"])
	require.Equal(t, "new-message", published["murph.event"])
	require.Equal(t, string(consultation.Channel(b.id, 1)), published["murph.channel"])
}

func TestEveryCallHasItsSpan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	sent, err := b.messages.Send(ctx, chat.SendParams{ConsultationID: b.id, SenderID: paula.UserID, Content: canary})
	require.NoError(t, err)
	change := chat.OwnMessageParams{ID: sent.Message.ID, By: paula.UserID}
	_, err = b.messages.Edit(ctx, change, canary+" 2")
	require.NoError(t, err)
	_, err = b.messages.Delete(ctx, change)
	require.NoError(t, err)
	_, err = b.messages.MarkRead(ctx, chat.ReadParams{ConsultationID: b.id, Reader: stefan.UserID, Seq: 3})
	require.NoError(t, err)
	_, err = b.messages.History(ctx, chat.HistoryParams{ConsultationID: b.id, Viewer: paula.UserID})
	require.NoError(t, err)
	_, err = b.messages.Changes(ctx, chat.ChangesParams{ConsultationID: b.id, Viewer: paula.UserID, Since: 1})
	require.NoError(t, err)
	_, err = b.messages.Inbox(ctx, paula, chat.InboxParams{})
	require.NoError(t, err)
	_, err = b.consultations.Get(ctx, b.id, paula.UserID)
	require.NoError(t, err)
	require.NoError(t, oteltrace.Chat(b.store, b.opts).NewEpoch(ctx))
	spans := b.take(t)
	for _, name := range []string{
		"murph.new_epoch", "murph.send", "murph.edit", "murph.delete", "murph.read", "murph.history", "murph.changes", "murph.inbox",
		"murph.request", "murph.consultation", "murph.change", "murph.publish",
	} {
		require.Contains(t, spans, name)
	}
}

func TestRefusalsAreNoErrorsAndFailuresAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.take(t)
	_, err := b.messages.Send(t.Context(), chat.SendParams{ConsultationID: b.id, SenderID: "somebody", Content: canary})
	require.ErrorIs(t, err, consultation.ErrNotFound)
	span := b.take(t)["murph.send"]
	require.Equal(t, "not_participant", attrs(span)["murph.refusal"])
	require.Equal(t, codes.Unset, span.Status.Code)

	b.events.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Err: errors.New("the transport is down")} })
	_, err = b.messages.Send(t.Context(), chat.SendParams{ConsultationID: b.id, SenderID: paula.UserID, Content: canary})
	require.NoError(t, err)
	spans := b.take(t)
	require.Equal(t, codes.Error, spans["murph.publish"].Status.Code)
	require.Contains(t, spans["murph.publish"].Status.Description, "the transport is down")
	require.Equal(t, codes.Unset, spans["murph.send"].Status.Code)
}

// able is a transport that can do everything.
type able struct {
	inmem.Broadcaster
	batches int
	last    error // of the last event of a batch
}

func (a *able) BroadcastBatch(_ context.Context, evs []realtime.Event) []error {
	a.batches++
	errs := make([]error, len(evs))
	errs[len(evs)-1] = a.last
	return errs
}

func (a *able) Revoke(context.Context, realtime.Revocation) error { return nil }

func TestWhatABroadcasterCanDoStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	to := &able{}
	wrapped := oteltrace.Broadcaster(to, b.opts)
	revoker, found := realtime.Find[realtime.Revoker](wrapped)
	require.True(t, found)
	require.Same(t, to, revoker)
	batch, ok := wrapped.(realtime.BatchBroadcaster)
	require.True(t, ok)
	b.take(t)
	m := chat.Message{ID: "m", ConsultationID: b.id, Content: canary, Sender: paula, Seq: 3, Rev: 3}
	ev, err := chat.MessageEvent(chat.EventNewMessage, m, consultation.Audience{}, "")
	require.NoError(t, err)
	require.Equal(t, []error{nil, nil}, batch.BroadcastBatch(t.Context(), []realtime.Event{ev, ev}))
	require.Equal(t, 1, to.batches)
	span := b.take(t)["murph.publish_batch"]
	require.Len(t, span.Events, 2)
	require.Equal(t, codes.Unset, span.Status.Code)
	to.last = errors.New("late")
	require.Equal(t, []error{nil, to.last}, batch.BroadcastBatch(t.Context(), []realtime.Event{ev, ev}))
	span = b.take(t)["murph.publish_batch"]
	require.Equal(t, codes.Error, span.Status.Code)
	require.Equal(t, "late", span.Status.Description)
	_, isOutbox := wrapped.(realtime.OutboxBroadcaster)
	require.False(t, isOutbox)

	relay, err := realtime.NewRelay(b.store, wrapped, nil)
	require.NoError(t, err)
	outbox, ok := oteltrace.Broadcaster(relay, b.opts).(realtime.OutboxBroadcaster)
	require.True(t, ok)
	require.Equal(t, relay.Lease(), outbox.Lease())
	messages, err := chat.NewService(b.store, outbox, nil)
	require.NoError(t, err)
	_, err = messages.Send(t.Context(), chat.SendParams{ConsultationID: b.id, SenderID: paula.UserID, Content: canary})
	require.NoError(t, err)
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	require.Len(t, b.take(t), 1, "the span of the relay's call")
	both := oteltrace.Broadcaster(struct {
		*able
		*handing
	}{to, &handing{relay}}, nil)
	_, isBatch := both.(realtime.BatchBroadcaster)
	_, isOutbox = both.(realtime.OutboxBroadcaster)
	require.True(t, isBatch && isOutbox)
}

// handing has an outbox and nothing else.
type handing struct{ relay *realtime.Relay }

func (h *handing) HandOff(id int64, ev realtime.Event) { h.relay.HandOff(id, ev) }
func (h *handing) Lease() time.Duration                { return h.relay.Lease() }
