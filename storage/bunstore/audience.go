package bunstore

import (
	"database/sql"

	"github.com/murph-chat/murph/consultation"
)

// listening holds the columns of a consultation's row that its audience consists of.
type listening struct {
	patient, student sql.NullString
	number           sql.NullInt64
}

func (l *listening) audience() consultation.Audience {
	return consultation.NewAudience(int(l.number.Int64), consultation.UserID(l.patient.String), consultation.UserID(l.student.String))
}
