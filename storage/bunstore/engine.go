package bunstore

import (
	"context"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// engine is what the two databases do in different ways. Its methods run once; repeating is the caller's part.
type engine interface {
	// reads are the queries that have the same shape in both.
	reads() *reads
	// at encodes t as a parameter.
	at(t time.Time) any
	// superseded reports whether err says that another transaction was in the way, so that nothing was stored and the
	// same may succeed when it is done again.
	superseded(err error) bool
	// unavailable returns the kind of trouble if err says that the database
	// cannot be reached or cannot do this at the moment, and "" otherwise.
	unavailable(err error) string
	// patience returns the context of a call that is repeated while it is
	// superseded, and spent, which reports whether that attempt was the last.
	patience(ctx context.Context, s *Store) (call context.Context, spent func(attempt int) bool)

	// run calls statement, which runs one statement on q, with the context and
	// the connection that the statement must use.
	run(ctx context.Context, s *Store, q conn, statement func(ctx context.Context, q conn) error) error
	// guard calls fn, which writes in a transaction of the host application.
	// If fn fails, guard undoes what fn has written and nothing else. If the
	// transaction is lost, the error wraps errTxLost.
	guard(ctx context.Context, s *Store, fn func(ctx context.Context) error) error
	// transact runs fn in one transaction, which it commits if keep is true and
	// rolls back otherwise. In a transaction of the host application it only
	// calls fn.
	transact(ctx context.Context, s *Store, fn func(q conn) (keep bool, err error)) error
	// lock takes the lock on the consultation's row and reads it after that, with the time on the store's clock. It is
	// the first statement of a transaction.
	lock(ctx context.Context, s *Store, q conn, by lockKey) (locked, error)

	create(ctx context.Context, s *Store, p consultation.CreateParams) (consultation.Consultation, error)
	saveChange(ctx context.Context, s *Store, q conn, p consultation.ChangeParams, done *consultation.Changed) error

	append(ctx context.Context, s *Store, p chat.AppendParams) (chat.Appended, error)
	// saveMessage stores m, whose Rev becomes the consultation's, and returns the id of the outbox entry.
	saveMessage(ctx context.Context, s *Store, q conn, m chat.Message, event string, e *realtime.Enqueue, now time.Time) (int64, error)
	markRead(ctx context.Context, s *Store, p chat.ReadParams) (chat.Marked, error)

	claim(ctx context.Context, s *Store, p realtime.ClaimParams) ([]realtime.Entry, error)
	ack(ctx context.Context, s *Store, ids []int64) error
	ackThrough(ctx context.Context, s *Store, id consultation.ID, rev int64) error
	nack(ctx context.Context, s *Store, p realtime.NackParams) error
	purge(ctx context.Context, s *Store, p realtime.PurgeParams) (int64, error)
	backlog(ctx context.Context, s *Store) (realtime.Backlog, error)

	// moved replaces the epoch if the database is another one than the epoch was made in, as far as it can tell.
	moved(ctx context.Context, s *Store) error

	// version is the version of the schema, 0 if there is none.
	version(ctx context.Context, s *Store, q conn) (int, error)
	// migrate brings the schema to the newest version, one process at a time.
	migrate(ctx context.Context, s *Store, all []migration) error
	// check returns what is wrong with the settings and indexes, each with how to mend it.
	check(ctx context.Context, s *Store) ([]error, error)
	// probe writes, to find out whether writes succeed, and leaves nothing
	// behind. It needs one connection.
	probe(ctx context.Context, s *Store) error
}

// reads are queries with the same parameters and columns in both databases.
type reads struct {
	consultation, open, message, history, changes, inbox, requests statement
	newEpoch                                                       statement
}

// lockKey names a consultation by its id, or by the id of one of its messages.
type lockKey struct {
	consultation consultation.ID
	message      chat.MessageID
}

// locked is a consultation whose row is locked.
type locked struct {
	consultation.Consultation
	now   time.Time
	found bool
}
