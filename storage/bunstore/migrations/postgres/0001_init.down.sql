DROP TABLE murph_outbox;

DROP TABLE murph_messages;

DROP TABLE murph_participants;

DROP TABLE murph_consultations;

DROP TABLE murph_schema;
