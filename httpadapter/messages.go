package httpadapter

import (
	"context"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// sendMessage stores a message: 201 for a new one, 200 for one that was stored before under the same key.
func (h *Handler) sendMessage(c *call) error {
	in, err := h.readObject(c)
	if err != nil {
		return err
	}
	id, err := in.text("consultationId")
	if err != nil {
		return err
	}
	p := chat.SendParams{ConsultationID: consultation.ID(id), SenderID: c.who.UserID}
	if p.Content, err = in.text("content"); err != nil {
		return err
	}
	if p.ClientMessageID, err = clientMessageID(c.r.Header, in); err != nil {
		return err
	}
	p.Except = except(c.r.Header, in)
	sent, err := inQueue(c, h, p.ConsultationID, func(ctx context.Context) (chat.Sent, error) {
		return h.cfg.Chat.Send(ctx, p)
	})
	if err != nil {
		return err
	}
	if sent.Replayed {
		c.w.Header().Set("Idempotency-Replayed", "true")
		return answerMessage(c, http.StatusOK, sent.Message)
	}
	return answerMessage(c, http.StatusCreated, sent.Message)
}

// editMessage replaces the text of the caller's own message.
func (h *Handler) editMessage(c *call) error {
	in, err := h.readObject(c)
	if err != nil {
		return err
	}
	content, err := in.text("content")
	if err != nil {
		return err
	}
	p, err := ownMessageParams(c, in)
	if err != nil {
		return err
	}
	m, err := inQueue(c, h, "", func(ctx context.Context) (chat.Message, error) {
		return h.cfg.Chat.Edit(ctx, p, content)
	})
	if err != nil {
		return err
	}
	return answerMessage(c, http.StatusOK, m)
}

// deleteMessage leaves a tombstone of the caller's own message. A body is not read.
func (h *Handler) deleteMessage(c *call) error {
	p, err := ownMessageParams(c, nil)
	if err != nil {
		return err
	}
	m, err := inQueue(c, h, "", func(ctx context.Context) (chat.Message, error) {
		return h.cfg.Chat.Delete(ctx, p)
	})
	if err != nil {
		return err
	}
	return answerMessage(c, http.StatusOK, m)
}

func ownMessageParams(c *call, in object) (chat.OwnMessageParams, error) {
	p := chat.OwnMessageParams{ID: chat.MessageID(c.value), By: c.who.UserID, Except: except(c.r.Header, in)}
	var err error
	p.IfRev, err = ifMatch(c.r.Header)
	return p, err
}

// answerMessage writes a message with its version as the ETag that a later change may name.
func answerMessage(c *call, status int, m chat.Message) error {
	c.w.Header().Set("ETag", messageTag(m.Rev))
	return answer(c, status, m)
}
