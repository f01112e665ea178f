package storagetest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// changes asks for the room's changes with a MaxBehind that is never exceeded.
func (e *env) changes(since int64, limit int) chat.Changes {
	e.Helper()
	return e.catchUp(chat.ChangesParams{ConsultationID: room, Viewer: patient.UserID, Since: since, Limit: limit, MaxBehind: 1_000_000})
}

func (e *env) catchUp(p chat.ChangesParams) chat.Changes {
	e.Helper()
	changes, err := e.store.Changes(e.ctx, p)
	if err != nil {
		e.Fatalf("Changes: %v", err)
	}
	return changes
}

// since is what Changes has to return without a limit, made from the whole history.
func since(all []chat.Message, rev int64) []chat.Message {
	out := []chat.Message{}
	for _, m := range all {
		if m.Rev > rev {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b chat.Message) int { return cmp.Compare(a.Rev, b.Rev) })
	return out
}

// busyRoom fills the room with messages, edits, tombstones and changes of the assignment, and returns the whole history.
func (e *env) busyRoom() chat.Page {
	e.Helper()
	e.start(room)
	var ms []chat.Message
	for i := range 6 {
		ms = append(ms, e.send([]consultation.Participant{patient, student}[i%2], fmt.Sprintf("text %d", i)))
	}
	e.edit(ms[1], "edited")
	e.change(reassign(room, other))
	e.delete(ms[2])
	e.edit(ms[0], "edited")
	e.send(other, "text 6")
	e.edit(ms[0], "edited again")
	e.change(cancel(room))
	return e.history()
}

func catchUpCases() []testCase {
	return []testCase{{
		name:     "changes/since",
		contract: messages,
		clauses: says(
			"Changes returns the messages whose Rev is above Since in their current form, in ascending order of Rev, at most Limit.",
			"HasMore tells of further ones.",
			"NextSince is the Rev of the last one if HasMore without Reset, else the consultation's.",
			"Since is the rev up to which the caller is complete; 0 for nothing yet.",
			"Changes is a Page that continues from a rev.",
		),
		run: func(e *env) {
			whole := e.busyRoom()
			head := whole.Consultation
			for from := range head.Rev + 1 {
				want := since(whole.Messages, from)
				for limit := 1; limit <= len(want)+1; limit++ {
					what := fmt.Sprintf("Changes since %d, limit %d", from, limit)
					got := e.changes(from, limit)
					part, next := want[:min(limit, len(want))], head.Rev
					if len(part) < len(want) {
						next = part[limit-1].Rev
					}
					e.same(what, list(got.Messages), part)
					if got.HasMore != (len(part) < len(want)) || got.NextSince != next || got.Reset {
						e.Errorf("%s: HasMore %v, NextSince %d, Reset %v; want %v, %d, false",
							what, got.HasMore, got.NextSince, got.Reset, len(part) < len(want), next)
					}
					e.same(what+": the header", got.Consultation, head)
				}
			}
		},
	}, {
		name:     "changes/paging",
		contract: messages,
		clauses:  says("NextSince is the rev up to which the caller is complete after this page."),
		run: func(e *env) {
			whole := e.busyRoom()
			for limit := 1; limit <= 3; limit++ {
				var got []chat.Message
				next, more := int64(0), true
				for rounds := 0; more && rounds < 100; rounds++ {
					page := e.changes(next, limit)
					got, more = append(got, page.Messages...), page.HasMore
					next = page.NextSince
				}
				e.same(fmt.Sprintf("all pages of %d", limit), got, since(whole.Messages, 0))
				if next != whole.Consultation.Rev {
					e.Errorf("after all pages of %d NextSince is %d, want the consultation's %d", limit, next, whole.Consultation.Rev)
				}
			}
		},
	}, {
		name:     "changes/header-only",
		contract: messages,
		clauses:  says("NextSince is the Rev of the last one if HasMore without Reset, else the consultation's."),
		run: func(e *env) {
			c := e.create(room)
			for _, ch := range []consultation.Change{accept(room, student), reassign(room, other), cancel(room)} {
				before := c.Rev
				c = e.change(ch).Consultation
				for _, from := range []int64{before, c.Rev} {
					got := e.changes(from, 10)
					if len(got.Messages) != 0 || got.HasMore || got.Reset || got.NextSince != c.Rev {
						e.Errorf("Changes since %d = %+v, want no message and NextSince %d", from, got, c.Rev)
					}
					e.same("the header", got.Consultation, c)
				}
			}
		},
	}, {
		name:     "changes/reset",
		contract: messages,
		clauses: says(
			"If Since is above the consultation's rev, or more than MaxBehind below it",
			"MaxBehind is the number of changes above which the answer is a reset.",
			"Reset says that the caller cannot continue from its rev, must forget what it has and take this page, the newest one in "+
				"the order of seq, instead.",
			"NextSince is the rev up to which the caller is complete after this page.",
		),
		run: func(e *env) {
			whole := e.busyRoom()
			rev := whole.Consultation.Rev
			for _, c := range []struct {
				since, behind int64
				reset         bool
			}{
				{rev + 1, 100, true},
				{rev + 1_000_000, 100, true},
				{rev, 0, false},
				{rev, 100, false},
				{rev - 1, 0, true},
				{rev - 3, 3, false},
				{rev - 4, 3, true},
				{0, rev, false},
				{0, rev - 1, true},
			} {
				for _, limit := range []int{2, 100} {
					what := fmt.Sprintf("Changes since %d of %d with MaxBehind %d, limit %d", c.since, rev, c.behind, limit)
					got := e.catchUp(chat.ChangesParams{
						ConsultationID: room, Viewer: patient.UserID, Since: c.since, Limit: limit, MaxBehind: c.behind,
					})
					if got.Reset != c.reset {
						e.Errorf("%s: Reset is %v", what, got.Reset)
					}
					if !got.Reset || !c.reset {
						continue
					}
					want := e.page(0, limit)
					e.same(what, list(got.Messages), list(want.Messages))
					e.same(what+": the header", got.Consultation, want.Consultation)
					if got.HasMore != want.HasMore || got.NextSince != rev {
						e.Errorf("%s: HasMore %v and NextSince %d, want %v and %d", what, got.HasMore, got.NextSince, want.HasMore, rev)
					}
				}
			}
		},
	}, {
		name:     "changes/viewers",
		contract: messages,
		clauses: says(
			"A viewer, sender or reader who is neither the patient nor the student assigned at this moment gets "+
				"[consultation.ErrNotParticipant], from every method and before anything else is checked;",
			"a consultation that does not exist gives [consultation.ErrNotFound].",
		),
		run: func(e *env) {
			e.busyRoom()
			read := func(id consultation.ID, viewer consultation.UserID, from int64) error {
				_, err := e.store.Changes(e.ctx, chat.ChangesParams{ConsultationID: id, Viewer: viewer, Since: from, Limit: 10, MaxBehind: 10})
				return err
			}
			for _, from := range []int64{0, 5, 1_000_000} {
				for _, viewer := range []consultation.UserID{patient.UserID, other.UserID} {
					if err := read(room, viewer, from); err != nil {
						e.Errorf("Changes for %s after the end: %v", viewer, err)
					}
				}
				for _, viewer := range []consultation.UserID{student.UserID, stranger.UserID, ""} {
					e.isErr(fmt.Sprintf("Changes for %q", viewer), read(room, viewer, from), consultation.ErrNotParticipant)
				}
				e.isErr("Changes of an unknown consultation", read("unknown", patient.UserID, from), consultation.ErrNotFound)
			}
		},
	}}
}
