CREATE INDEX murph_consultations_patient ON murph_consultations (patient_id);

CREATE INDEX murph_consultations_student ON murph_consultations (student_id) WHERE student_id IS NOT NULL;

DROP INDEX murph_consultations_by_patient;

DROP INDEX murph_consultations_by_student;

DELETE FROM murph_schema WHERE version = 4;
