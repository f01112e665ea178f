-- A statement ends where a line ends with a semicolon. Times are microseconds since 1970 in UTC.

CREATE TABLE murph_schema (
  version    INTEGER PRIMARY KEY,
  applied_at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000000)
);

-- Whatever decides about a write is on this row, as in the schema for Postgres.
CREATE TABLE murph_consultations (
  id         TEXT NOT NULL PRIMARY KEY,
  status     TEXT NOT NULL CHECK (status IN ('REQUESTED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED')),
  topic      TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  student_id TEXT CHECK (student_id <> patient_id),
  rev        INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  active_at  INTEGER NOT NULL,
  CHECK (student_id IS NOT NULL OR status IN ('REQUESTED', 'CANCELLED'))
);

CREATE INDEX murph_consultations_patient ON murph_consultations (patient_id);

CREATE INDEX murph_consultations_student ON murph_consultations (student_id) WHERE student_id IS NOT NULL;

CREATE INDEX murph_consultations_open ON murph_consultations (created_at, id) WHERE status = 'REQUESTED';

-- What there is to show about a person. It authorises nothing. Students who were replaced stay, for the history.
CREATE TABLE murph_participants (
  consultation_id TEXT NOT NULL REFERENCES murph_consultations (id) ON DELETE CASCADE,
  user_id         TEXT NOT NULL,
  role            TEXT NOT NULL,
  first_name      TEXT NOT NULL,
  last_name       TEXT NOT NULL,
  image           TEXT NOT NULL,
  read_seq        INTEGER NOT NULL DEFAULT 0,
  read_at         INTEGER,
  PRIMARY KEY (consultation_id, user_id)
);

CREATE TABLE murph_messages (
  seq             INTEGER NOT NULL,
  rev             INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  edited_at       INTEGER,
  deleted_at      INTEGER,
  id              TEXT NOT NULL PRIMARY KEY,
  consultation_id TEXT NOT NULL REFERENCES murph_consultations (id) ON DELETE CASCADE,
  sender_id       TEXT NOT NULL,
  client_id       TEXT,
  content         TEXT NOT NULL
);

-- Order of display and cursor of the history.
CREATE UNIQUE INDEX murph_messages_seq ON murph_messages (consultation_id, seq);

-- Counts unread messages in the index alone.
CREATE INDEX murph_messages_unread ON murph_messages (consultation_id, seq, sender_id, deleted_at);

-- Cursor of the catch-up.
CREATE UNIQUE INDEX murph_messages_rev ON murph_messages (consultation_id, rev);

-- One message for each key of a sender.
CREATE UNIQUE INDEX murph_messages_key ON murph_messages (consultation_id, sender_id, client_id)
  WHERE client_id IS NOT NULL;

-- Events that wait to be published, as references without content. status is the JSON of a status-update. The ids of
-- entries that are gone are never given again.
CREATE TABLE murph_outbox (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  rev             INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  parked_at       INTEGER,
  attempts        INTEGER NOT NULL DEFAULT 0,
  event           TEXT NOT NULL,
  consultation_id TEXT NOT NULL,
  message_id      TEXT,
  socket_id       TEXT NOT NULL,
  status          TEXT,
  reason          TEXT
);

CREATE INDEX murph_outbox_due ON murph_outbox (due_at, id) WHERE parked_at IS NULL;

CREATE INDEX murph_outbox_channel ON murph_outbox (consultation_id, rev) WHERE parked_at IS NULL;

INSERT INTO murph_schema (version) VALUES (1);
