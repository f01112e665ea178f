package bunstore

import (
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

var (
	_ chat.Storage         = (*Store)(nil)
	_ consultation.Storage = (*Store)(nil)
	_ realtime.Outbox      = (*Store)(nil)
)

// Store keeps everything in one database. Unless it is bound to a transaction it is safe for concurrent use.
type Store struct {
	// write and read are the connections beneath bun's; the same but for SQLite with a Reader.
	write, read conn
	// bound says that both are a transaction of the host's: the store neither begins nor commits, nor repeats anything.
	bound   bool
	engine  engine
	opts    Options
	stats   *counters // shared with all that With makes, as is the next
	horizon *horizon
}

// New makes a Store on db, whose dialect says which database it is. It does not connect: call [Store.Migrate] before the
// first use, unless the host runs the [Migrations] itself, and [Store.Check] at the start of the process. db stays the
// host's to close. opts may be nil.
func New(db *bun.DB, opts *Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("bunstore: a store needs a database")
	}
	s := &Store{write: db.DB, read: db.DB, opts: opts.withDefaults(), stats: new(counters), horizon: new(horizon)}
	switch name := db.Dialect().Name(); name {
	case dialect.PG:
		s.engine = postgres{}
		if s.opts.Reader != nil {
			return nil, errors.New("bunstore: Options.Reader is for SQLite only")
		}
	case dialect.SQLite:
		s.engine = sqlite{}
		if s.opts.Reader != nil {
			s.read = s.opts.Reader.DB
		}
	default:
		return nil, fmt.Errorf("bunstore: dialect %s is neither Postgres nor SQLite", name)
	}
	return s, nil
}

// With returns the store bound to a connection of the same database: a bun.Tx, bun.Conn, *sql.Tx or *sql.Conn. What is
// done through it in a transaction is visible to others once the host commits it, and gone if it rolls back; it must not
// be used after that, and not concurrently. On a bun.Conn or *sql.Conn the store begins transactions of its own, so
// there must not be one already: hosts that have begun one pass that. An IConn of another type is taken for a transaction
// and must pass statements and arguments on as they are.
//
// In a transaction the first write takes the lock on its consultation's row,
// and with SQLite the only write lock there is. Both are held until the end of
// the transaction.
//
// An error of the database ends the transaction on Postgres. On SQLite the
// transaction goes on, unless the error matches [consultation.ErrRetryTx]: if
// SQLite has rolled it back as a whole, the store ends it, so that later
// statements fail instead of committing alone. The end of a context does not
// interrupt a statement in a transaction on SQLite; it takes effect before the
// next statement.
func (s *Store) With(c bun.IConn) *Store {
	bound := *s
	bound.write, bound.bound = beneath(c)
	bound.read = bound.write
	return &bound
}
