package chat

// Repeats is the memory of stored keys.
type Repeats struct{ *repeats }

// NewRepeats makes one that knows so many keys in a generation.
func NewRepeats(most int) Repeats { return Repeats{newRepeats(most)} }

// Add remembers a key.
func (r Repeats) Add(p AppendParams) { r.add(p) }

// Has looks a key up.
func (r Repeats) Has(p AppendParams) bool { return r.has(p) }

// Known is how many keys are remembered.
func (r Repeats) Known() int { return len(r.young) + len(r.old) }
