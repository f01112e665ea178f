-- A statement ends where a line ends with a semicolon.

-- The epoch is an opaque word that clients send back with their rev. Restoring a backup must replace it, because revs are
-- given a second time after that. origin says where the epoch was last known to be right: see Store.Migrate.
CREATE TABLE murph_epoch (
  id     integer PRIMARY KEY CHECK (id = 1),
  epoch  text COLLATE "C" NOT NULL CHECK (epoch ~ '^[A-Za-z0-9_-]{1,32}$'),
  origin text COLLATE "C" NOT NULL DEFAULT ''
);

INSERT INTO murph_epoch (id, epoch)
SELECT 1, to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint) || to_hex((random() * 2147483647)::integer);

INSERT INTO murph_schema (version) VALUES (3);
