DELETE FROM murph_schema WHERE version = 4;
