package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// History implements [chat.Storage] with one statement, so that header and messages are of one snapshot.
func (s *Store) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	before := p.Before
	if before == 0 {
		before = math.MaxInt64
	}
	l := log{viewer: p.Viewer}
	args := []any{string(p.ConsultationID), string(p.Viewer), before, int64(p.Limit) + 1}
	if err := s.rows(ctx, s.read, s.engine.reads().history, args, l.scan); err != nil {
		return chat.Page{}, s.wrap(ctx, "read history", err)
	}
	if err := l.authorize(); err != nil {
		return chat.Page{}, err
	}
	return l.newest(p.Limit), nil
}

// Changes implements [chat.Storage] with one statement, so that header and messages are of one snapshot.
func (s *Store) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	l := log{viewer: p.Viewer}
	args := []any{string(p.ConsultationID), string(p.Viewer), p.Since, p.MaxBehind, int64(p.Limit) + 1}
	if err := s.rows(ctx, s.read, s.engine.reads().changes, args, l.scan); err != nil {
		return chat.Changes{}, s.wrap(ctx, "read changes", err)
	}
	if err := l.authorize(); err != nil {
		return chat.Changes{}, err
	}
	if l.reset {
		return chat.Changes{Page: l.newest(p.Limit), NextSince: l.header.rev.Int64, Reset: true}, nil
	}
	slices.SortFunc(l.messages, func(a, b chat.Message) int { return cmp.Compare(a.Rev, b.Rev) })
	page := l.page()
	next := page.Consultation.Rev
	if len(page.Messages) > p.Limit {
		page.Messages, page.HasMore = page.Messages[:p.Limit], true
		next = page.Messages[p.Limit-1].Rev
	}
	return chat.Changes{Page: page, NextSince: next}, nil
}

// The kinds of rows that the statements history and changes give. They come in any order.
const (
	kindHeader = iota
	kindPerson
	kindMessage
)

// log collects the rows of a statement that reads a consultation's header, the people who are or were in it, and some of
// its messages. The people come once, not with each message.
type log struct {
	viewer   consultation.UserID
	header   header
	reset    bool
	people   map[consultation.UserID]consultation.Participant
	reads    map[consultation.UserID]chat.ReadMark
	messages []chat.Message
}

// scan reads one row. What its columns mean depends on the kind; see pgHistory.
func (l *log) scan(rows *sql.Rows) error {
	var (
		kind          int
		a, b, c, d, e sql.NullString
		n, o          sql.NullInt64
		t, u, v       stamp
	)
	if err := rows.Scan(&kind, &a, &b, &c, &d, &e, &n, &o, &t, &u, &v); err != nil {
		return err
	}
	switch kind {
	case kindHeader:
		l.header = header{id: a, status: b, topic: c, rev: n, created: t, updated: u}
		l.header.patient.id, l.header.student.id = d, e
		l.reset = o.Int64 != 0
	case kindPerson:
		if l.people == nil {
			l.people = map[consultation.UserID]consultation.Participant{}
			l.reads = map[consultation.UserID]chat.ReadMark{}
		}
		p := person{id: a, role: b, first: c, last: d, image: e}
		who := p.participant()
		l.people[who.UserID] = who
		if t.valid {
			l.reads[who.UserID] = chat.ReadMark{Seq: n.Int64, At: t.Time}
		}
	case kindMessage:
		m := text{id: a, content: b, client: c, seq: n, rev: o, created: t, edited: u, deleted: v}
		m.sender.id = d
		l.messages = append(l.messages, m.message(""))
	}
	return nil
}

// authorize says who gets nothing. The statement has left out the rest for them already.
func (l *log) authorize() error {
	if !l.header.id.Valid {
		return consultation.ErrNotFound
	}
	c := l.header.consultation()
	if _, ok := c.Participant(l.viewer); !ok {
		return consultation.ErrNotParticipant
	}
	return nil
}

// page puts the parts together. The messages are as they came.
func (l *log) page() chat.Page {
	c := l.header.consultation()
	c.Patient = l.people[c.Patient.UserID]
	reads := map[consultation.UserID]chat.ReadMark{}
	keep := func(id consultation.UserID) {
		if mark, ok := l.reads[id]; ok {
			reads[id] = mark
		}
	}
	keep(c.Patient.UserID)
	if c.Student != nil {
		*c.Student = l.people[c.Student.UserID]
		keep(c.Student.UserID)
	}
	for i := range l.messages {
		m := &l.messages[i]
		m.ConsultationID = c.ID
		m.Sender = l.people[m.SenderID]
	}
	return chat.Page{Consultation: c, Reads: reads, Messages: l.messages}
}

// newest is the page for messages that were read backwards from its end, one more than it has room for.
func (l *log) newest(limit int) chat.Page {
	slices.SortFunc(l.messages, func(a, b chat.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	page := l.page()
	if extra := len(page.Messages) - limit; extra > 0 {
		page.Messages, page.HasMore = page.Messages[extra:], true
	}
	return page
}
