package consultation

import (
	"context"
	"errors"
	"fmt"
)

// Action is the kind of a request, for a [Policy].
type Action string

// The actions that a policy is asked about.
const (
	ActionRequest  Action = "request"
	ActionAccept   Action = "accept"
	ActionComplete Action = "complete"
	ActionCancel   Action = "cancel"
	ActionReassign Action = "reassign"
	// ActionList is to see an open request in the list: its topic and the patient's first name.
	ActionList Action = "list"
)

// Policy narrows who may do what. It gets the id of the consultation, "" for a request, and refuses by returning an error
// that matches [ErrForbidden]. Any other error is a failure, as of a database that is down: nothing is changed, and the
// caller gets the error wrapped, which the HTTP layer logs and answers with 500 (503 for a time-out). A policy cannot allow
// what the rules of [Change.Apply] forbid. It is asked about [ActionList] for every open request that a student would see,
// and about a transition only if the user takes part in the consultation or may list it, which costs one more read of
// the store; to all others the consultation does not exist. It is not asked about a transition that was made already,
// nor about the host application's own. It must be safe for concurrent use.
type Policy func(ctx context.Context, action Action, id ID, by Participant) error

// permit asks the policy about a change by a person. To one who neither takes part in the consultation nor may see it in
// the list of open requests it answers as if the consultation did not exist.
func (s *Service) permit(ctx context.Context, store Storage, action Action, ch Change) error {
	if s.opts.Policy == nil || ch.By.host {
		return nil
	}
	c, err := store.Consultation(ctx, ch.ID, "")
	if err != nil {
		return err
	}
	out, err := ch.Apply(c, c.UpdatedAt)
	switch {
	case errors.Is(err, ErrNotParticipant):
		return err
	case err == nil && out.Unchanged:
		return nil
	}
	if _, ok := c.Participant(ch.By.person.UserID); !ok { // a student who accepts
		ok, err := s.MayList(ctx, ch.By.person, ch.ID)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNotParticipant
		}
	}
	return s.ask(ctx, action, ch.ID, ch.By)
}

// MayList reports whether the policy lets the person see the open request in the list.
func (s *Service) MayList(ctx context.Context, who Participant, id ID) (bool, error) {
	err := s.ask(ctx, ActionList, id, Person(who))
	if errors.Is(err, ErrForbidden) {
		return false, nil
	}
	return err == nil, err
}

// ask consults the host's policy.
func (s *Service) ask(ctx context.Context, action Action, id ID, by Actor) error {
	if s.opts.Policy == nil {
		return nil
	}
	if err := s.opts.Policy(ctx, action, id, by.person); err != nil {
		return fmt.Errorf("consultation: policy: %w", err)
	}
	return nil
}
