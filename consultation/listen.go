package consultation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// revokeTimeout bounds the wait for a transport that ends subscriptions.
const revokeTimeout = 2 * time.Second

// EndSubscriptions ends the subscriptions to the channels of c of everybody who may not listen any more
// ([Options.Listeners]), if the broadcaster is, or wraps, a [realtime.Revoker]. The service does this itself after each
// change of the assigned student and after COMPLETED and CANCELLED; after [Service.TransitionTx] the host calls it when
// its transaction is committed. What goes wrong is logged: the change is stored, and whoever is left out of it is found
// when their subscriptions are next checked.
func (s *Service) EndSubscriptions(ctx context.Context, c Consultation) {
	if s.revoker == nil {
		return
	}
	keep, err := s.keep(c)
	if err != nil {
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "subscriptions not ended",
			slog.String("consultation_id", string(c.ID)), slog.Any("err", err))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	r := realtime.Revocation{
		Channels: []realtime.Channel{Channel(c.ID), PresenceChannel(c.ID), EncryptedChannel(c.ID)},
		Keep:     keep,
		Rev:      c.Rev,
	}
	if err := revoke(ctx, s.revoker, r); err != nil {
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "subscriptions not ended",
			slog.String("consultation_id", string(c.ID)), slog.Any("err", err))
	}
}

// keep is who may go on listening. A panic of the host's function becomes an error, because the change is stored already.
func (s *Service) keep(c Consultation) (ids []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("consultation: Options.Listeners panicked with a %T", p)
		}
	}()
	for _, id := range s.opts.Listeners(c) {
		ids = append(ids, string(id))
	}
	return ids, nil
}

// revoke turns a panic into an error, so that a fault in a transport stays in it.
func revoke(ctx context.Context, to realtime.Revoker, r realtime.Revocation) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("consultation: the revoker panicked with a %T", p)
		}
	}()
	return to.Revoke(ctx, r)
}

// endsListening reports whether somebody may have lost the right to listen. Who accepts a consultation takes it from
// nobody.
func (ch Change) endsListening() bool { return ch.To != StatusInProgress }

// participants is who may listen unless the options say otherwise.
func participants(c Consultation) []UserID {
	ids := []UserID{c.Patient.UserID}
	if c.Student != nil {
		ids = append(ids, c.Student.UserID)
	}
	return ids
}

// MayListen answers, for each of the listeners, whether they may go on listening: to the channel of a consultation in
// which they take part, if [Options.Listeners] has them. A channel that is none of this library's is not its business,
// and may be listened to. It is made for the check that a transport repeats (ws.Config.Authorize), and asks the store
// once for each consultation.
func (s *Service) MayListen(ctx context.Context, listeners []realtime.Listener) ([]bool, error) {
	known := make(map[ID]map[UserID]bool)
	allowed := make([]bool, len(listeners))
	for i, l := range listeners {
		id, _, ok := FromChannel(string(l.Channel))
		if !ok {
			allowed[i] = true
			continue
		}
		users, asked := known[id]
		if !asked {
			var err error
			if users, err = s.listening(ctx, id); err != nil {
				return nil, fmt.Errorf("consultation: may listen: %w", err)
			}
			known[id] = users
		}
		allowed[i] = users[UserID(l.UserID)]
	}
	return allowed, nil
}

// listening returns who may listen to a consultation: nobody, if there is none.
func (s *Service) listening(ctx context.Context, id ID) (map[UserID]bool, error) {
	c, err := s.store.Consultation(ctx, id, "")
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	users := make(map[UserID]bool)
	for _, user := range s.opts.Listeners(c) {
		_, users[user] = c.Participant(user)
	}
	return users, nil
}
