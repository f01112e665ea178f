package bunstore

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// pgClaim. $1 limit, $2 lease in microseconds. Rows that another process is just claiming are left to it. The time is read
// once, so that murph_outbox_due can be searched with it. The ids are passed on as an array, because the planner takes an
// array to be short, and a limit that it does not know to be long. Plan: murph_outbox_due forwards, then primary keys.
var pgClaim = `
WITH o AS (
	UPDATE murph_outbox
	SET attempts = attempts + 1, due_at = clock_timestamp() + $2::bigint * interval '1 microsecond'
	WHERE id = ANY (ARRAY(
		SELECT id FROM murph_outbox
		WHERE parked_at IS NULL AND due_at <= (SELECT clock_timestamp())
		ORDER BY due_at, id LIMIT (SELECT $1::bigint)
		FOR UPDATE SKIP LOCKED
	))
	RETURNING *
)
SELECT ` + micros("clock_timestamp() - o.created_at") + `, ` + pgClaimedColumns + `
FROM o` + claimedJoins + `
ORDER BY o.id`

// pgAck. $1 ids. Primary key.
const pgAck = `DELETE FROM murph_outbox WHERE id = ANY($1::bigint[])`

// pgAckThrough. $1 consultation, $2 rev. Plan: murph_outbox_channel.
const pgAckThrough = `
DELETE FROM murph_outbox WHERE consultation_id = $1::text AND rev <= $2::bigint AND parked_at IS NULL
	AND event <> '` + consultation.ReferenceLeft + `'`

// pgNack. $1 ids, $2 delay in microseconds. Primary key.
const pgNack = `
UPDATE murph_outbox
SET due_at = clock_timestamp() + $2::bigint * interval '1 microsecond', parked_at = NULL, reason = NULL
WHERE id = ANY($1::bigint[])`

// pgPark. $1 ids, $2 reason. Primary key.
const pgPark = `UPDATE murph_outbox SET parked_at = clock_timestamp(), reason = $2::text WHERE id = ANY($1::bigint[])`

// pgPurge. $1 age of pending entries, $2 age of parked ones, in microseconds. It reads the whole table.
const pgPurge = `
WITH old AS (
	SELECT id, parked_at IS NOT NULL AS parked,
		row_number() OVER (
			PARTITION BY parked_at IS NULL, consultation_id, event = '` + consultation.ReferenceLeft + `' ORDER BY rev DESC, id DESC
		) AS place
	FROM murph_outbox
	WHERE created_at < clock_timestamp() - (CASE WHEN parked_at IS NULL THEN $1::bigint ELSE $2::bigint END) * interval '1 microsecond'
), gone AS (
	DELETE FROM murph_outbox WHERE id IN (SELECT id FROM old WHERE parked OR place > 1)
	RETURNING 1
)
SELECT count(*) FROM gone`

// pgBacklog reads the whole table.
const pgBacklog = `
SELECT count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
	(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)) * 1000000)::bigint
FROM murph_outbox`

func (postgres) purge(ctx context.Context, s *Store, p realtime.PurgeParams) (n int64, err error) {
	_, err = s.row(ctx, s.write, statement{"purge", pgPurge}, []any{p.Pending.Microseconds(), p.Parked.Microseconds()}, &n)
	return n, err
}

func (postgres) claim(ctx context.Context, s *Store, p realtime.ClaimParams) (entries []realtime.Entry, err error) {
	err = s.rows(ctx, s.write, statement{"claim", pgClaim}, []any{int64(p.Limit), p.Lease.Microseconds()},
		func(rows *sql.Rows) error {
			var r claimed
			if err := r.scan(rows); err != nil {
				return err
			}
			entry, err := s.entry(ctx, &r)
			entries = append(entries, entry)
			return err
		})
	return entries, err
}

func (postgres) ack(ctx context.Context, s *Store, ids []int64) error {
	return s.exec(ctx, s.write, statement{"ack", pgAck}, arrayLiteral(ids))
}

func (postgres) ackThrough(ctx context.Context, s *Store, id consultation.ID, rev int64) error {
	return s.exec(ctx, s.write, statement{"ack through", pgAckThrough}, string(id), rev)
}

func (postgres) nack(ctx context.Context, s *Store, p realtime.NackParams) error {
	if p.Park {
		return s.exec(ctx, s.write, statement{"park", pgPark}, arrayLiteral(p.IDs), p.Reason)
	}
	return s.exec(ctx, s.write, statement{"nack", pgNack}, arrayLiteral(p.IDs), p.Delay.Microseconds())
}

func (postgres) backlog(ctx context.Context, s *Store) (realtime.Backlog, error) {
	return readBacklog(ctx, s, pgBacklog)
}

func readBacklog(ctx context.Context, s *Store, text string, args ...any) (b realtime.Backlog, err error) {
	var age sql.NullInt64
	_, err = s.row(ctx, s.read, statement{"backlog", text}, args, &b.Pending, &b.Parked, &age)
	b.OldestAge = time.Duration(max(0, age.Int64)) * time.Microsecond
	return b, err
}

// arrayLiteral writes ids as Postgres writes an array, because database/sql has no arrays: "{1,2}".
func arrayLiteral(ids []int64) string {
	b := make([]byte, 0, 2+8*len(ids))
	b = append(b, '{')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(append(b, '}'))
}
