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
	FirstName string `json:"firstName"` // at most 200 characters
	LastName  string `json:"lastName"`  // at most 200 characters
	// Image is the address of a picture, or "".
	Image string `json:"image,omitempty"`
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
	for _, t := range [...]struct{ field, text string }{{"role", string(p.Role)}, {"firstName", p.FirstName}, {"lastName", p.LastName}, {"image", p.Image}} {
		if err := checkText(t.field, t.text, maxName, maxImage); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what a text column or a JSON document cannot carry. The image is measured in bytes, all else in
// characters.
func checkText(field, s string, maxRunes, maxBytes int) error {
	switch {
	case !utf8.ValidString(s):
		return &InvalidError{Field: field, Reason: "must be valid UTF-8"}
	case strings.ContainsRune(s, 0):
		return &InvalidError{Field: field, Reason: "must not contain NUL"}
	case len(s) > maxBytes || (field != "image" && utf8.RuneCountInString(s) > maxRunes):
		return &InvalidError{Field: field, Reason: "is too long"}
	}
	return nil
}
