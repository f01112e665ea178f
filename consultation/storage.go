package consultation

import (
	"context"

	"github.com/murph-chat/murph/realtime"
)

// CreateParams describes a new consultation. The service has validated it.
type CreateParams struct {
	ID      ID          // not in use yet
	Topic   string      // what it is about
	Patient Participant // who requests it
}

// ChangeParams is a [Change] with the outbox entries that are to be written in the same step, nil for none.
type ChangeParams struct {
	Change
	Enqueue *realtime.Enqueue // the lease and the connection that needs no event
}

// Changed is the result of a change.
type Changed struct {
	Outcome
	Announcement Announcement // the events that are due, empty if nothing has changed
	// StatusEntry, AssignmentEntry and LeftEntry are the ids of the outbox entries for the parts of the announcement, 0
	// for one that was not written.
	StatusEntry     int64
	AssignmentEntry int64
	LeftEntry       int64
}

// Storage keeps consultations. storagetest.Run checks each sentence below on every implementation.
//
//  1. A method either does all that it says or nothing, and an error means nothing. Only an error of the connection
//     itself leaves that open, as with every database.
//  2. What is returned was committed, unless the storage is bound to a transaction of the host's; then it is committed
//     with that one.
//  3. All methods are safe for concurrent use, but for a storage bound to a transaction.
//  4. When ctx ends, a method returns an error that wraps ctx.Err().
//  5. In a transaction of the host application, a method returns
//     [ErrRetryTx] when the database has given up that transaction because of
//     another one. Otherwise the storage repeats by itself.
type Storage interface {
	// Create stores a consultation with status REQUESTED, no student and rev 1, and returns it with the times that the
	// store's clock gave it. An id that is taken gives [ErrExists].
	Create(ctx context.Context, p CreateParams) (Consultation, error)

	// Consultation returns the consultation if viewer is its patient or its assigned student at this moment. Otherwise
	// it returns [ErrNotParticipant], and [ErrNotFound] if there is none. A viewer of "" is the host application, which
	// sees all.
	Consultation(ctx context.Context, id ID, viewer UserID) (Consultation, error)

	// Open returns the ids of the consultations that are REQUESTED or IN_PROGRESS and have the user as their patient or
	// their assigned student, in any order.
	Open(ctx context.Context, user UserID) ([]ID, error)

	// Change locks the consultation's row, calls [Change.Apply] with it and the store's clock, and stores the result
	// together with one outbox entry for each part of the [Announcement], if p.Enqueue is set. An outcome that is
	// Unchanged stores nothing. Errors of Apply come back as they are. A consultation that does not exist gives
	// [ErrNotFound]. From the moment that Change has returned, a student who was replaced, and everybody in a
	// consultation that has ended, can store no message.
	Change(ctx context.Context, p ChangeParams) (Changed, error)
}
