ALTER TABLE murph_consultations DROP COLUMN audience;

DELETE FROM murph_schema WHERE version = 2;
