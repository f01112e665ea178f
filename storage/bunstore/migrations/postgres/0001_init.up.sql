-- A statement ends where a line ends with a semicolon.

CREATE TABLE murph_schema (
  version    integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- Whatever decides about a write is on this row, because only the locked row is read again after a lock was waited for.
-- The columns that a send changes, rev and active_at, are in no index, and a part of each page stays free: so the new
-- version of the row goes beside the old one and no index is touched (a HOT update).
CREATE TABLE murph_consultations (
  id         text COLLATE "C" PRIMARY KEY,
  status     text NOT NULL CHECK (status IN ('REQUESTED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED')),
  topic      text NOT NULL,
  patient_id text COLLATE "C" NOT NULL,
  student_id text COLLATE "C" CHECK (student_id <> patient_id),
  rev        bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  active_at  timestamptz NOT NULL,
  CHECK (student_id IS NOT NULL OR status IN ('REQUESTED', 'CANCELLED'))
) WITH (fillfactor = 70);

CREATE INDEX murph_consultations_patient ON murph_consultations (patient_id);

CREATE INDEX murph_consultations_student ON murph_consultations (student_id) WHERE student_id IS NOT NULL;

CREATE INDEX murph_consultations_open ON murph_consultations (created_at, id) WHERE status = 'REQUESTED';

-- What there is to show about a person. It authorises nothing. Students who were replaced stay, for the history.
CREATE TABLE murph_participants (
  consultation_id text COLLATE "C" NOT NULL REFERENCES murph_consultations (id) ON DELETE CASCADE,
  user_id         text COLLATE "C" NOT NULL,
  role            text NOT NULL,
  first_name      text NOT NULL,
  last_name       text NOT NULL,
  image           text NOT NULL,
  read_seq        bigint NOT NULL DEFAULT 0,
  read_at         timestamptz,
  PRIMARY KEY (consultation_id, user_id)
) WITH (fillfactor = 80);

CREATE TABLE murph_messages (
  seq             bigint NOT NULL,
  rev             bigint NOT NULL,
  created_at      timestamptz NOT NULL,
  edited_at       timestamptz,
  deleted_at      timestamptz,
  id              text COLLATE "C" PRIMARY KEY,
  consultation_id text COLLATE "C" NOT NULL REFERENCES murph_consultations (id) ON DELETE CASCADE,
  sender_id       text COLLATE "C" NOT NULL,
  client_id       text COLLATE "C",
  content         text NOT NULL
);

-- Order of display and cursor of the history. The two extra columns let unread messages be counted in the index alone.
CREATE UNIQUE INDEX murph_messages_seq ON murph_messages (consultation_id, seq) INCLUDE (sender_id, deleted_at);

-- Cursor of the catch-up.
CREATE UNIQUE INDEX murph_messages_rev ON murph_messages (consultation_id, rev);

-- One message for each key of a sender.
CREATE UNIQUE INDEX murph_messages_key ON murph_messages (consultation_id, sender_id, client_id)
  WHERE client_id IS NOT NULL;

-- Events that wait to be published, as references without content. status is the JSON of a status-update.
CREATE TABLE murph_outbox (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rev             bigint NOT NULL,
  due_at          timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  parked_at       timestamptz,
  attempts        integer NOT NULL DEFAULT 0,
  event           text NOT NULL,
  consultation_id text COLLATE "C" NOT NULL,
  message_id      text COLLATE "C",
  socket_id       text NOT NULL,
  status          text,
  reason          text
) WITH (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 10000
);

CREATE INDEX murph_outbox_due ON murph_outbox (due_at, id) WHERE parked_at IS NULL;

CREATE INDEX murph_outbox_channel ON murph_outbox (consultation_id, rev) WHERE parked_at IS NULL;

INSERT INTO murph_schema (version) VALUES (1);
