package chat_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// limited returns the wait that err asks for.
func limited(t *testing.T, err error) time.Duration {
	t.Helper()
	require.ErrorIs(t, err, chat.ErrRateLimited)
	var is *chat.RateLimitError
	require.ErrorAs(t, err, &is)
	return is.RetryAfter
}

func TestWriteRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: 0.5, Burst: 3}})
		for range 3 {
			b.say(t, patient, "Guten Tag")
		}
		_, err := b.Send(t.Context(), text(patient, "Guten Tag"))
		require.Equal(t, 2*time.Second, limited(t, err))
		require.Empty(t, b.counted.calls, "the store is not asked")
		b.say(t, student, "Guten Tag") // everybody has their own
		<-time.After(2*time.Second - 1)
		_, err = b.Send(t.Context(), text(patient, "Guten Tag"))
		require.Equal(t, time.Duration(1), limited(t, err))
		<-time.After(1)
		b.say(t, patient, "Guten Tag")
		_, err = b.Send(t.Context(), text(patient, " "))
		invalid(t, err, "content")
		_, err = b.Send(t.Context(), text(patient, "Guten Tag"))
		require.Equal(t, 2*time.Second, limited(t, err))
		<-time.After(time.Hour)
		for range 3 {
			b.say(t, patient, "Guten Tag")
		}
		_, err = b.Send(t.Context(), text(patient, "Guten Tag"))
		limited(t, err)
		require.EqualValues(t, 4, b.Stats().RateLimited)
	})
}

func TestARepeatIsNotPunished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: 1, Burst: 2}})
		p := text(patient, "Guten Tag")
		p.ClientMessageID = "key-1"
		for range 10 {
			_, err := b.Send(t.Context(), p)
			require.NoError(t, err)
		}
		b.say(t, patient, "Guten Tag")
		_, err := b.Send(t.Context(), text(patient, "Guten Tag"))
		require.Equal(t, time.Second, limited(t, err))
		p.SenderID = stranger.UserID
		for range 2 {
			_, err = b.Send(t.Context(), p)
			require.ErrorIs(t, err, consultation.ErrNotFound)
		}
		_, err = b.Send(t.Context(), p)
		limited(t, err) // what fails counts: it costs the store as much
	})
}

func TestARepeatAboveTheRateIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: 0.001, Burst: 1}})
		p := text(patient, "Guten Tag")
		p.ClientMessageID = "key-1"
		first, err := b.Send(t.Context(), p)
		require.NoError(t, err)
		for range 3 { // the answer was lost, and the page tries again
			again, err := b.Send(t.Context(), p)
			require.NoError(t, err)
			require.True(t, again.Replayed)
			require.Equal(t, first.Message, again.Message)
		}
		for name, change := range map[string]func(*chat.SendParams){
			"another content":      func(p *chat.SendParams) { p.Content = "Guten Abend" },
			"another key":          func(p *chat.SendParams) { p.ClientMessageID = "key-2" },
			"no key":               func(p *chat.SendParams) { p.ClientMessageID = "" },
			"another consultation": func(p *chat.SendParams) { p.ConsultationID = "other" },
		} {
			p := p
			change(&p)
			_, err := b.Send(t.Context(), p)
			require.ErrorIs(t, err, chat.ErrRateLimited, name)
		}
		p.SenderID = stranger.UserID
		for _, want := range []error{consultation.ErrNotFound, chat.ErrRateLimited} {
			_, err = b.Send(t.Context(), p)
			require.ErrorIs(t, err, want, "a key is its sender's")
		}
		require.EqualValues(t, 3, b.Stats().Replayed)
	})
}

func TestTheOldestRepeatsAreForgotten(t *testing.T) {
	t.Parallel()
	r := chat.NewRepeats(10)
	p := chat.AppendParams{ConsultationID: "demo", SenderID: patient.UserID, ClientMessageID: "first"}
	r.Add(p)
	for i := range 1000 {
		p.ClientMessageID = fmt.Sprint("key-", i)
		r.Add(p)
		require.True(t, r.Has(p))
		require.LessOrEqual(t, r.Known(), 20)
	}
	p.ClientMessageID = "first"
	require.False(t, r.Has(p))
	p.ClientMessageID = ""
	r.Add(p)
	require.False(t, r.Has(p), "without a key nothing is a repeat")
}

func TestWriteRateIsOneForAllWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, chat.Options{WriteRate: chat.Rate{PerSecond: 0.5, Burst: 4}})
		m := b.say(t, patient, "Guten Tag")
		own := chat.OwnMessageParams{ID: m.ID, By: patient.UserID}
		read := chat.ReadParams{ConsultationID: room, Reader: patient.UserID, Seq: 3}
		_, err := b.Edit(t.Context(), own, "Guten Abend")
		require.NoError(t, err)
		_, err = b.MarkRead(t.Context(), read)
		require.NoError(t, err)
		_, err = b.Delete(t.Context(), own)
		require.NoError(t, err)
		b.forget()
		for name, write := range map[string]func() error{
			"send":   func() error { _, err := b.Send(t.Context(), text(patient, "x")); return err },
			"edit":   func() error { _, err := b.Edit(t.Context(), own, "x"); return err },
			"delete": func() error { _, err := b.Delete(t.Context(), own); return err },
			"read":   func() error { _, err := b.MarkRead(t.Context(), read); return err },
		} {
			require.Equal(t, 2*time.Second, limited(t, write()), name)
		}
		require.Empty(t, b.counted.calls, "the store is not asked")
		require.EqualValues(t, 4, b.Stats().RateLimited)
		_, err = b.History(t.Context(), chat.HistoryParams{ConsultationID: room, Viewer: patient.UserID})
		require.NoError(t, err, "reads are not limited")
	})
}

func TestWriteRateIsOnByDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, chat.Options{})
		for range 100 {
			b.say(t, patient, "Guten Tag")
		}
		_, err := b.Send(t.Context(), text(patient, "Guten Tag"))
		require.Equal(t, 50*time.Millisecond, limited(t, err))
	})
}

func TestWriteRateOptions(t *testing.T) {
	t.Parallel()
	for _, r := range []chat.Rate{{PerSecond: math.NaN()}, {PerSecond: 1e-9}, {PerSecond: 1, Burst: 10_001}} {
		_, err := chat.NewService(setup(t, chat.Options{}).store, &recorder{}, &chat.Options{WriteRate: r})
		require.ErrorContains(t, err, "WriteRate")
	}
	for _, r := range []chat.Rate{{PerSecond: -1}, {PerSecond: math.Inf(1)}, {PerSecond: 1e9}} {
		b := setup(t, chat.Options{WriteRate: r})
		for range 200 {
			b.say(t, patient, "Guten Tag")
		}
	}
}
