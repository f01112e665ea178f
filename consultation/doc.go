// Package consultation is about the meeting of a patient and a student: who takes part, in which state it is, who may
// change that, and under which channel names its events travel.
//
//	svc, err := consultation.NewService(store, broadcaster, nil)
//	c, err := svc.Request(ctx, consultation.RequestParams{Patient: patient, Topic: "Rückenschmerzen"})
//	c, err = svc.Accept(ctx, consultation.TransitionParams{ID: c.ID, By: consultation.Person(student)})
//
// # Guarantees
//
// Changes are compare-and-set under the lock of the consultation's row: of two students who accept at once one wins,
// and the other is told so by a [*ConflictError]. Every visible change, of the consultation or of a message in it,
// raises [Consultation.Rev] by exactly one, in the order of the commits.
//
// # Non-goals
//
// Users, sessions and matching belong to the host. Messages are in package chat.
package consultation
