package consultation

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Role says in which function somebody takes part. The type is open: a host may have more roles than the two that the
// rules of this package know.
type Role string

// The roles that the rules know.
const (
	RolePatient Role = "PATIENT" // requests consultations
	RoleStudent Role = "STUDENT" // accepts and completes them
)

// Limits of the texts about a person.
const (
	maxName  = 200  // characters
	maxImage = 2048 // bytes
	maxRole  = 32   // bytes
)

// Participant is a person as the others see them. The host supplies it; the library keeps the copy that it got when the
// person joined.
type Participant struct {
	UserID    UserID `json:"id"`        // of the host's choosing
	Role      Role   `json:"role"`      // in which function
	FirstName string `json:"firstName"` // at most 200 characters, see Clean
	LastName  string `json:"lastName"`  // likewise
	// Image is the address of a picture, or "".
	Image string `json:"image,omitempty"`
}

// Clean returns p with the names in the form in which the library stores them, see [ParseText]; a name with nothing
// visible in it becomes "". A name that is not UTF-8, contains a NUL or is too long stays as it is, for [Participant.Validate].
// The services do this to every participant whom they store.
func (p Participant) Clean() Participant {
	for _, name := range [...]*string{&p.FirstName, &p.LastName} {
		s, err := cleanText("", *name, maxName)
		switch {
		case err != nil:
		case strings.ContainsFunc(s, visible):
			*name = s
		default:
			*name = ""
		}
	}
	return p
}

// Validate reports an id outside the charset, a missing role and texts that are too long or not UTF-8. The error is an
// [*InvalidError].
func (p Participant) Validate() error {
	if _, err := ParseUserID(string(p.UserID)); err != nil {
		return err
	}
	if p.Role == "" || len(p.Role) > maxRole {
		return &InvalidError{Field: "role", Reason: fmt.Sprintf("must be 1 to %d bytes long", maxRole)}
	}
	for _, name := range [...]struct{ field, text string }{{"firstName", p.FirstName}, {"lastName", p.LastName}} {
		if _, err := cleanText(name.field, name.text, maxName); err != nil {
			return err
		}
	}
	for _, t := range [...]struct{ field, text string }{{"role", string(p.Role)}, {"image", p.Image}} {
		switch {
		case !utf8.ValidString(t.text):
			return &InvalidError{Field: t.field, Reason: "must be valid UTF-8"}
		case strings.ContainsRune(t.text, 0):
			return &InvalidError{Field: t.field, Reason: "must not contain NUL"}
		case len(t.text) > maxImage:
			return &InvalidError{Field: t.field, Reason: fmt.Sprintf("must be at most %d bytes long", maxImage)}
		}
	}
	return nil
}
