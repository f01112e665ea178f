package bunstore

import (
	"context"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// sqlitePrior. ?1 consultation, ?2 sender, ?3 key. Plan: murph_messages_key.
const sqlitePrior = `SELECT ` + textColumns + ` FROM murph_messages m` + textSender + `
WHERE m.consultation_id = ?1 AND m.sender_id = ?2 AND m.client_id = ?3`

// sqliteRaise. ?1 consultation, ?2 rev, ?3 time of a message, NULL for what is no activity.
const sqliteRaise = `UPDATE murph_consultations SET rev = ?2, active_at = coalesce(?3, active_at) WHERE id = ?1`

// sqliteInsert. ?1 id, ?2 consultation, ?3 seq and rev, ?4 sender, ?5 key, ?6 content, ?7 now.
const sqliteInsert = `
INSERT INTO murph_messages (id, consultation_id, seq, rev, sender_id, client_id, content, created_at)
VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)`

// sqliteMessage. ?1 id. Primary keys only.
const sqliteMessage = `SELECT ` + textColumns + ` FROM murph_messages m` + textSender + ` WHERE m.id = ?1`

// sqliteSaveMessage. ?1 id, ?2 rev, ?3 content, ?4 edited, ?5 deleted.
const sqliteSaveMessage = `UPDATE murph_messages SET rev = ?2, content = ?3, edited_at = ?4, deleted_at = ?5 WHERE id = ?1`

func (e sqlite) append(ctx context.Context, s *Store, p chat.AppendParams) (done chat.Appended, err error) {
	err = e.transact(ctx, s, func(q conn) (bool, error) {
		c, err := e.lock(ctx, s, q, lockKey{consultation: p.ConsultationID})
		if err != nil {
			return false, err
		}
		if !c.found {
			return false, consultation.ErrNotFound
		}
		var prior *chat.Message
		if p.ClientMessageID != "" {
			var t text
			found, err := s.row(ctx, q, statement{"prior message", sqlitePrior},
				[]any{string(p.ConsultationID), string(p.SenderID), p.ClientMessageID}, t.dest()...)
			if err != nil {
				return false, err
			}
			if found {
				m := t.message(c.ID)
				prior = &m
			}
		}
		if done, err = p.Apply(c.Consultation, prior, c.now); err != nil || done.Replayed {
			return false, err
		}
		m := done.Message
		if m.Sender.Role == "" {
			return false, errNoDetails(c.ID, m.SenderID)
		}
		if err := s.exec(ctx, q, statement{"raise rev", sqliteRaise}, string(c.ID), m.Rev, e.at(m.CreatedAt)); err != nil {
			return false, err
		}
		err = s.exec(ctx, q, statement{"insert message", sqliteInsert},
			string(m.ID), string(c.ID), m.Seq, string(m.SenderID), nullable(m.ClientMessageID), m.Content, e.at(m.CreatedAt))
		if err != nil {
			return false, err
		}
		done.Entry, err = e.enqueueMessage(ctx, s, q, chat.EventNewMessage, m, p.Enqueue, c.now)
		return true, err
	})
	if err != nil {
		return chat.Appended{}, err
	}
	return done, nil
}

func (e sqlite) saveMessage(ctx context.Context, s *Store, q conn, m chat.Message, event string, enq *realtime.Enqueue, now time.Time) (int64, error) {
	if err := s.exec(ctx, q, statement{"raise rev", sqliteRaise}, string(m.ConsultationID), m.Rev, nil); err != nil {
		return 0, err
	}
	err := s.exec(ctx, q, statement{"save message", sqliteSaveMessage},
		string(m.ID), m.Rev, m.Content, optional(e, m.EditedAt), optional(e, m.DeletedAt))
	if err != nil {
		return 0, err
	}
	return e.enqueueMessage(ctx, s, q, event, m, enq, now)
}
