package bunstore

// MaxAttempts is how often a statement is run that others get in the way of.
const MaxAttempts = maxAttempts
