package storagetest

import (
	"errors"
	"regexp"

	"github.com/murph-chat/murph/chat"
)

// validEpoch is the form of an epoch.
var validEpoch = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// epochs returns the epoch of each kind of answer that a store gives about the room, by what was asked.
func (e *env) epochs() map[string]string {
	e.Helper()
	return map[string]string{
		"History":                 e.history().Epoch,
		"Changes":                 e.changes(0, 10).Epoch,
		"Changes with a reset":    e.changes(1_000_000, 10).Epoch,
		"Inbox":                   e.inbox(chat.InboxParams{Viewer: patient.UserID, Limit: 10}).Epoch,
		"Inbox of a stranger":     e.inbox(chat.InboxParams{Viewer: stranger.UserID, Limit: 10}).Epoch,
		"Inbox of open requests":  e.inbox(chat.InboxParams{Viewer: patient.UserID, OpenRequests: true, Limit: 10}).Epoch,
		"Inbox of no such status": e.inbox(chat.InboxParams{Viewer: patient.UserID, Status: "CANCELLED", Limit: 10}).Epoch,
	}
}

// epochIs fails the case unless all answers have this epoch.
func (e *env) epochIs(what, want string) {
	e.Helper()
	for asked, got := range e.epochs() {
		if got != want {
			e.Errorf("%s: %s has the epoch %q, want %q", what, asked, got, want)
		}
	}
}

// since asks for the changes since a rev of an epoch.
func (e *env) since(rev int64, epoch string) chat.Changes {
	e.Helper()
	return e.catchUp(chat.ChangesParams{
		ConsultationID: room, Viewer: patient.UserID, Since: rev, Epoch: epoch, Limit: 10, MaxBehind: 1_000_000,
	})
}

func (e *env) newEpoch() {
	e.Helper()
	if err := e.store.NewEpoch(e.ctx); err != nil {
		e.Fatalf("NewEpoch: %v", err)
	}
}

func epochCases() []testCase {
	return []testCase{{
		name:     "epoch/carried",
		contract: messages,
		clauses: says(
			`Epoch is the store's epoch: 1 to 32 letters, digits, "-" and "_".`,
			"the same as in [Page]",
		),
		run: func(e *env) {
			e.start(room)
			epoch := e.history().Epoch
			if !validEpoch.MatchString(epoch) {
				e.Errorf("the epoch is %q", epoch)
			}
			e.epochIs("at the beginning", epoch)
			e.send(patient, "hello")
			e.change(complete(room))
			e.epochIs("after changes", epoch)
		},
	}, {
		name:     "epoch/new",
		contract: messages,
		clauses: says(
			"NewEpoch replaces the store's epoch with one that it never had, so that every client starts afresh.",
			"If Since is above the consultation's rev, or more than MaxBehind below it, or of another Epoch than the store's, the "+
				"answer is a Reset.",
			`Epoch is the Page.Epoch of the answer that Since is from; "" if the caller has none.`,
			"A rev of one epoch means nothing in another.",
		),
		run: func(e *env) {
			e.start(room)
			e.send(patient, "1")
			e.send(student, "2")
			page := e.history()
			rev := page.Consultation.Rev
			seen := map[string]bool{}
			for range 3 {
				epoch := e.history().Epoch
				if seen[epoch] {
					e.Errorf("the epoch %q comes again", epoch)
				}
				seen[epoch] = true
				for _, known := range []string{"", epoch} {
					if got := e.since(rev-1, known); got.Reset || len(got.Messages) != 1 {
						e.Errorf("Changes of the epoch %q: Reset %v and %d messages, want false and 1", known, got.Reset, len(got.Messages))
					}
				}
				e.newEpoch()
				for _, from := range []int64{0, rev - 1, rev} {
					got := e.since(from, epoch)
					if !got.Reset || got.NextSince != rev || got.Epoch == epoch {
						e.Errorf("Changes since %d of the epoch before: Reset %v, NextSince %d, the epoch before %v; want true, %d, false",
							from, got.Reset, got.NextSince, got.Epoch == epoch, rev)
					}
					e.same("the page of a reset", list(got.Messages), list(page.Messages))
				}
				e.epochIs("after NewEpoch", e.history().Epoch)
			}
		},
	}, {
		name:     "epoch/transactions",
		contract: messages,
		tx:       true,
		clauses:  says("NewEpoch replaces the store's epoch with one that it never had"),
		run: func(e *env) {
			e.start(room)
			epoch := e.history().Epoch
			err := e.inTx(func(tx Store) error {
				if err := tx.NewEpoch(e.ctx); err != nil {
					return err
				}
				return errRollback
			})
			if !errors.Is(err, errRollback) {
				e.Fatal(err)
			}
			e.epochIs("after a rollback", epoch)
			if err := e.inTx(func(tx Store) error { return tx.NewEpoch(e.ctx) }); err != nil {
				e.Fatal(err)
			}
			if e.history().Epoch == epoch {
				e.Error("the epoch is still the same after a commit")
			}
		},
	}}
}
