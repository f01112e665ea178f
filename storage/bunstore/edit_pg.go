package bunstore

// pgMessage. $1 id. Primary keys only.
var pgMessage = `SELECT ` + pgTextColumns + ` FROM murph_messages m` + textSender + ` WHERE m.id = $1::text`
