DROP TABLE murph_epoch;

DELETE FROM murph_schema WHERE version = 3;
