package chat

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/murph-chat/murph/consultation"
)

// MessageID names a message. The library makes UUIDv7. It is an identity only: never sort or page by it.
type MessageID string

// Message is one message as it stands now. Its JSON form is what the HTTP interface answers and what a new-message
// event carries.
type Message struct {
	ID             MessageID           `json:"id"`             // never changes
	ConsultationID consultation.ID     `json:"consultationId"` // where it was written
	SenderID       consultation.UserID `json:"senderId"`       // who wrote it
	// Content is plain text; "" once the message is deleted.
	Content   string                   `json:"content"`
	CreatedAt time.Time                `json:"createdAt"` // for display only: UTC, microseconds, by the store's clock
	Sender    consultation.Participant `json:"sender"`
	// Seq is the place in the consultation: the order of display and the cursor of the history. It never changes.
	Seq int64 `json:"seq"`
	// Rev is the version: the consultation's counter at the last change. It starts as Seq.
	Rev int64 `json:"rev"`
	// ClientMessageID is the key under which the sender may repeat the send, or "".
	ClientMessageID string     `json:"clientMessageId,omitempty"`
	EditedAt        *time.Time `json:"editedAt,omitempty"`
	DeletedAt       *time.Time `json:"deletedAt,omitempty"`
}

// Deleted reports whether only the tombstone is left.
func (m *Message) Deleted() bool { return m.DeletedAt != nil }

// MarshalJSON writes times as [consultation.FormatTime] does.
func (m Message) MarshalJSON() ([]byte, error) {
	type plain Message
	return json.Marshal(struct {
		plain
		CreatedAt string `json:"createdAt"`
		EditedAt  string `json:"editedAt,omitempty"`
		DeletedAt string `json:"deletedAt,omitempty"`
	}{plain(m), consultation.FormatTime(m.CreatedAt), formatOptional(m.EditedAt), formatOptional(m.DeletedAt)})
}

// LogValue shows ids and sizes, never the content.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", string(m.ID)),
		slog.String("consultation_id", string(m.ConsultationID)),
		slog.Int64("seq", m.Seq),
		slog.Int64("rev", m.Rev),
		slog.Int("bytes", len(m.Content)),
	)
}

func formatOptional(t *time.Time) string {
	if t == nil {
		return ""
	}
	return consultation.FormatTime(*t)
}

// ReadMark says up to where somebody has read.
type ReadMark struct {
	Seq int64     `json:"seq"` // of the last message that was read
	At  time.Time `json:"at"`  // by the store's clock
}

// MarshalJSON writes the time as [consultation.FormatTime] does.
func (r ReadMark) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Seq int64  `json:"seq"`
		At  string `json:"at"`
	}{r.Seq, consultation.FormatTime(r.At)})
}
