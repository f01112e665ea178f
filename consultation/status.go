package consultation

// Status is the state of a consultation: REQUESTED → IN_PROGRESS → COMPLETED, and CANCELLED from either of the first
// two. COMPLETED and CANCELLED are final.
type Status string

// The states.
const (
	StatusRequested  Status = "REQUESTED"   // a patient waits for a student
	StatusInProgress Status = "IN_PROGRESS" // the two write to each other
	StatusCompleted  Status = "COMPLETED"   // the student has ended it
	StatusCancelled  Status = "CANCELLED"   // either has called it off
)

// Valid reports whether s is one of the four states.
func (s Status) Valid() bool {
	switch s {
	case StatusRequested, StatusInProgress, StatusCompleted, StatusCancelled:
		return true
	}
	return false
}

// Final reports whether no way leads out of s.
func (s Status) Final() bool { return s == StatusCompleted || s == StatusCancelled }

// CanBecome reports whether a consultation may go from s to next in one step.
func (s Status) CanBecome(next Status) bool {
	switch next {
	case StatusInProgress:
		return s == StatusRequested
	case StatusCompleted:
		return s == StatusInProgress
	case StatusCancelled:
		return s == StatusRequested || s == StatusInProgress
	}
	return false
}
