package bunstore

import (
	"database/sql"

	"github.com/murph-chat/murph/consultation"
)

// pair is the people of a consultation, as far as its audience needs them.
type pair struct{ patient, student sql.NullString }

func (p *pair) audience() string {
	c := consultation.Consultation{Patient: consultation.Participant{UserID: consultation.UserID(p.patient.String)}}
	if p.student.Valid {
		c.Student = &consultation.Participant{UserID: consultation.UserID(p.student.String)}
	}
	return c.Audience()
}
