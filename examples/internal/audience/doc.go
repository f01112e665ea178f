// Package audience holds a random test of who may hear the events of a consultation: several processes, transports and
// stores, changes of the assigned student, suspensions, lost answers, delayed reads and a lossy bus. Its invariant is
// that no content written after a user left the audience reaches a connection of that user.
package audience
