package httpadapter

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// page is the answer to GET of a consultation. The lists are never null.
type page struct {
	Consultation consultation.Consultation             `json:"consultation"`
	Messages     []chat.Message                        `json:"messages"`
	HasMore      bool                                  `json:"hasMore"`
	Rev          int64                                 `json:"rev"`
	Epoch        string                                `json:"epoch"`
	Read         map[consultation.UserID]chat.ReadMark `json:"read"`
	Transport    connection                            `json:"transport"`
	// NextSince and Reset belong to the answer to since.
	NextSince *int64 `json:"nextSince,omitempty"`
	Reset     bool   `json:"reset,omitempty"`
}

// showConsultation answers the newest page, an older one (before), or what has changed (since), each with the header of
// the consultation from the same snapshot.
func (h *Handler) showConsultation(c *call) error {
	q, err := parseQuery(c.r)
	if err != nil {
		return err
	}
	before, older, err := q.number("before", 1)
	if err != nil {
		return err
	}
	since, catchUp, err := q.number("since", 0)
	if err != nil {
		return err
	}
	epoch, err := q.text("epoch")
	if err != nil {
		return err
	}
	limit, err := q.limit()
	if err != nil {
		return err
	}
	id := consultation.ID(c.value)
	switch {
	case older && catchUp:
		return invalid("before", "must not be given together with since")
	case catchUp:
		p := chat.ChangesParams{ConsultationID: id, Viewer: c.who.UserID, Since: since, Epoch: epoch, Limit: limit}
		changes, err := inTurn(c.r.Context(), h.admission, func() (chat.Changes, error) {
			return h.cfg.Chat.Changes(c.r.Context(), p)
		})
		if err != nil {
			return err
		}
		out := h.page(changes.Page)
		out.NextSince, out.Reset = &changes.NextSince, changes.Reset
		return answerPage(c, changes.Page, out)
	}
	p := chat.HistoryParams{ConsultationID: id, Viewer: c.who.UserID, Before: before, Limit: limit}
	history, err := inTurn(c.r.Context(), h.admission, func() (chat.Page, error) {
		return h.cfg.Chat.History(c.r.Context(), p)
	})
	if err != nil {
		return err
	}
	return answerPage(c, history, h.page(history))
}

func (h *Handler) page(p chat.Page) page {
	if p.Messages == nil {
		p.Messages = []chat.Message{}
	}
	if p.Reads == nil {
		p.Reads = map[consultation.UserID]chat.ReadMark{}
	}
	return page{
		Consultation: p.Consultation, Messages: p.Messages, HasMore: p.HasMore, Rev: p.Consultation.Rev, Epoch: p.Epoch,
		Read: p.Reads, Transport: h.cfg.Transport.connection(p.Consultation),
	}
}

// answerPage writes the page, or 304 if the client has it already.
func answerPage(c *call, snapshot chat.Page, out page) error {
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("httpadapter: encode: %w", err)
	}
	tag := pageTag(snapshot, body)
	c.w.Header().Set("ETag", tag)
	if !noneMatch(c.r.Header, tag) {
		write(c.w, http.StatusNotModified, "", nil)
		return nil
	}
	write(c.w, http.StatusOK, typeJSON, body)
	return nil
}
