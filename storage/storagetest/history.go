package storagetest

import (
	"fmt"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func historyCases() []testCase {
	return []testCase{{
		name:     "history/pages",
		contract: messages,
		clauses: says(
			"History returns the Limit newest messages with a Seq below Before, in ascending order of Seq, with tombstones.",
			"HasMore tells of older ones.",
			"HasMore says that there are more messages in the direction of the page.",
			"Limit is the size of the page.",
			"Before is the seq below which the page ends, or 0 for the newest page.",
		),
		run: func(e *env) {
			e.start(room)
			var all []chat.Message
			for i := range 7 {
				all = append(all, e.send(patient, fmt.Sprint(i)))
			}
			for _, c := range []struct {
				before   int64
				limit    int
				from, to int
			}{
				{0, 3, 4, 7},
				{all[4].Seq, 3, 1, 4},
				{all[1].Seq, 3, 0, 1},
				{all[3].Seq, 3, 0, 3},
				{all[0].Seq, 3, 0, 0},
				{1, 3, 0, 0},
				{0, 7, 0, 7},
				{0, 200, 0, 7},
				{all[6].Seq + 100, 1, 6, 7},
			} {
				page := e.page(c.before, c.limit)
				e.same(fmt.Sprintf("History before %d, limit %d", c.before, c.limit), list(page.Messages), list(all[c.from:c.to]))
				if page.HasMore != (c.from > 0) {
					e.Errorf("History before %d, limit %d: HasMore is %v", c.before, c.limit, page.HasMore)
				}
			}
		},
	}, {
		name:     "history/empty",
		contract: messages,
		clauses:  says("Page is a consultation's header and some of its messages, from one snapshot."),
		run: func(e *env) {
			c := e.create(room)
			page := e.history()
			if len(page.Messages) != 0 || page.HasMore || len(page.Reads) != 0 {
				e.Errorf("the page of a new consultation is %+v, want it empty", page)
			}
			e.same("the header", page.Consultation, c)
		},
	}, {
		name:     "history/viewers",
		contract: messages,
		clauses: says(
			"A viewer, sender or reader who is neither the patient nor the student assigned at this moment gets "+
				"[consultation.ErrNotParticipant], from every method",
			"a consultation that does not exist gives [consultation.ErrNotFound].",
		),
		run: func(e *env) {
			e.start(room)
			e.send(student, "hello")
			e.change(reassign(room, other))
			e.change(cancel(room))
			read := func(id consultation.ID, viewer consultation.UserID) error {
				_, err := e.store.History(e.ctx, chat.HistoryParams{ConsultationID: id, Viewer: viewer, Limit: 10})
				return err
			}
			for _, viewer := range []consultation.UserID{patient.UserID, other.UserID} {
				if err := read(room, viewer); err != nil {
					e.Errorf("History for %s after the end: %v", viewer, err)
				}
			}
			for _, viewer := range []consultation.UserID{student.UserID, stranger.UserID, ""} {
				e.isErr(fmt.Sprintf("History for %q", viewer), read(room, viewer), consultation.ErrNotParticipant)
			}
			e.isErr("History of an unknown consultation", read("unknown", patient.UserID), consultation.ErrNotFound)
			if m := e.history().Messages[0]; m.Sender != student {
				e.Errorf("the sender of a message of the student who was replaced is %+v, want %+v", m.Sender, student)
			}
		},
	}}
}

// list makes an empty list of a nil one: the contract does not tell them apart.
func list(ms []chat.Message) []chat.Message {
	if ms == nil {
		return []chat.Message{}
	}
	return ms
}
