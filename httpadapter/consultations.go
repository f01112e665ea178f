package httpadapter

import (
	"context"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// listed is a consultation in a list.
type listed struct {
	fields
	CreatedAt   string        `json:"createdAt"`
	UpdatedAt   string        `json:"updatedAt"`
	Unread      int           `json:"unread"`
	LastMessage *chat.Message `json:"lastMessage,omitempty"`
}

// fields is a consultation without its MarshalJSON, which would hide what is beside it.
type fields consultation.Consultation

// list is the answer to GET of the consultations.
type list struct {
	Consultations []listed `json:"consultations"`
	NextCursor    string   `json:"nextCursor,omitempty"`
	Epoch         string   `json:"epoch"`
}

// listConsultations answers the caller's consultations, or the open requests to a student who asks for REQUESTED.
func (h *Handler) listConsultations(c *call) error {
	q, err := parseQuery(c.r)
	if err != nil {
		return err
	}
	status, err := q.text("status")
	if err != nil {
		return err
	}
	cursor, err := q.text("cursor")
	if err != nil {
		return err
	}
	p := chat.InboxParams{Status: consultation.Status(status)}
	p.OpenRequests = p.Status == consultation.StatusRequested && c.who.Role == consultation.RoleStudent
	if p.After, err = chat.ParseInboxCursor(cursor); err != nil {
		return err
	}
	if p.Limit, err = q.limit(); err != nil {
		return err
	}
	var next chat.InboxCursor
	page, err := inTurn(c.r.Context(), h.admission, func() (page chat.InboxPage, err error) {
		if !p.OpenRequests {
			return h.cfg.Chat.Inbox(c.r.Context(), c.who, p)
		}
		page, next, err = h.cfg.Chat.OpenRequests(c.r.Context(), c.who, p, func(ctx context.Context, id consultation.ID) (bool, error) {
			return h.cfg.Consultations.MayList(ctx, c.who, id)
		})
		return page, err
	})
	if err != nil {
		return err
	}
	out := list{Consultations: make([]listed, 0, len(page.Items)), Epoch: page.Epoch}
	for _, it := range page.Items {
		out.Consultations = append(out.Consultations, listed{
			fields:      fields(it.Consultation),
			CreatedAt:   consultation.FormatTime(it.Consultation.CreatedAt),
			UpdatedAt:   consultation.FormatTime(it.Consultation.UpdatedAt),
			Unread:      it.Unread,
			LastMessage: it.Last,
		})
		if page.HasMore && !p.OpenRequests {
			next = it.Cursor
		}
	}
	out.NextCursor = next.String()
	return answer(c, http.StatusOK, out)
}

// requestConsultation stores a consultation that the caller, a patient, asks for: 201 for a new one, 200 for one that was
// stored before under the same key.
func (h *Handler) requestConsultation(c *call) error {
	in, err := h.readObject(c)
	if err != nil {
		return err
	}
	topic, err := in.text("topic")
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c.r.Header)
	if err != nil {
		return err
	}
	p := consultation.RequestParams{Topic: topic, Patient: c.who}
	replayed := false
	made, err := inQueue(c, h, "", func(ctx context.Context) (made consultation.Consultation, err error) {
		made, replayed, err = h.cfg.Consultations.RequestOnce(ctx, p, key)
		return made, err
	})
	if err != nil {
		return err
	}
	if replayed {
		c.w.Header().Set("Idempotency-Replayed", "true")
		return answer(c, http.StatusOK, made)
	}
	return answer(c, http.StatusCreated, made)
}

// changeConsultation accepts, completes or cancels, depending on the status that is asked for.
func (h *Handler) changeConsultation(c *call) error {
	in, err := h.readObject(c)
	if err != nil {
		return err
	}
	status, err := in.text("status")
	if err != nil {
		return err
	}
	if status == "" { // which the service takes for a reassignment
		return invalid("status", "must be IN_PROGRESS, COMPLETED or CANCELLED")
	}
	p := consultation.TransitionParams{
		ID: consultation.ID(c.value), By: consultation.Person(c.who), Except: except(c.r.Header, in),
	}
	changed, err := inQueue(c, h, p.ID, func(ctx context.Context) (consultation.Consultation, error) {
		return h.cfg.Consultations.Transition(ctx, consultation.Status(status), p)
	})
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, changed)
}

// markRead moves the caller's read mark and answers the mark in force.
func (h *Handler) markRead(c *call) error {
	in, err := h.readObject(c)
	if err != nil {
		return err
	}
	seq, err := in.number("seq")
	if err != nil {
		return err
	}
	p := chat.ReadParams{ConsultationID: consultation.ID(c.value), Reader: c.who.UserID, Seq: seq}
	mark, err := inQueue(c, h, p.ConsultationID, func(ctx context.Context) (chat.ReadMark, error) {
		return h.cfg.Chat.MarkRead(ctx, p)
	})
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, mark)
}
