package chattest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/chat/chattest"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

var (
	patient = consultation.Participant{UserID: "p", Role: consultation.RolePatient}
	student = consultation.Participant{UserID: "s", Role: consultation.RoleStudent}
)

// reader is one person's browser behind a network that loses, doubles, delays and reorders.
type reader struct {
	user consultation.UserID
	log  *chattest.Log
	sub  *inmem.Subscription
	seen int              // events taken from sub
	wire []realtime.Event // on their way
}

// world is a consultation with its two readers, driven by one source of chance.
type world struct {
	t       *testing.T
	chance  *rand.Rand
	store   *memstore.Store
	chats   *chat.Service
	meets   *consultation.Service
	events  *inmem.Broadcaster
	readers []*reader
	quiet   bool // nobody does anything any more
	keys    int
	sent    []chat.SendParams
	ids     []chat.MessageID
}

const id = consultation.ID("c")

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, chance: rand.New(rand.NewPCG(seed, 1)), store: memstore.New(), events: &inmem.Broadcaster{}}
	var err error
	// A small bound, so that resets happen too.
	w.chats, err = chat.NewService(w.store, w.events, &chat.Options{MaxCatchUp: 12})
	require.NoError(t, err)
	w.meets, err = consultation.NewService(w.store, w.events, nil)
	require.NoError(t, err)
	_, err = w.meets.Request(t.Context(), consultation.RequestParams{ID: id, Patient: patient, Topic: "x"})
	require.NoError(t, err)
	_, err = w.meets.Accept(t.Context(), consultation.TransitionParams{ID: id, By: consultation.Person(student)})
	require.NoError(t, err)
	for _, user := range []consultation.UserID{patient.UserID, student.UserID} {
		w.readers = append(w.readers, &reader{user: user, log: chattest.NewLog(id)})
	}
	for _, r := range w.readers {
		w.reconnect(r)
	}
	return w
}

// reconnect subscribes anew, then catches up: what was on the wire is lost.
func (w *world) reconnect(r *reader) {
	if r.sub != nil {
		r.sub.Close()
	}
	r.sub, r.seen, r.wire = w.events.Subscribe(consultation.Channel(id, 1), ""), 0, nil
	w.catchUp(r, true)
}

// catchUp fetches until nothing is known to be missing; during a fetch the network goes on.
func (w *world) catchUp(r *reader, always bool) {
	for always || r.log.Behind() {
		always = false
		changes, err := w.chats.Changes(w.t.Context(), chat.ChangesParams{
			ConsultationID: id, Viewer: r.user, Since: r.log.Rev(), Epoch: r.log.Epoch(), Limit: 1 + w.chance.IntN(5),
		})
		require.NoError(w.t, err)
		if !w.quiet && w.chance.IntN(3) == 0 {
			w.act()
			w.deliver(r)
		}
		r.log.Merge(changes)
	}
}

// deliver moves events from the broadcaster onto the wire and from there to the reader, badly.
func (w *world) deliver(r *reader) {
	events := r.sub.Events()
	for _, ev := range events[r.seen:] {
		switch w.chance.IntN(10) {
		case 0: // lost
		case 1:
			r.wire = append(r.wire, ev, ev)
		default:
			r.wire = append(r.wire, ev)
		}
	}
	r.seen = len(events)
	for len(r.wire) > 0 && w.chance.IntN(4) != 0 {
		i := 0
		if w.chance.IntN(4) == 0 {
			i = w.chance.IntN(len(r.wire))
		}
		require.NoError(w.t, r.log.Apply(r.wire[i]))
		r.wire = append(r.wire[:i], r.wire[i+1:]...)
	}
}

// act does one thing that a person does.
func (w *world) act() {
	ctx := w.t.Context()
	user := w.readers[w.chance.IntN(2)].user
	var err error
	switch n := w.chance.IntN(20); {
	case n < 10:
		w.keys++
		err = w.send(ctx, chat.SendParams{
			ConsultationID: id, SenderID: user, Content: fmt.Sprint("message ", w.keys), ClientMessageID: fmt.Sprint("k", w.keys),
		})
	case n < 12 && len(w.sent) > 0: // the answer was lost, the client repeats
		again := w.sent[w.chance.IntN(len(w.sent))]
		again.Content = "not what it was"
		err = w.send(ctx, again)
	case n < 15 && len(w.ids) > 0:
		_, err = w.chats.Edit(ctx, w.own(user), fmt.Sprint("edited ", n))
	case n < 17 && len(w.ids) > 0:
		_, err = w.chats.Delete(ctx, w.own(user))
	case n < 18:
		_, err = w.chats.MarkRead(ctx, chat.ReadParams{ConsultationID: id, Reader: user, Seq: w.chance.Int64N(40)})
	case n == 19 && w.chance.IntN(4) == 0: // as after a restored backup that has lost nothing
		err = w.store.NewEpoch(ctx)
	case n == 18 && w.chance.IntN(10) == 0:
		_, err = w.meets.Complete(ctx, consultation.TransitionParams{ID: id, By: consultation.Person(student)})
	}
	for _, expected := range []error{chat.ErrNotSender, chat.ErrDeleted, consultation.ErrNotActive, consultation.ErrConflict} {
		if errors.Is(err, expected) {
			return
		}
	}
	require.NoError(w.t, err)
}

func (w *world) send(ctx context.Context, p chat.SendParams) error {
	sent, err := w.chats.Send(ctx, p)
	if err != nil {
		return err
	}
	if !sent.Replayed {
		w.sent, w.ids = append(w.sent, p), append(w.ids, sent.Message.ID)
	}
	return nil
}

func (w *world) own(user consultation.UserID) chat.OwnMessageParams {
	return chat.OwnMessageParams{ID: w.ids[w.chance.IntN(len(w.ids))], By: user}
}

// stored reads the whole log page by page.
func (w *world) stored(user consultation.UserID) (all []chat.Message, header consultation.Consultation) {
	p := chat.HistoryParams{ConsultationID: id, Viewer: user}
	for {
		page, err := w.chats.History(w.t.Context(), p)
		require.NoError(w.t, err)
		all = append(page.Messages, all...)
		if header.ID == "" {
			header = page.Consultation
		}
		if !page.HasMore {
			return all, header
		}
		p.Before = page.Messages[0].Seq
	}
}

// older fetches what a reset has left out, as somebody does who scrolls up.
func (w *world) older(r *reader) {
	for r.log.Floor() > 0 {
		page, err := w.chats.History(w.t.Context(), chat.HistoryParams{
			ConsultationID: id, Viewer: r.user, Before: r.log.Floor(), Limit: 1 + w.chance.IntN(5),
		})
		require.NoError(w.t, err)
		r.log.Prepend(page)
		w.catchUp(r, false) // the page may be of another epoch
	}
}

func (w *world) run() {
	for range 30 {
		r := w.readers[w.chance.IntN(2)]
		switch w.chance.IntN(8) {
		case 0:
			w.reconnect(r)
		case 1:
			w.catchUp(r, false) // a gap was noticed
		case 2, 3:
			w.deliver(r)
		default:
			w.act()
		}
	}
	// Of all that is on the wire only a last event arrives. It must be enough to notice everything that is missing.
	w.quiet = true
	stored, header := w.stored(patient.UserID)
	stored = append([]chat.Message(nil), stored...) // nil where it is empty, as the copy has it
	last := chat.ResyncRequired(id, header.Rev, header.Audience())
	for _, r := range w.readers {
		require.NoError(w.t, r.log.Apply(last))
		w.catchUp(r, false)
		w.older(r)
		require.Equal(w.t, stored, r.log.Messages())
		require.Equal(w.t, header, r.log.Header())
	}
}

// Whatever a transport does, a client that follows the rules ends with the stored log.
func TestLogConverges(t *testing.T) {
	t.Parallel()
	runs, first := 10_000, rand.Uint64()
	if s := os.Getenv("MURPH_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		runs, first = 1, seed
	}
	t.Logf("%d runs from MURPH_SEED=%d", runs, first)
	for i := range uint64(runs) {
		newWorld(t, first+i).run()
		if t.Failed() {
			t.Fatalf("MURPH_SEED=%d", first+i)
		}
	}
}
