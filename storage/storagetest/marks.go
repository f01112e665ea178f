package storagetest

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func (e *env) mark(reader consultation.Participant, seq int64) chat.Marked {
	e.Helper()
	marked, err := e.store.MarkRead(e.ctx, chat.ReadParams{ConsultationID: room, Reader: reader.UserID, Seq: seq})
	if err != nil {
		e.Fatalf("MarkRead: %v", err)
	}
	return marked
}

func markCases() []testCase {
	return []testCase{{
		name:     "mark/moves",
		contract: messages,
		clauses: says(
			"MarkRead moves the reader's mark to Seq, at most to the consultation's rev, and never back.",
			"Moved says that the call has moved it.",
			"Marked is the mark after a call of MarkRead.",
			`Audience is the consultation's at the moment of the move; zero if it has not Moved.`,
		),
		run: func(e *env) {
			e.start(room)
			for range 8 {
				e.send(student, "hello")
			}
			rev := e.consultation().Rev
			last := chat.ReadMark{}
			for _, c := range []struct {
				seq, want int64
				moved     bool
			}{
				{4, 4, true},
				{4, 4, false},
				{3, 4, false},
				{0, 4, false},
				{7, 7, true},
				{rev + 1, rev, true},
				{rev + 100, rev, false},
				{math.MaxInt64, rev, false},
				{5, rev, false},
			} {
				tick()
				marked := e.mark(patient, c.seq)
				what := fmt.Sprintf("MarkRead to %d", c.seq)
				if marked.Mark.Seq != c.want || marked.Moved != c.moved {
					e.Errorf("%s = %d, moved %v; want %d, %v", what, marked.Mark.Seq, marked.Moved, c.want, c.moved)
				}
				audience := consultation.Audience{}
				if c.moved {
					audience = e.audience()
				}
				if marked.Audience != audience {
					e.Errorf("%s: Audience is %v, want %v", what, marked.Audience, audience)
				}
				if c.moved {
					e.isTime("the time of the mark", marked.Mark.At)
					if !marked.Mark.At.After(last.At) {
						e.Errorf("%s: the time of the mark is %v, not after %v", what, marked.Mark.At, last.At)
					}
				} else {
					e.same(what+" moves nothing", marked.Mark, last)
				}
				last = marked.Mark
			}
			if got := e.consultation().Rev; got != rev {
				e.Errorf("the marks have raised the consultation's rev from %d to %d", rev, got)
			}
		},
	}, {
		name:     "mark/shown",
		contract: messages,
		clauses:  says("Reads has the mark of the patient and of the assigned student, where they have one."),
		run: func(e *env) {
			e.start(room)
			e.send(patient, "hello")
			e.start("second")
			reads := func(what string, want map[consultation.UserID]chat.ReadMark) {
				e.Helper()
				e.same("Reads of History "+what, e.history().Reads, want)
				e.same("Reads of Changes "+what, e.changes(0, 10).Reads, want)
				e.same("Reads of a reset "+what, e.changes(1_000, 10).Reads, want)
			}
			m := e.mark(student, 3).Mark
			reads("with one mark", map[consultation.UserID]chat.ReadMark{student.UserID: m})
			p := e.mark(patient, 2).Mark
			reads("with two marks", map[consultation.UserID]chat.ReadMark{student.UserID: m, patient.UserID: p})
			e.change(reassign(room, other))
			reads("of a student who was replaced", map[consultation.UserID]chat.ReadMark{patient.UserID: p})
			page, err := e.store.History(e.ctx, chat.HistoryParams{ConsultationID: "second", Viewer: patient.UserID, Limit: 1})
			if err != nil || len(page.Reads) != 0 {
				e.Errorf("Reads of another consultation = %v (error %v), want none", page.Reads, err)
			}
		},
	}, {
		name:     "mark/refused",
		contract: messages,
		clauses: says(
			"A viewer, sender or reader who is neither the patient nor the student assigned at this moment gets " +
				"[consultation.ErrNotParticipant], from every method",
		),
		run: func(e *env) {
			e.start(room)
			e.send(patient, "hello")
			e.change(reassign(room, other))
			e.change(cancel(room))
			unchanged := e.unchanged()
			for _, reader := range []consultation.UserID{student.UserID, stranger.UserID, ""} {
				_, err := e.store.MarkRead(e.ctx, chat.ReadParams{ConsultationID: room, Reader: reader, Seq: 3})
				e.isErr(fmt.Sprintf("MarkRead by %q", reader), err, consultation.ErrNotParticipant)
			}
			_, err := e.store.MarkRead(e.ctx, chat.ReadParams{ConsultationID: "unknown", Reader: patient.UserID, Seq: 3})
			e.isErr("MarkRead in an unknown consultation", err, consultation.ErrNotFound)
			unchanged()
			if marked := e.mark(other, 3); marked.Mark.Seq != 3 {
				e.Errorf("MarkRead after the end = %d, want 3: reading stays possible", marked.Mark.Seq)
			}
		},
	}, {
		name:     "mark/race",
		contract: messages,
		clauses:  says("MarkRead moves the reader's mark to Seq, at most to the consultation's rev, and never back."),
		run: func(e *env) {
			const n = 16
			e.start(room)
			for range n {
				e.send(student, "hello")
			}
			var moved atomic.Int64
			e.parallel(n, func(i int) {
				seq := int64(i) + 1
				marked, err := e.store.MarkRead(e.ctx, chat.ReadParams{ConsultationID: room, Reader: patient.UserID, Seq: seq})
				switch {
				case err != nil:
					e.Errorf("MarkRead: %v", err)
				case marked.Mark.Seq < seq:
					e.Errorf("MarkRead to %d returns the mark %d, which is behind", seq, marked.Mark.Seq)
				case marked.Moved && marked.Mark.Seq != seq:
					e.Errorf("MarkRead to %d has moved the mark to %d", seq, marked.Mark.Seq)
				case marked.Moved:
					moved.Add(1)
				}
			})
			if mark := e.history().Reads[patient.UserID]; mark.Seq != n {
				e.Errorf("after a race of marks 1 to %d the mark is %d", n, mark.Seq)
			}
			if moved.Load() == 0 {
				e.Error("no call says that it has moved the mark")
			}
		},
	}}
}
