package realtime

import (
	"context"
	"time"
)

// Enqueue asks a store to write an outbox entry in the same atomic step as the change that the event tells of.
type Enqueue struct {
	// Lease is how long the entry belongs to the writer, counted on the store's clock: the writer publishes it itself
	// right after the commit, and only when the lease has run out may Claim hand it to anybody. Zero makes the entry
	// claimable at once.
	Lease time.Duration
	// Except is kept with the entry and becomes [Event.Except], also after retries.
	Except SocketID
}

// Entry is an outbox entry that has been claimed.
type Entry struct {
	ID int64 // for Ack and Nack
	// Event is what to publish, made from the rows as they are now: entries hold references, never content.
	Event Event
	// Left, if it is not empty, takes the place of Event: notices to channels that the consultation has left. Resync does
	// not stand in for them.
	Left []Event
	// Resync stands in for this and any number of other entries of the same channel: it tells the clients to fetch.
	Resync Event
	// ResyncRev is how far Resync reaches: it covers every entry of the channel up to this rev.
	ResyncRev int64
	// Attempts counts the claims of this entry, this one included.
	Attempts int
	// Age is the time since the entry was written, on the store's clock.
	Age time.Duration
}

// ClaimParams says how much [Outbox.Claim] takes, and for how long.
type ClaimParams struct {
	Limit int           // entries at most
	Lease time.Duration // how long they belong to the caller
}

// NackParams says what becomes of entries that could not be published.
type NackParams struct {
	IDs []int64 // of the entries
	// Delay is the time until they may be claimed again, on the store's clock. Ignored when Park is set.
	Delay time.Duration
	// Park sets them aside for a human, with Reason; they are not claimed again.
	Park   bool
	Reason string
}

// PurgeParams says which entries [Outbox.Purge] removes, by their age.
type PurgeParams struct {
	Pending time.Duration // the age from which pending entries go
	Parked  time.Duration // the age from which parked entries go
}

// Backlog describes the outbox at one moment, on the store's clock.
type Backlog struct {
	Pending   int64         // entries waiting or leased
	Parked    int64         // entries set aside
	OldestAge time.Duration // age of the oldest pending entry, 0 if there is none
}

// Outbox is the queue of events in the host's own database. Stores implement it; storagetest checks each sentence.
//
//  1. An entry exists if and only if the change that it tells of was committed.
//  2. Claim leases up to Limit entries whose time has come, oldest first, and never hands one entry to two callers
//     within its lease. A lease that runs out makes the entry claimable again.
//  3. Ack removes entries; ids that do not exist are ignored.
//  4. AckThrough removes every entry of the channel whose rev is at most rev, leased or not, because a Resync that was
//     published has covered them. Parked entries and those with Left stay.
//  5. Nack makes entries claimable after Delay, or parks them; ids that do not exist are ignored.
//  6. Purge removes the parked entries that are older than it says, counted from when they were written, and returns
//     how many it removed. Of the pending entries that are older it removes all but the newest of each channel and
//     the newest of those with Left, so that no channel loses the resync that is still due.
//  7. All times are measured on the store's clock.
//  8. Backlog describes the outbox at one moment, on the store's clock.
//  9. It is safe for concurrent use, by several processes too where the database is shared.
type Outbox interface {
	Claim(ctx context.Context, p ClaimParams) ([]Entry, error)
	Ack(ctx context.Context, ids ...int64) error
	AckThrough(ctx context.Context, ch Channel, rev int64) error
	Nack(ctx context.Context, p NackParams) error
	Purge(ctx context.Context, p PurgeParams) (int64, error)
	Backlog(ctx context.Context) (Backlog, error)
}
