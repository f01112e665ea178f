package storagetest

import (
	"fmt"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

func (e *env) inbox(p chat.InboxParams) chat.InboxPage {
	e.Helper()
	page, err := e.store.Inbox(e.ctx, p)
	if err != nil {
		e.Fatalf("Inbox: %v", err)
	}
	return page
}

// inboxIs fails the case unless the list has exactly these consultations in this order.
func (e *env) inboxIs(what string, p chat.InboxParams, want ...consultation.ID) {
	e.Helper()
	p.Limit = 100
	page := e.inbox(p)
	if got := idsOf(page.Items); !slices.Equal(got, want) || page.HasMore {
		e.Errorf("Inbox %s = %v, HasMore %v; want %v, false", what, got, page.HasMore, want)
	}
}

func idsOf(items []chat.InboxItem) []consultation.ID {
	ids := make([]consultation.ID, len(items))
	for i, item := range items {
		ids[i] = item.Consultation.ID
	}
	return ids
}

// pages reads the whole list through its cursors, as a client does: each travels as text.
func (e *env) pages(p chat.InboxParams) []chat.InboxItem {
	e.Helper()
	var all []chat.InboxItem
	for range 100 {
		page := e.inbox(p)
		if len(page.Items) > p.Limit {
			e.Fatalf("a page of %d items, want at most %d", len(page.Items), p.Limit)
		}
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
		if len(page.Items) < p.Limit {
			e.Fatalf("a page of %d items that says HasMore, want %d", len(page.Items), p.Limit)
		}
		var err error
		if p.After, err = chat.ParseInboxCursor(page.Items[p.Limit-1].Cursor.String()); err != nil {
			e.Fatalf("the cursor of an item does not survive as text: %v", err)
		}
	}
	e.Fatal("the list has no end")
	return nil
}

func inboxCases() []testCase {
	return []testCase{{
		name:     "inbox/order",
		contract: messages,
		clauses: says(
			"Inbox returns the viewer's consultations, the one with the newest activity (message, status, assignment) first.",
		),
		run: func(e *env) {
			mine := chat.InboxParams{Viewer: patient.UserID}
			e.inboxIs("of nothing", mine)
			for _, id := range []consultation.ID{"b", "c", "a"} {
				e.create(id)
				tick()
			}
			e.inboxIs("after three requests", mine, "a", "c", "b")
			e.change(accept("c", student))
			tick()
			e.inboxIs("after a change of status", mine, "c", "a", "b")
			e.change(accept("b", student))
			tick()
			p := e.message(student, "hello")
			p.ConsultationID = "c"
			e.append(p)
			tick()
			e.inboxIs("after a message", mine, "c", "b", "a")
			e.change(reassign("b", other))
			tick()
			e.inboxIs("after a change of the assignment", mine, "b", "c", "a")
			e.markIn("c", patient, 3)
			e.inboxIs("after reading", mine, "b", "c", "a")
			e.change(cancel("a"))
			e.inboxIs("after the end of one", mine, "a", "b", "c")
		},
	}, {
		name:     "inbox/viewers",
		contract: messages,
		clauses: says(
			"Inbox returns the viewer's consultations",
			`Status narrows to one status; "" for all.`,
		),
		run: func(e *env) {
			e.start("first")
			tick()
			e.start("second")
			tick()
			e.create("third")
			tick()
			if _, err := e.store.Create(e.ctx, consultation.CreateParams{ID: "foreign", Topic: "x", Patient: stranger}); err != nil {
				e.Fatal(err)
			}
			e.change(reassign("second", other))
			tick()
			e.change(complete("first"))
			e.inboxIs("of the student", chat.InboxParams{Viewer: student.UserID}, "first")
			e.inboxIs("of the one who replaced them", chat.InboxParams{Viewer: other.UserID}, "second")
			e.inboxIs("of somebody without any", chat.InboxParams{Viewer: "nobody"})
			e.inboxIs("of no one", chat.InboxParams{})
			for status, want := range map[consultation.Status][]consultation.ID{
				"":                            {"first", "second", "third"},
				consultation.StatusRequested:  {"third"},
				consultation.StatusInProgress: {"second"},
				consultation.StatusCompleted:  {"first"},
				consultation.StatusCancelled:  {},
			} {
				e.inboxIs("with status "+string(status), chat.InboxParams{Viewer: patient.UserID, Status: status}, want...)
			}
		},
	}, {
		name:     "inbox/unread",
		contract: messages,
		clauses: says(
			"Unread is the number of messages that [Unread] counts.",
			"Last is the message with the highest seq, nil if there is none.",
		),
		run: func(e *env) {
			e.start(room)
			item := func(viewer consultation.Participant) chat.InboxItem {
				e.Helper()
				page := e.inbox(chat.InboxParams{Viewer: viewer.UserID, Limit: 10})
				if len(page.Items) != 1 {
					e.Fatalf("%d items, want 1", len(page.Items))
				}
				return page.Items[0]
			}
			if it := item(patient); it.Last != nil || it.Unread != 0 {
				e.Errorf("the item of a consultation without messages is %+v", it)
			}
			check := func(what string, patientUnread, studentUnread int) {
				e.Helper()
				page := e.history()
				for _, v := range []struct {
					who  consultation.Participant
					want int
				}{{patient, patientUnread}, {student, studentUnread}} {
					it := item(v.who)
					if def := chat.Unread(page.Messages, v.who.UserID, page.Reads[v.who.UserID]); it.Unread != v.want || def != v.want {
						e.Errorf("%s: Unread of %s is %d, chat.Unread counts %d, want %d", what, v.who.UserID, it.Unread, def, v.want)
					}
					e.same(what+": Last", it.Last, page.Messages[len(page.Messages)-1])
					e.same(what+": the header", it.Consultation, page.Consultation)
				}
			}
			first := e.send(patient, "1")
			check("one message", 0, 1)
			e.send(patient, "2")
			third := e.send(student, "3")
			check("three messages", 1, 2)
			e.mark(student, first.Seq)
			check("one of them read", 1, 1)
			e.edit(first, "edited")
			check("a read one edited", 1, 1)
			e.mark(patient, third.Seq)
			last := e.send(student, "4")
			check("a new one", 1, 1)
			e.delete(last)
			check("the new one deleted", 0, 1)
			e.mark(student, 1_000)
			check("all read", 0, 0)
			e.change(complete(room))
			check("after the end", 0, 0)
		},
	}, {
		name:     "inbox/many-unread",
		contract: messages,
		clauses:  says("[MaxUnread] means that many or more."),
		run: func(e *env) {
			e.start(room)
			for n := 1; n <= chat.MaxUnread+1; n++ {
				e.send(patient, fmt.Sprint(n))
				if n < chat.MaxUnread-1 {
					continue
				}
				for _, v := range []struct {
					who  consultation.Participant
					want int
				}{{patient, 0}, {student, min(n, chat.MaxUnread)}} {
					page := e.inbox(chat.InboxParams{Viewer: v.who.UserID, Limit: 10})
					if got := page.Items[0].Unread; got != v.want {
						e.Errorf("after %d messages Unread of %s is %d, want %d", n, v.who.UserID, got, v.want)
					}
				}
			}
			e.mark(student, 3)
			if got := e.inbox(chat.InboxParams{Viewer: student.UserID, Limit: 10}).Items[0].Unread; got != chat.MaxUnread {
				e.Errorf("with %d unread Unread is %d", chat.MaxUnread, got)
			}
			e.mark(student, 4)
			if got := e.inbox(chat.InboxParams{Viewer: student.UserID, Limit: 10}).Items[0].Unread; got != chat.MaxUnread-1 {
				e.Errorf("with %d unread Unread is %d", chat.MaxUnread-1, got)
			}
		},
	}, {
		name:     "inbox/unread-window",
		contract: messages,
		clauses:  says("Unread is the number of messages that [Unread] counts"),
		tx:       true,
		run: func(e *env) {
			e.start(room)
			e.send(student, "overtaken")
			fill := func(n int) {
				err := e.inTx(func(tx Store) error {
					for range n {
						if _, err := tx.Append(e.ctx, e.message(patient, "x")); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					e.Fatal(err)
				}
			}
			check := func(what string, want int) {
				e.Helper()
				page := e.inbox(chat.InboxParams{Viewer: patient.UserID, Limit: 10})
				if got := page.Items[0].Unread; got != want {
					e.Errorf("%s: Unread is %d, want %d", what, got, want)
				}
			}
			fill(chat.UnreadWindow - 1)
			check("at the start of the window", 1)
			fill(1)
			check("before the window", 0)
			e.send(student, "new")
			check("a new one", 1)
		},
	}, {
		name:     "inbox/long-past",
		contract: messages,
		clauses: says(
			"Inbox returns the viewer's consultations, the one with the newest activity (message, status, assignment) first.",
			`Status narrows to one status; "" for all.`,
		),
		run: func(e *env) {
			var ids []consultation.ID // in the order of their activity
			for i := range 12 {
				id := consultation.ID(fmt.Sprintf("room-%02d", i))
				ids = append(ids, id)
				e.create(id)
				if i%4 != 0 {
					e.change(accept(id, student))
				}
				tick()
			}
			// Now those that are over and those that are not come in turn, of each status three.
			byStatus := map[consultation.Status][]consultation.ID{}
			var want []consultation.ID
			for i := range ids {
				id := ids[(i*5)%12]
				status := consultation.StatusInProgress
				switch (i * 5) % 4 {
				case 0:
					status = consultation.StatusCancelled
					e.change(cancel(id))
				case 1:
					status = consultation.StatusCompleted
					e.change(complete(id))
				case 2:
					p := e.message(student, "hello")
					p.ConsultationID = id
					e.append(p)
				default:
					e.change(reassign(id, other))
				}
				byStatus[status] = slices.Insert(byStatus[status], 0, id)
				want = slices.Insert(want, 0, id)
				tick()
			}
			mine := chat.InboxParams{Viewer: patient.UserID}
			e.inboxIs("of the patient", mine, want...)
			for limit := 1; limit <= 13; limit++ {
				if got := idsOf(e.pages(chat.InboxParams{Viewer: patient.UserID, Limit: limit})); !slices.Equal(got, want) {
					e.Errorf("pages of %d: %v, want %v", limit, got, want)
				}
			}
			for status, want := range byStatus {
				for limit := 1; limit <= 4; limit++ {
					p := chat.InboxParams{Viewer: patient.UserID, Status: status, Limit: limit}
					if got := idsOf(e.pages(p)); !slices.Equal(got, want) {
						e.Errorf("pages of %d with status %s: %v, want %v", limit, status, got, want)
					}
				}
			}
		},
	}, {
		name:     "inbox/cursor",
		contract: messages,
		clauses: says(
			"After is where the previous page ended; the zero InboxCursor for the first page.",
			"Cursor is the place of the item in the list.",
		),
		run: func(e *env) {
			var want []consultation.ID
			for i := range 12 { // without tick: activities may be equal
				id := consultation.ID(fmt.Sprintf("room-%02d", (i*5)%12))
				e.create(id)
				want = append(want, id)
			}
			slices.Sort(want)
			whole := e.inbox(chat.InboxParams{Viewer: patient.UserID, Limit: 12})
			if len(whole.Items) != 12 || whole.HasMore {
				e.Fatalf("%d items, HasMore %v; want 12, false", len(whole.Items), whole.HasMore)
			}
			if got := slices.Sorted(slices.Values(idsOf(whole.Items))); !slices.Equal(got, want) {
				e.Fatalf("the list has %v, want %v in some order", got, want)
			}
			for i, item := range whole.Items {
				if item.Cursor.ID != item.Consultation.ID || !item.Cursor.Activity.Equal(item.Consultation.UpdatedAt) {
					e.Errorf("the cursor of %+v is %+v, want its id and its last activity", item.Consultation, item.Cursor)
				}
				e.isTime("the activity", item.Cursor.Activity)
				if i > 0 && item.Cursor.Activity.After(whole.Items[i-1].Cursor.Activity) {
					e.Errorf("an activity of %v follows one of %v", item.Cursor.Activity, whole.Items[i-1].Cursor.Activity)
				}
			}
			for limit := 1; limit <= 13; limit++ {
				for _, open := range []bool{false, true} {
					got := idsOf(e.pages(chat.InboxParams{Viewer: patient.UserID, Limit: limit, OpenRequests: open}))
					if !slices.Equal(got, idsOf(whole.Items)) {
						e.Errorf("pages of %d, open requests %v: %v, want %v", limit, open, got, idsOf(whole.Items))
					}
				}
			}
			page := e.inbox(chat.InboxParams{Viewer: patient.UserID, Limit: 6})
			tick()
			e.change(cancel(page.Items[0].Consultation.ID))
			e.create("newer")
			rest := e.pages(chat.InboxParams{Viewer: patient.UserID, Limit: 4, After: page.Items[5].Cursor})
			if got := idsOf(rest); !slices.Equal(got, idsOf(whole.Items[6:])) {
				e.Errorf("the rest of a list that has changed at its start is %v, want %v", got, idsOf(whole.Items[6:]))
			}
		},
	}, {
		name:     "inbox/open-requests",
		contract: messages,
		clauses: says(
			"With OpenRequests it returns those with status REQUESTED of all people, newest first, Unread and Last empty.",
			"OpenRequests asks for all consultations with status REQUESTED, whoever they belong to, instead of the viewer's.",
		),
		run: func(e *env) {
			open := chat.InboxParams{Viewer: student.UserID, OpenRequests: true}
			e.inboxIs("of no open requests", open)
			e.start("running")
			e.create("mine")
			tick()
			foreign := consultation.CreateParams{ID: "foreign", Topic: "x", Patient: stranger}
			if _, err := e.store.Create(e.ctx, foreign); err != nil {
				e.Fatal(err)
			}
			tick()
			e.create("newest")
			e.create("cancelled")
			e.change(cancel("cancelled"))
			e.inboxIs("of open requests", open, "newest", "foreign", "mine")
			open.Viewer = patient.UserID
			open.Limit = 10
			for _, item := range e.inbox(open).Items {
				if item.Unread != 0 || item.Last != nil {
					e.Errorf("an open request has Unread %d and Last %v, want 0 and nil", item.Unread, item.Last)
				}
				c, err := e.store.Consultation(e.ctx, item.Consultation.ID, "")
				if err != nil {
					e.Fatal(err)
				}
				e.same("the header", item.Consultation, c)
			}
			e.change(accept("newest", other))
			e.inboxIs("after one was accepted", open, "foreign", "mine")
		},
	}}
}

// markIn is mark in any consultation.
func (e *env) markIn(id consultation.ID, reader consultation.Participant, seq int64) {
	e.Helper()
	if _, err := e.store.MarkRead(e.ctx, chat.ReadParams{ConsultationID: id, Reader: reader.UserID, Seq: seq}); err != nil {
		e.Fatalf("MarkRead: %v", err)
	}
}
