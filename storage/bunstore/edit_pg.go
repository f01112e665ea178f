package bunstore

// pgMessage. $1 id. Primary keys only.
const pgMessage = `SELECT ` + textColumns + ` FROM murph_messages m` + textSender + ` WHERE m.id = $1::text`
