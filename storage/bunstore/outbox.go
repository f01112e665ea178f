package bunstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Claim implements [realtime.Outbox]. Among the entries whose time has come, those that have waited longest come first.
func (s *Store) Claim(ctx context.Context, p realtime.ClaimParams) (entries []realtime.Entry, err error) {
	if p.Limit <= 0 {
		return nil, nil
	}
	err = s.retry(ctx, func(ctx context.Context) (err error) {
		entries, err = s.engine.claim(ctx, s, p)
		return err
	})
	if err != nil {
		return nil, s.wrap(ctx, "claim outbox entries", err)
	}
	return entries, nil
}

// Ack implements [realtime.Outbox].
func (s *Store) Ack(ctx context.Context, ids ...int64) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.retry(ctx, func(ctx context.Context) error { return s.engine.ack(ctx, s, ids) })
	return s.wrap(ctx, "acknowledge outbox entries", err)
}

// AckThrough implements [realtime.Outbox]. The entries of a consultation are those of [consultation.Channel]; to any other
// channel there are none.
func (s *Store) AckThrough(ctx context.Context, ch realtime.Channel, rev int64) error {
	name, ok := consultation.FromChannel(string(ch))
	if !ok || name.Kind != realtime.KindPrivate {
		return nil
	}
	err := s.retry(ctx, func(ctx context.Context) error { return s.engine.ackThrough(ctx, s, name.ID, rev) })
	return s.wrap(ctx, "acknowledge outbox entries of a channel", err)
}

// maxReason is the longest reason in bytes that is kept with a parked entry.
const maxReason = 500

// Nack implements [realtime.Outbox]. Of the reason the first 500 bytes are kept.
func (s *Store) Nack(ctx context.Context, p realtime.NackParams) error {
	if len(p.IDs) == 0 {
		return nil
	}
	if len(p.Reason) > maxReason {
		p.Reason = p.Reason[:maxReason]
	}
	// The text of somebody's error may hold what a text column cannot.
	p.Reason = strings.ReplaceAll(strings.ToValidUTF8(p.Reason, string(utf8.RuneError)), "\x00", "")
	err := s.retry(ctx, func(ctx context.Context) error { return s.engine.nack(ctx, s, p) })
	return s.wrap(ctx, "return outbox entries", err)
}

// Purge implements [realtime.Outbox]. It reads the whole outbox.
func (s *Store) Purge(ctx context.Context, p realtime.PurgeParams) (n int64, err error) {
	err = s.retry(ctx, func(ctx context.Context) (err error) {
		n, err = s.engine.purge(ctx, s, p)
		return err
	})
	return n, s.wrap(ctx, "purge outbox", err)
}

// Backlog implements [realtime.Outbox]. It reads the whole outbox, which is small as long as events go out.
func (s *Store) Backlog(ctx context.Context) (realtime.Backlog, error) {
	b, err := s.engine.backlog(ctx, s)
	return b, s.wrap(ctx, "read outbox backlog", err)
}

// claimed is a row of a statement that reads claimed entries.
type claimed struct {
	id, rev, attempts, age      int64
	event, consultation, socket string
	messageID, status           sql.NullString
	header                      header
	message                     text
}

// claimedColumns reads o, murph_outbox, after its id; claimedJoins adds what its entries refer to. The age in
// microseconds stands between them, because each database computes it differently.
const (
	claimedColumns = `o.id, o.rev, o.attempts, o.event, o.consultation_id, o.socket_id, o.message_id, o.status, ` +
		headerColumns + `, ` + textColumns
	claimedJoins = ` LEFT JOIN murph_consultations c ON c.id = o.consultation_id` + headerPeople +
		` LEFT JOIN murph_messages m ON m.id = o.message_id` + textSender
)

func (r *claimed) scan(rows *sql.Rows) error {
	dest := []any{
		&r.age, &r.id, &r.rev, &r.attempts, &r.event, &r.consultation, &r.socket, &r.messageID, &r.status,
	}
	return rows.Scan(append(append(dest, r.header.dest()...), r.message.dest()...)...)
}

// entry builds the event from the rows as they are now. A reference that this version does not understand, such as one
// that a newer version has written, becomes a resync-required, so that it does not stay for ever.
func (s *Store) entry(ctx context.Context, r *claimed) (realtime.Entry, error) {
	ref := chat.Reference{
		Event:          r.event,
		ConsultationID: consultation.ID(r.consultation),
		Rev:            r.rev,
		MessageID:      chat.MessageID(r.messageID.String),
		Except:         realtime.SocketID(r.socket),
	}
	var c *consultation.Consultation
	if r.header.id.Valid {
		found := r.header.consultation()
		c = &found
	}
	var m *chat.Message
	if r.message.id.Valid {
		found := r.message.message(ref.ConsultationID)
		m = &found
	}
	var err error
	if r.status.Valid {
		ref.Status = new(consultation.StatusUpdate)
		err = json.Unmarshal([]byte(r.status.String), ref.Status)
	}
	age := time.Duration(max(0, r.age)) * time.Microsecond
	var entry realtime.Entry
	if err == nil {
		entry, err = ref.Entry(r.id, int(r.attempts), age, c, m)
	}
	if err == nil {
		return entry, nil
	}
	s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "outbox entry not understood, clients are told to catch up instead",
		slog.Int64("entry_id", r.id), slog.String("event", r.event), slog.Any("err", err))
	ref.Event, ref.Status = chat.EventResyncRequired, nil
	entry, err = ref.Entry(r.id, int(r.attempts), age, c, m)
	if err != nil {
		return realtime.Entry{}, fmt.Errorf("bunstore: build outbox entry: %w", err)
	}
	return entry, nil
}
