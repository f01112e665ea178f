package httpadapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// problem is the body of every refusal (RFC 9457). The type is about:blank, so the title is the status in words; code
// is what tells refusals apart.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
	// Error is a sentence for the user, in their language, or the host's own reason.
	Error string `json:"error"`

	Field              string              `json:"field,omitempty"`
	ConsultationStatus consultation.Status `json:"consultationStatus,omitempty"`
	Rev                int64               `json:"rev,omitempty"`
}

// writeProblem answers with f, and with what err knows besides.
func writeProblem(c *call, f failure, err error) {
	p := problem{Type: "about:blank", Title: http.StatusText(f.status), Status: f.status, Detail: f.detail, Code: f.code}
	var (
		invalid   *consultation.InvalidError
		notActive *consultation.NotActiveError
		conflict  *consultation.ConflictError
		stale     *chat.StaleError
		refused   *chat.RefusedError
		limited   *chat.RateLimitError
	)
	lang := language(c.r.Header.Values("Accept-Language"))
	p.Error = sentence(f.code, "", lang)
	switch {
	case f.code == CodeValidation && errors.As(err, &invalid):
		p.Field = invalid.Field
		p.Error = sentence(f.code, p.Field, lang)
	case errors.Is(err, consultation.ErrKeyReused):
		p.Error = keyReused.in(lang)
	case errors.As(err, &notActive):
		p.ConsultationStatus = notActive.Status
	case errors.As(err, &conflict):
		p.ConsultationStatus = conflict.Status
	case errors.As(err, &stale):
		p.Rev = stale.Rev
	case errors.As(err, &refused) && refused.Reason != "":
		p.Error = refused.Reason
	case errors.As(err, &limited):
		seconds := max(1, (limited.RetryAfter+time.Second-1)/time.Second) // whole ones (RFC 9110, 10.2.3)
		c.w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	switch {
	case errors.Is(err, errCrowded):
		c.w.Header().Set("Retry-After", retryAfter())
	case f.status == http.StatusServiceUnavailable:
		c.w.Header().Set("Retry-After", "1")
	}
	body, _ := json.Marshal(p) // strings and numbers encode
	write(c.w, f.status, "application/problem+json", body)
}

// answer writes v as JSON. An error means that nothing has been written.
func answer(c *call, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("httpadapter: encode: %w", err)
	}
	write(c.w, status, "application/json", body)
	return nil
}

// write sends the whole answer. It is about a person in nearly every case, and a shared cache must not keep it in any.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if body != nil {
		header.Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever does not get the answer asks again
}
