package bunstore

import "context"

// sqliteNewEpoch. ?1 new epoch, ?2 the one that it replaces, "" for any. Primary key only.
const sqliteNewEpoch = `
INSERT INTO murph_epoch (id, epoch) VALUES (1, ?1)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE ?2 IN ('', murph_epoch.epoch)`

// moved does nothing: a copied file looks like the original.
func (sqlite) moved(context.Context, *Store) error { return nil }
