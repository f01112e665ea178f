package chat_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/memstore"
)

// drafts records what a hook was asked.
type drafts struct {
	asked  []chat.Draft
	answer error
}

func (d *drafts) before(_ context.Context, draft chat.Draft) error {
	d.asked = append(d.asked, draft)
	return d.answer
}

func TestBeforeSendSeesWhatWillBeStored(t *testing.T) {
	t.Parallel()
	var d drafts
	b := setup(t, chat.Options{BeforeSend: d.before})
	p := text(patient, "  Guten Tag ")
	p.ClientMessageID = "key-1"
	sent, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID}, " Guten Abend ")
	require.NoError(t, err)
	require.Equal(t, []chat.Draft{
		{ConsultationID: room, SenderID: patient.UserID, Content: "Guten Tag", ClientMessageID: "key-1"},
		{Edits: sent.Message.ID, SenderID: patient.UserID, Content: "Guten Abend"},
	}, d.asked)

	_, err = b.Send(t.Context(), text(patient, " "))
	invalid(t, err, "content")
	require.Len(t, d.asked, 2, "it is not asked about what is refused anyway")
}

func TestBeforeSendRefuses(t *testing.T) {
	t.Parallel()
	d := drafts{answer: errors.Join(errors.New("rule 7"), &chat.RefusedError{Reason: "Bitte keine Telefonnummern."})}
	relay := &relay{}
	b := with(t, relay, chat.Options{BeforeSend: d.before})
	refused := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, chat.ErrRefused)
		var is *chat.RefusedError
		require.ErrorAs(t, err, &is)
		require.Equal(t, "Bitte keine Telefonnummern.", is.Reason)
		require.NotContains(t, is.Error(), "Telefon", "it could quote the message")
	}
	_, err := b.Send(t.Context(), text(patient, "0170 1234567"))
	refused(err)
	err = b.store.InTx(t.Context(), func(tx *memstore.Store) error {
		_, err := b.SendTx(t.Context(), tx, text(patient, "0170 1234567"))
		return err
	})
	refused(err)

	d.answer = nil
	m := b.say(t, patient, "Guten Tag")
	require.EqualValues(t, 3, m.Seq, "nothing was stored before")
	relay.take()
	d.answer = &chat.RefusedError{Reason: "Bitte keine Telefonnummern."}
	_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: m.ID, By: patient.UserID}, "0170 1234567")
	refused(err)
	require.EqualValues(t, 3, b.rev(t))
	require.Empty(t, relay.take())
	require.EqualValues(t, 3, b.Stats().Refused)
	require.Zero(t, b.Stats().HookFailures)
}

func TestBeforeSendThatFails(t *testing.T) {
	t.Parallel()
	// deaf takes its time, whatever its context says.
	deaf := func(context.Context, chat.Draft) error {
		<-time.After(time.Minute)
		return nil
	}
	for name, c := range map[string]struct {
		hook func(context.Context, chat.Draft) error
		is   error
	}{
		"error":    {func(context.Context, chat.Draft) error { return consultation.ErrForbidden }, consultation.ErrForbidden},
		"panic":    {func(_ context.Context, d chat.Draft) error { panic(d.Content) }, nil},
		"too slow": {func(ctx context.Context, _ chat.Draft) error { <-ctx.Done(); return ctx.Err() }, context.DeadlineExceeded},
		"deaf":     {deaf, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setup(t, chat.Options{BeforeSend: c.hook, HookTimeout: time.Second})
				start := time.Now()
				_, err := b.Send(t.Context(), text(patient, "geheim"))
				require.Error(t, err)
				if c.is != nil {
					require.ErrorIs(t, err, c.is)
				}
				require.NotContains(t, err.Error(), "geheim")
				require.NotErrorIs(t, err, chat.ErrRefused)
				require.LessOrEqual(t, time.Since(start), time.Second)
				require.NotContains(t, b.counted.calls, "Append", "something was stored")
				require.EqualValues(t, 1, b.Stats().HookFailures)
				<-time.After(2 * time.Minute) // the hook has to end before the bubble does
			})
		})
	}
}

func TestBeforeSendEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{BeforeSend: func(ctx context.Context, _ chat.Draft) error { <-ctx.Done(); return ctx.Err() }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Send(ctx, text(patient, "Guten Tag"))
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, b.Stats().HookFailures, "nothing is wrong with the hook")
	require.NotContains(t, b.counted.calls, "Append", "something was stored")
}

// TestBeforeSendIsNotAskedForStrangers has users who do not belong there, and edits that the store refuses.
func TestBeforeSendIsNotAskedForStrangers(t *testing.T) {
	t.Parallel()
	var d drafts
	b := with(t, &relay{}, chat.Options{BeforeSend: d.before})
	m := b.say(t, patient, "Guten Tag")
	gone := b.say(t, patient, "weg")
	_, err := b.Delete(t.Context(), chat.OwnMessageParams{ID: gone.ID, By: patient.UserID})
	require.NoError(t, err)
	d.asked = nil
	unknown := text(patient, "x")
	unknown.ConsultationID = "unknown"
	for _, p := range []chat.SendParams{text(stranger, "x"), unknown} {
		_, err = b.Send(t.Context(), p)
		require.ErrorIs(t, err, consultation.ErrNotFound)
		err = b.store.InTx(t.Context(), func(tx *memstore.Store) error {
			_, err := b.SendTx(t.Context(), tx, p)
			return err
		})
		require.ErrorIs(t, err, consultation.ErrNotFound)
	}
	for _, c := range []struct {
		id   chat.MessageID
		by   consultation.UserID
		want error
	}{
		{m.ID, stranger.UserID, chat.ErrMessageNotFound},
		{"unknown", patient.UserID, chat.ErrMessageNotFound},
		{m.ID, student.UserID, chat.ErrNotSender},
		{gone.ID, patient.UserID, chat.ErrDeleted},
	} {
		_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: c.id, By: c.by}, "x")
		require.ErrorIs(t, err, c.want)
	}
	same, err := b.Edit(t.Context(), chat.OwnMessageParams{ID: m.ID, By: patient.UserID}, "Guten Tag")
	require.NoError(t, err)
	require.Equal(t, m, same, "the message has this text already")
	require.Empty(t, d.asked)

	_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: m.ID, By: patient.UserID, IfRev: 1}, "x")
	require.ErrorIs(t, err, chat.ErrStale)
	b.counted.calls = nil
	edited, err := b.Edit(t.Context(), chat.OwnMessageParams{ID: m.ID, By: patient.UserID, IfRev: m.Rev}, "Guten Abend")
	require.NoError(t, err)
	require.Equal(t, "Guten Abend", edited.Content)
	require.Len(t, b.counted.calls, 2)
	b.counted.calls = nil
	_, err = b.Send(t.Context(), text(student, "x"))
	require.NoError(t, err)
	require.Equal(t, []string{"History", "Append"}, b.counted.calls)
}

// TestHungBeforeSendCallsAreBounded has a hook that ignores its context for a minute.
func TestHungBeforeSendCallsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		b := setup(t, chat.Options{})
		service, err := chat.NewService(b.store, &recorder{}, &chat.Options{
			WriteRate: chat.Rate{PerSecond: -1}, HookTimeout: time.Second,
			BeforeSend: func(context.Context, chat.Draft) error {
				begun.Add(1)
				<-time.After(time.Minute)
				return nil
			},
		})
		require.NoError(t, err)
		const callers = 300
		var calls sync.WaitGroup
		var slow, busy atomic.Int64
		for range callers {
			calls.Go(func() {
				_, err := service.Send(t.Context(), text(patient, "x"))
				switch {
				case errors.Is(err, chat.ErrHooksBusy):
					busy.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					slow.Add(1)
				}
			})
		}
		start := time.Now()
		calls.Wait()
		require.Equal(t, time.Second, time.Since(start), "no caller waits longer than HookTimeout")
		require.EqualValues(t, 256, begun.Load())
		require.EqualValues(t, 256, slow.Load())
		require.EqualValues(t, callers-256, busy.Load())
		require.Equal(t, 256, service.Stats().HooksHung)
		require.EqualValues(t, callers, service.Stats().HookFailures)
		<-time.After(time.Minute)
		require.Zero(t, service.Stats().HooksHung)
		_, err = service.Send(t.Context(), text(patient, "x"))
		require.ErrorIs(t, err, context.DeadlineExceeded, "the hook is asked again")
		<-time.After(time.Minute)
	})
}

// TestHungAfterSendCallsStopNoOthers has messages whose calls never return and one whose call does.
func TestHungAfterSendCallsStopNoOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var told atomic.Int64
		b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: -1}, AfterSend: func(_ context.Context, m chat.Message) {
			if m.Content == "hangs" {
				<-release
				panic("late")
			}
			told.Add(1)
		}})
		start := time.Now()
		for range 8 {
			b.say(t, patient, "hangs")
		}
		b.say(t, patient, "Guten Tag")
		require.NoError(t, b.Wait(t.Context()))
		require.Equal(t, chat.DefaultHookTimeout, time.Since(start))
		require.EqualValues(t, 1, told.Load(), "the hung calls stop the others")
		require.Equal(t, 8, b.Stats().HooksHung)
		require.EqualValues(t, 8, b.Stats().HookFailures)

		for range 200 {
			b.say(t, patient, "hangs")
		}
		b.say(t, patient, "Guten Tag")
		<-time.After(time.Hour)
		require.Equal(t, 108, b.Stats().HooksHung, "the number of hung calls is bounded")
		require.EqualValues(t, 1, told.Load())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, b.Wait(ctx), context.Canceled)
		close(release)
		require.NoError(t, b.Wait(t.Context()))
		synctest.Wait()
		require.EqualValues(t, 2, told.Load(), "it goes on once they return")
		require.Zero(t, b.Stats().HooksHung)
	})
}

// told records the messages that a hook was told of.
type told struct {
	mu       sync.Mutex
	messages []chat.Message
}

func (h *told) after(_ context.Context, m chat.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages = append(h.messages, m)
}

func TestAfterSendIsToldOnceOfEachMessage(t *testing.T) {
	t.Parallel()
	var h told
	b := with(t, &relay{}, chat.Options{AfterSend: h.after})
	p := text(patient, "Guten Tag")
	p.ClientMessageID = "key-1"
	sent, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	again, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID}, "Guten Abend")
	require.NoError(t, err)
	_, err = b.Send(t.Context(), text(stranger, "Guten Tag"))
	require.ErrorIs(t, err, consultation.ErrNotFound)
	require.NoError(t, b.store.InTx(t.Context(), func(tx *memstore.Store) error {
		_, err := b.SendTx(t.Context(), tx, text(patient, "in a transaction of the host's"))
		return err
	}))
	require.NoError(t, b.Wait(t.Context()))
	require.Equal(t, []chat.Message{sent.Message}, h.messages)
	require.Equal(t, chat.Stats{Sent: 1, Replayed: 1}, b.Stats())
}

func TestAfterSendKeepsTheValuesAndNotTheEndOfTheRequest(t *testing.T) {
	t.Parallel()
	type key struct{}
	ended := make(chan struct{})
	var value any
	var live error
	b := setup(t, chat.Options{AfterSend: func(ctx context.Context, _ chat.Message) {
		<-ended
		value, live = ctx.Value(key{}), ctx.Err()
	}})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
	_, err := b.Send(ctx, text(patient, "Guten Tag"))
	require.NoError(t, err)
	cancel()
	close(ended)
	require.NoError(t, b.Wait(t.Context()))
	require.Equal(t, "trace", value)
	require.NoError(t, live)
}

func TestAfterSendThatHangsOrPanics(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: -1}, HookTimeout: time.Hour, AfterSend: func(_ context.Context, m chat.Message) {
		<-release
		panic(m.Content)
	}})
	const sent = 8 + 1000 + 5 // 8 are being called and may have begun, 1,000 wait
	for range sent {
		b.say(t, patient, "geheim")
	}
	dropped := b.Stats().HooksDropped
	require.GreaterOrEqual(t, dropped, int64(5))
	require.LessOrEqual(t, dropped, int64(13))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Wait(ctx), context.Canceled)

	close(release)
	require.NoError(t, b.Wait(t.Context()))
	st := b.Stats()
	require.EqualValues(t, sent, st.Sent)
	require.EqualValues(t, sent-dropped, st.HookFailures)
	require.Zero(t, st.HooksQueued)
	require.NotContains(t, b.log.String(), "geheim")
	require.Equal(t, int(st.HookFailures), strings.Count(b.log.String(), "panicked"))
	b.say(t, patient, "geheim")
	require.NoError(t, b.Wait(t.Context()), "it goes on")
	require.EqualValues(t, st.HookFailures+1, b.Stats().HookFailures)
}

func TestADraftInTheLogHasNoContent(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("draft", chat.Draft{ConsultationID: room, SenderID: "patient-1", Content: "geheim"}))
	require.Contains(t, log.String(), "draft.sender_id=patient-1")
	require.Contains(t, log.String(), "draft.bytes=6")
	require.NotContains(t, log.String(), "geheim")
}
