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

// EndSubscriptions ends the subscriptions of all users who may not listen any more ([Options.Listeners]) to the channels
// of c and to those of the audience before, if the broadcaster is, or wraps, a [realtime.Revoker]. The service does this
// itself after each change of the assigned student and after COMPLETED and CANCELLED; after [Service.TransitionTx] the
// host calls it when its transaction is committed. Errors are only logged: the channel's name has changed with the
// audience, and the next check of the subscriptions ends what was missed.
func (s *Service) EndSubscriptions(ctx context.Context, c Consultation) {
	if s.revoker == nil {
		return
	}
	keep, err := s.keep(c)
	if err != nil {
		s.notEnded(ctx, c.ID, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	r := realtime.Revocation{Channels: channels(c.ID, c.AudienceNumber), Keep: keep, Rev: c.Rev}
	if c.AudienceNumber > 1 {
		r.Channels = append(r.Channels, channels(c.ID, c.AudienceNumber-1)...)
	}
	if err := revoke(ctx, s.revoker, r); err != nil {
		s.notEnded(ctx, c.ID, err)
	}
}

// endUnknown ends subscriptions after a change of which it is not known whether it was stored: by the consultation as it
// is now, or, if it cannot be read, by having the transport ask about all its listeners.
func (s *Service) endUnknown(ctx context.Context, id ID) {
	if s.revoker == nil && s.rechecker == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	c, err := s.store.Consultation(ctx, id, "")
	if err == nil {
		s.EndSubscriptions(ctx, c)
		return
	}
	s.notEnded(ctx, id, err)
	if s.rechecker != nil {
		s.rechecker.Recheck()
	}
}

func (s *Service) notEnded(ctx context.Context, id ID, err error) {
	s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "subscriptions not ended",
		slog.String("consultation_id", string(id)), slog.Any("err", err))
}

// channels returns all channels of one audience.
func channels(id ID, audience int) []realtime.Channel {
	return []realtime.Channel{Channel(id, audience), PresenceChannel(id, audience), EncryptedChannel(id, audience)}
}

// keep returns the users who may go on listening. A panic of the host's function becomes an error, because the change is
// stored already.
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

// endsListening reports whether the change may take the right to listen from a user. Accepting does not.
func (ch Change) endsListening() bool { return ch.To != StatusInProgress }

// participants returns the users who may listen unless the options say otherwise.
func participants(c Consultation) []UserID {
	ids := []UserID{c.Patient.UserID}
	if c.Student != nil {
		ids = append(ids, c.Student.UserID)
	}
	return ids
}

// MayListen returns, for each of the listeners, whether the user may go on listening: to a channel of a consultation in
// which they take part, if [Options.Listeners] includes them. Channels that are not of this library are allowed.
// Transports repeat this question (see [realtime.Rechecker]). It reads the store once for each consultation.
func (s *Service) MayListen(ctx context.Context, listeners []realtime.Listener) ([]bool, error) {
	known := make(map[ID]map[UserID]bool)
	allowed := make([]bool, len(listeners))
	for i, l := range listeners {
		name, ok := FromChannel(string(l.Channel))
		if !ok {
			allowed[i] = true
			continue
		}
		id := name.ID
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

// listening returns the users who may listen to a consultation, none if it does not exist.
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
