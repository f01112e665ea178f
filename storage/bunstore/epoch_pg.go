package bunstore

import (
	"context"
	"crypto/rand"
	"log/slog"
)

// pgNewEpoch. $1 new epoch, $2 the one that it replaces, "" for any. Primary key only.
const pgNewEpoch = `
INSERT INTO murph_epoch AS e (id, epoch) VALUES (1, $1::text)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE $2::text IN ('', e.epoch)`

// pgOrigin says where the tables are: the cluster, which initdb names; its timeline, which a recovery to a point in time
// and the promotion of a replica change; and the table, which a dump that is loaded makes anew.
const pgOrigin = `
SELECT system_identifier::text || '.' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '.' || 'murph_epoch'::regclass::oid::text
FROM pg_control_system()`

// pgMoved. $1 new epoch, $2 origin. An epoch of unknown origin stays.
const pgMoved = `
UPDATE murph_epoch SET epoch = CASE WHEN origin = '' THEN epoch ELSE $1::text END, origin = $2::text
WHERE id = 1 AND origin <> $2::text`

func (postgres) moved(ctx context.Context, s *Store) error {
	var origin string
	if _, err := s.row(ctx, s.write, statement{"origin", pgOrigin}, nil, &origin); err != nil {
		if ended(ctx) != nil {
			return err
		}
		s.opts.Logger.LogAttrs(ctx, slog.LevelInfo,
			"the database does not tell whether it is a restored one: call NewEpoch after restoring a backup", slog.Any("err", err))
		return nil
	}
	return s.retry(ctx, func(ctx context.Context) error {
		return s.exec(ctx, s.write, statement{"moved", pgMoved}, rand.Text(), origin)
	})
}
