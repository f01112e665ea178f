-- A statement ends where a line ends with a semicolon.

-- The number of the users' audience. It is part of the channel names and rises when a student takes another's place.
ALTER TABLE murph_consultations ADD COLUMN audience integer NOT NULL DEFAULT 1;

INSERT INTO murph_schema (version) VALUES (2);
