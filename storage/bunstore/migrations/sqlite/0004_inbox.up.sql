-- A statement ends where a line ends with a semicolon.

-- Only the schema for Postgres changes.
INSERT INTO murph_schema (version) VALUES (4);
