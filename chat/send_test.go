package chat_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/memstore"
)

func TestNewService(t *testing.T) {
	t.Parallel()
	_, err := chat.NewService(nil, &recorder{}, nil)
	require.Error(t, err)
	_, err = chat.NewService(memstore.New(), nil, nil)
	require.Error(t, err)
	_, err = chat.NewService(memstore.New(), &recorder{}, nil)
	require.NoError(t, err)
}

func TestSend(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	p := text(patient, " \n Guten Tag\u2003")
	p.ClientMessageID, p.Except = "key-1", "1.2"
	sent, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	require.False(t, sent.Replayed)
	require.Equal(t, []string{"Append"}, b.counted.calls)
	m := sent.Message
	require.Equal(t, "Guten Tag", m.Content, "the content is trimmed")
	require.Equal(t, patient, m.Sender)
	require.EqualValues(t, 3, m.Seq)
	id, err := uuid.Parse(string(m.ID))
	require.NoError(t, err)
	require.EqualValues(t, 7, id.Version())

	events := b.to.take()
	require.Len(t, events, 1)
	require.Equal(t, "new-message", events[0].Name)
	require.Equal(t, consultation.Channel(room, 1), events[0].Channel)
	require.EqualValues(t, "1.2", events[0].Except)
	want, err := json.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, string(want), string(events[0].Data), "the event carries what the sender is answered")
}

func TestSendRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	p := text(patient, "Guten Tag")
	p.ClientMessageID = "key-1"
	first, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	b.forget()
	for _, when := range []string{"at once", "after the end"} {
		again, err := b.Send(t.Context(), p)
		require.NoError(t, err, when)
		require.True(t, again.Replayed, when)
		require.Equal(t, first.Message, again.Message, when)
		require.Empty(t, b.to.take(), "a repeat is told to nobody")
		if when == "at once" {
			b.complete(t)
		}
	}
	require.Equal(t, []string{"Append", "Append"}, b.counted.calls)
}

func TestAKeyIsForOneContent(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	p := text(patient, "Guten Tag")
	p.ClientMessageID = "key-1"
	first, err := b.Send(t.Context(), p)
	require.NoError(t, err)
	rev := b.rev(t)
	other := p
	other.Content = "another text"
	_, err = b.Send(t.Context(), other)
	require.ErrorIs(t, err, consultation.ErrKeyReused)
	require.Equal(t, rev, b.rev(t))
	p.Content = "  Guten Tag\n"
	again, err := b.Send(t.Context(), p)
	require.NoError(t, err, "the content is compared as it is stored")
	require.Equal(t, first.Message, again.Message)

	edited, err := b.Edit(t.Context(), chat.OwnMessageParams{ID: first.Message.ID, By: patient.UserID}, "Guten Abend")
	require.NoError(t, err)
	for _, p := range []chat.SendParams{p, other} {
		again, err = b.Send(t.Context(), p)
		require.NoError(t, err, "the first content is not known any more")
		require.Equal(t, edited, again.Message)
	}
}

func TestSendRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	_, err := b.Send(t.Context(), text(stranger, "hello"))
	require.ErrorIs(t, err, consultation.ErrNotFound)
	p := text(patient, "hello")
	p.ConsultationID = "unknown"
	_, err = b.Send(t.Context(), p)
	require.ErrorIs(t, err, consultation.ErrNotFound)
	b.complete(t)
	_, err = b.Send(t.Context(), text(patient, "hello"))
	var notActive *consultation.NotActiveError
	require.ErrorAs(t, err, &notActive)
	require.Equal(t, consultation.StatusCompleted, notActive.Status)
	require.Empty(t, b.to.take())
}

func TestSendContent(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	for name, c := range map[string][2]string{
		"one character":             {"x", "x"},
		"5,000 characters":          {strings.Repeat("𝄞", 5000), strings.Repeat("𝄞", 5000)},
		"5,000 characters and air":  {" \n" + strings.Repeat("ä", 5000) + "\t ", strings.Repeat("ä", 5000)},
		"control characters inside": {"a\x01\r\n\tb", "a\n\tb"},
		"an override":               {"a\u202eb", "ab"},
		"emoji":                     {"👩🏽‍⚕️", "👩🏽‍⚕️"},
	} {
		sent, err := b.Send(t.Context(), text(patient, c[0]))
		require.NoError(t, err, name)
		require.Equal(t, c[1], sent.Message.Content, name)
		_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID}, "z")
		require.NoError(t, err, name)
		edited, err := b.Edit(t.Context(), chat.OwnMessageParams{ID: sent.Message.ID, By: patient.UserID}, c[0])
		require.NoError(t, err, name)
		require.Equal(t, c[1], edited.Content, name)
	}
	b.forget()
	for name, content := range map[string]string{
		"nothing":               "",
		"blank":                 " \n\t\u00a0\u2003",
		"invisible":             "\u3164\u200b",
		"5,001 characters":      strings.Repeat("ä", 5001),
		"5,001 ASCII":           strings.Repeat("a", 5001),
		"invalid UTF-8":         "M\xfcller",
		"half a character":      "x\xf0\x9f\x98",
		"a surrogate":           "x\xed\xa0\x80",
		"NUL":                   "a\x00b",
		"invalid UTF-8 outside": "\xff x",
	} {
		rev := b.rev(t)
		_, err := b.Send(t.Context(), text(patient, content))
		require.Error(t, err, name)
		invalid(t, err, "content")
		require.NotContains(t, err.Error(), "ller", "the error repeats its input")
		_, err = b.Edit(t.Context(), chat.OwnMessageParams{ID: "m", By: patient.UserID}, content)
		require.Error(t, err, name)
		invalid(t, err, "content")
		require.Equal(t, rev, b.rev(t), name)
	}
	require.Empty(t, b.counted.calls, "bad content has reached the store")
	require.Empty(t, b.to.take())
}

func TestSendInput(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{MaxContent: 10})
	for _, c := range []struct {
		name, field string
		change      func(p *chat.SendParams)
	}{
		{"no consultation", "consultationId", func(p *chat.SendParams) { p.ConsultationID = "" }},
		{"a bad consultation", "consultationId", func(p *chat.SendParams) { p.ConsultationID = "../x" }},
		{"a long consultation", "consultationId", func(p *chat.SendParams) { p.ConsultationID = consultation.ID(strings.Repeat("x", 129)) }},
		{"no sender", "userId", func(p *chat.SendParams) { p.SenderID = "" }},
		{"a bad sender", "userId", func(p *chat.SendParams) { p.SenderID = "a b" }},
		{"a long key", "clientMessageId", func(p *chat.SendParams) { p.ClientMessageID = strings.Repeat("x", 65) }},
		{"a key with a dot", "clientMessageId", func(p *chat.SendParams) { p.ClientMessageID = "a.b" }},
		{"a key with a space", "clientMessageId", func(p *chat.SendParams) { p.ClientMessageID = "a b" }},
		{"a key that is not ASCII", "clientMessageId", func(p *chat.SendParams) { p.ClientMessageID = "ä" }},
		{"a key with NUL", "clientMessageId", func(p *chat.SendParams) { p.ClientMessageID = "a\x00" }},
		{"a content above the limit", "content", func(p *chat.SendParams) { p.Content = strings.Repeat("ä", 11) }},
	} {
		p := text(patient, "hello")
		c.change(&p)
		_, err := b.Send(t.Context(), p)
		require.Error(t, err, c.name)
		invalid(t, err, c.field)
	}
	require.Empty(t, b.counted.calls, "bad input has reached the store")
	require.Empty(t, b.to.take())
	for _, key := range []string{"", "x", strings.Repeat("aZ9_-", 12) + "0123", uuid.NewString()} {
		p := text(patient, strings.Repeat("𝄞", 10))
		p.ClientMessageID = key
		sent, err := b.Send(t.Context(), p)
		require.NoError(t, err, key)
		require.Equal(t, key, sent.Message.ClientMessageID)
	}
}

func TestSendOwnIDs(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{NewID: func() chat.MessageID { return "own-id" }})
	require.EqualValues(t, "own-id", b.say(t, patient, "hello").ID)
}

func TestSendTx(t *testing.T) {
	t.Parallel()
	to := &relay{}
	b := with(t, to, chat.Options{})
	rollback := errors.New("roll back")
	send := func(result error) error {
		return b.store.InTx(t.Context(), func(tx *memstore.Store) error {
			p := text(patient, "hello")
			p.Except, p.ClientMessageID = "1.2", "key-1"
			sent, err := b.SendTx(t.Context(), tx, p)
			require.NoError(t, err)
			require.EqualValues(t, 3, sent.Message.Seq)
			again, err := b.SendTx(t.Context(), tx, p)
			require.NoError(t, err)
			require.Equal(t, chat.Sent{Message: sent.Message, Replayed: true}, again)
			_, err = b.SendTx(t.Context(), tx, text(patient, " "))
			invalid(t, err, "content")
			_, err = b.SendTx(t.Context(), tx, text(stranger, "hello"))
			require.ErrorIs(t, err, consultation.ErrNotFound)
			return result
		})
	}
	require.ErrorIs(t, send(rollback), rollback)
	require.EqualValues(t, 2, b.rev(t))
	require.Empty(t, claim(t, b.store))
	require.NoError(t, send(nil))
	require.EqualValues(t, 3, b.rev(t))
	entries := claim(t, b.store)
	require.Len(t, entries, 1, "the entry is due at once")
	require.EqualValues(t, "1.2", entries[0].Event.Except)
	require.Empty(t, to.take(), "the outbox publishes, not the service")
	require.Empty(t, b.counted.calls, "all goes through the transaction")
}

func TestSendTxNeedsAnOutbox(t *testing.T) {
	t.Parallel()
	b := setup(t, chat.Options{})
	_, err := b.SendTx(t.Context(), b.counted, text(patient, "hello"))
	require.ErrorIs(t, err, consultation.ErrNoOutbox)
	require.Empty(t, b.counted.calls)
}
