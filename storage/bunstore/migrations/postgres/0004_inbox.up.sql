-- A statement ends where a line ends with a semicolon.

-- A person's consultations by status, each status in the order of its activity: only a consultation that is IN_PROGRESS
-- has activity without a change of updated_at. None of the columns is one that a send changes, so sends stay HOT updates.
--
-- Building an index keeps sends waiting until it is done, about a second for a million consultations. With more of them,
-- create both beforehand with CREATE INDEX CONCURRENTLY; the statements here then find them.
CREATE INDEX IF NOT EXISTS murph_consultations_by_patient ON murph_consultations (patient_id, status, updated_at, id);

CREATE INDEX IF NOT EXISTS murph_consultations_by_student ON murph_consultations (student_id, status, updated_at, id)
  WHERE student_id IS NOT NULL;

-- The new ones serve what these did, also for processes of the version before.
DROP INDEX murph_consultations_patient;

DROP INDEX murph_consultations_student;

INSERT INTO murph_schema (version) VALUES (4);
