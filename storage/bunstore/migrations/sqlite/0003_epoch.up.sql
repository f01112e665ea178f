-- A statement ends where a line ends with a semicolon.

-- The epoch is an opaque word that clients send back with their rev. Restoring a backup must replace it, because revs are
-- given a second time after that.
CREATE TABLE murph_epoch (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL CHECK (length(epoch) BETWEEN 1 AND 32 AND epoch NOT GLOB '*[^A-Za-z0-9_-]*')
);

INSERT INTO murph_epoch (id, epoch) VALUES (1, lower(hex(randomblob(8))));

INSERT INTO murph_schema (version) VALUES (3);
