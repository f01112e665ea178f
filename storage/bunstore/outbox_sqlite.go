package bunstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// sqliteDue. ?1 now. Plan: murph_outbox_due.
const sqliteDue = `SELECT EXISTS (SELECT 1 FROM murph_outbox WHERE parked_at IS NULL AND due_at <= ?1)`

// sqliteClaim. ?1 limit, ?2 now, ?3 end of the lease. Plan: murph_outbox_due forwards.
const sqliteClaim = `
UPDATE murph_outbox SET attempts = attempts + 1, due_at = ?3
WHERE id IN (
	SELECT id FROM murph_outbox WHERE parked_at IS NULL AND due_at <= ?2 ORDER BY due_at, id LIMIT ?1
)
RETURNING id`

// sqliteClaimed. ?1 ids, ?2 now. Primary keys only.
const sqliteClaimed = `
SELECT ?2 - o.created_at, ` + claimedColumns + ` FROM murph_outbox o` + claimedJoins + `
WHERE o.id IN (SELECT value FROM json_each(?1))
ORDER BY o.id`

// sqliteAck. ?1 ids. Primary key.
const sqliteAck = `DELETE FROM murph_outbox WHERE id IN (SELECT value FROM json_each(?1))`

// sqliteAckThrough. ?1 consultation, ?2 rev. Plan: murph_outbox_channel.
const sqliteAckThrough = `
DELETE FROM murph_outbox WHERE consultation_id = ?1 AND rev <= ?2 AND parked_at IS NULL
	AND event <> '` + consultation.ReferenceLeft + `'`

// sqliteNack. ?1 ids, ?2 when they are due. Primary key.
const sqliteNack = `
UPDATE murph_outbox SET due_at = ?2, parked_at = NULL, reason = NULL WHERE id IN (SELECT value FROM json_each(?1))`

// sqlitePark. ?1 ids, ?2 now, ?3 reason. Primary key.
const sqlitePark = `UPDATE murph_outbox SET parked_at = ?2, reason = ?3 WHERE id IN (SELECT value FROM json_each(?1))`

// sqlitePurge. ?1 and ?2 the times before which pending and parked entries go. It reads the whole table.
const sqlitePurge = `
DELETE FROM murph_outbox WHERE id IN (
	SELECT id FROM (
		SELECT id, parked_at IS NOT NULL AS parked,
			row_number() OVER (
				PARTITION BY parked_at IS NULL, consultation_id, event = '` + consultation.ReferenceLeft + `' ORDER BY rev DESC, id DESC
			) AS place
		FROM murph_outbox
		WHERE created_at < CASE WHEN parked_at IS NULL THEN ?1 ELSE ?2 END
	) WHERE parked OR place > 1
) RETURNING id`

// sqliteBacklog. ?1 now. It reads the whole table.
const sqliteBacklog = `
SELECT count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
	?1 - min(created_at) FILTER (WHERE parked_at IS NULL)
FROM murph_outbox`

func (e sqlite) claim(ctx context.Context, s *Store, p realtime.ClaimParams) (entries []realtime.Entry, err error) {
	// An idle relay asks every second. It shall not take the write lock each time to find nothing.
	var due bool
	if _, err := s.row(ctx, s.read, statement{"due", sqliteDue}, []any{e.at(e.now())}, &due); err != nil || !due {
		return nil, err
	}
	err = e.transact(ctx, s, func(q conn) (bool, error) {
		now := e.now()
		var ids []int64
		err := s.rows(ctx, q, statement{"claim", sqliteClaim}, []any{int64(p.Limit), e.at(now), e.at(now.Add(p.Lease))},
			func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				ids = append(ids, id)
				return err
			})
		if err != nil || len(ids) == 0 {
			return false, err
		}
		entries = make([]realtime.Entry, 0, len(ids))
		return true, s.rows(ctx, q, statement{"claimed", sqliteClaimed}, []any{jsonIDs(ids), e.at(now)},
			func(rows *sql.Rows) error {
				var r claimed
				if err := r.scan(rows); err != nil {
					return err
				}
				entry, err := s.entry(ctx, &r)
				entries = append(entries, entry)
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

func (sqlite) ack(ctx context.Context, s *Store, ids []int64) error {
	return s.exec(ctx, s.write, statement{"ack", sqliteAck}, jsonIDs(ids))
}

func (sqlite) ackThrough(ctx context.Context, s *Store, id consultation.ID, rev int64) error {
	return s.exec(ctx, s.write, statement{"ack through", sqliteAckThrough}, string(id), rev)
}

func (e sqlite) nack(ctx context.Context, s *Store, p realtime.NackParams) error {
	now := e.now()
	if p.Park {
		return s.exec(ctx, s.write, statement{"park", sqlitePark}, jsonIDs(p.IDs), e.at(now), p.Reason)
	}
	return s.exec(ctx, s.write, statement{"nack", sqliteNack}, jsonIDs(p.IDs), e.at(now.Add(p.Delay)))
}

func (e sqlite) purge(ctx context.Context, s *Store, p realtime.PurgeParams) (n int64, err error) {
	now := e.now()
	args := []any{e.at(now.Add(-p.Pending)), e.at(now.Add(-p.Parked))}
	err = s.rows(ctx, s.write, statement{"purge", sqlitePurge}, args, func(*sql.Rows) error { n++; return nil })
	return n, err
}

func (e sqlite) backlog(ctx context.Context, s *Store) (realtime.Backlog, error) {
	return readBacklog(ctx, s, sqliteBacklog, e.at(e.now()))
}

// jsonIDs writes ids as a JSON array, which SQLite can read as a table.
func jsonIDs(ids []int64) string {
	b, _ := json.Marshal(ids) // integers always encode
	return string(b)
}
