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
	l, err := s.readLog(ctx, l, s.engine.reads().history, args)
	if err != nil {
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
	args := []any{string(p.ConsultationID), string(p.Viewer), p.Since, p.MaxBehind, int64(p.Limit) + 1, p.Epoch}
	l, err := s.readLog(ctx, l, s.engine.reads().changes, args)
	if err != nil {
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
	kindEpoch
)

// log collects the rows of a statement that reads a consultation's header, the people who are or were in it, and some of
// its messages. The people come once, not with each message.
type log struct {
	viewer   consultation.UserID
	header   header
	epoch    string
	xid      int64 // see horizon; 0 on SQLite
	reset    bool
	people   map[consultation.UserID]consultation.Participant
	reads    map[consultation.UserID]chat.ReadMark
	messages []chat.Message
	line     line // the row that is being read, here so that it is allocated once
}

// line is a row of one of the statements. What its columns mean depends on the kind; see pgHistory.
type line struct {
	kind          int
	a, b, c, d, e sql.NullString
	n, o, p       sql.NullInt64
	t, u, v       stamp
}

// scan reads one row.
func (l *log) scan(rows *sql.Rows) error {
	r := &l.line
	if err := rows.Scan(&r.kind, &r.a, &r.b, &r.c, &r.d, &r.e, &r.n, &r.o, &r.p, &r.t, &r.u, &r.v); err != nil {
		return err
	}
	switch r.kind {
	case kindHeader:
		l.header = header{id: r.a, status: r.b, topic: r.c, rev: r.n, audience: r.p, created: r.t, updated: r.u}
		l.header.patient.id, l.header.student.id = r.d, r.e
		l.reset = r.o.Int64 != 0
	case kindPerson:
		if l.people == nil {
			l.people = map[consultation.UserID]consultation.Participant{}
			l.reads = map[consultation.UserID]chat.ReadMark{}
		}
		p := person{id: r.a, role: r.b, first: r.c, last: r.d, image: r.e}
		who := p.participant()
		l.people[who.UserID] = who
		if r.t.valid {
			l.reads[who.UserID] = chat.ReadMark{Seq: r.n.Int64, At: r.t.Time}
		}
	case kindMessage:
		m := text{id: r.a, content: r.b, client: r.c, seq: r.n, rev: r.o, created: r.t, edited: r.u, deleted: r.v}
		m.sender.id = r.d
		l.messages = append(l.messages, m.message(""))
	case kindEpoch:
		l.epoch, l.xid = r.a.String, r.n.Int64
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
	return chat.Page{Consultation: c, Epoch: l.epoch, Reads: reads, Messages: l.messages}
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
