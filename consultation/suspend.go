package consultation

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// maxSuspendRounds bounds how often Suspend looks for consultations of the user. One request of theirs that was under way
// can add one after the first round.
const maxSuspendRounds = 5

// Suspend cuts a user off from everything that is written from now on: it gives each of their open consultations a new
// audience, so that the channels that they may still be subscribed to get nothing more, and then ends all their
// connections, on all nodes, and at hosted Pusher those that are signed in. The other participants' pages move to the
// new channels by themselves.
//
// Suspend does not change who takes part. Refuse the user in the host's Authenticator first, because a participant who
// is let in may subscribe to the new channels; to hand their consultations on, call [Service.Reassign].
//
// With channel names that do not change ([FixedChannel]), the end of the connections is all that cuts the user off: a node
// that cannot be reached at that time, or processes without a bus, may keep one, until Suspend is called again.
//
// It returns an error if a consultation could not be given a new audience, or a connection may be left. Calling it again
// is safe.
func (s *Service) Suspend(ctx context.Context, user UserID) error {
	if _, err := ParseUserID(string(user)); err != nil {
		return err
	}
	var errs []error
	seen := map[ID]bool{}
	for round := range maxSuspendRounds {
		ids, err := s.store.Open(ctx, user)
		if err != nil {
			errs = append(errs, fmt.Errorf("consultation: suspend: %w", err))
		}
		ids = slices.DeleteFunc(ids, func(id ID) bool { return seen[id] })
		if round > 0 && len(ids) == 0 {
			break
		}
		for _, id := range ids {
			seen[id] = true
			_, err := s.commit(ctx, Change{ID: id, By: Host(), NewAudience: true}, "")
			if err != nil && !errors.Is(err, ErrConflict) { // a conflict: it has ended
				errs = append(errs, fmt.Errorf("consultation: suspend: give %s a new audience: %w", id, err))
			}
		}
		if s.terminator == nil {
			continue
		}
		if err := s.terminator.TerminateUser(ctx, string(user)); err != nil {
			errs = append(errs, fmt.Errorf("consultation: suspend: %w", err))
		}
	}
	return errors.Join(errs...)
}
