package httpadapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/murph-chat/murph/consultation"
)

// The media types that bodies come in.
const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// invalid is the error for a bad input, which is never repeated in it.
func invalid(field, reason string) error {
	return &consultation.InvalidError{Field: field, Reason: reason}
}

// mediaType returns the type of the body, "" for one that is unreadable, compressed or not in UTF-8.
func mediaType(r *http.Request) string {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Header.Get("Content-Encoding") != "" {
		return ""
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return t
}

// readBody reads the whole body, up to limit bytes.
func readBody(c *call, limit int64) ([]byte, error) {
	if c.r.ContentLength > limit {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, os.ErrDeadlineExceeded): // first, because it cancels the request's context too
		return nil, errSlowBody
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case c.r.Context().Err() != nil:
		return nil, fmt.Errorf("httpadapter: read body: %w", c.r.Context().Err())
	}
	return nil, invalid("body", "must be complete")
}

// promptBody is the time within which a body arrives without another question to the host: a client that holds back the
// body must not outlast its user's suspension.
const promptBody = time.Second

// object is the members of a JSON object, unparsed. Names are exact: encoding/json alone would also take "CONTENT" for
// "content", and the last of two.
type object map[string]json.RawMessage

// readObject reads the body, which must be one JSON object in valid UTF-8 without a name twice. encoding/json by itself
// replaces invalid bytes and ignores what follows the object.
func (h *Handler) readObject(c *call) (object, error) {
	if mediaType(c.r) != typeJSON {
		return nil, errMediaType
	}
	begun := time.Now()
	body, err := readBody(c, h.cfg.MaxRequestBytes)
	if err != nil {
		return nil, err
	}
	if time.Since(begun) > promptBody {
		if err := h.authenticateAgain(c); err != nil {
			return nil, err
		}
	}
	return parseObject(body)
}

func parseObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, invalid("body", "must be valid UTF-8")
	}
	bad := invalid("body", "must be one JSON object")
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, bad
	}
	o := object{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, bad
		}
		if _, twice := o[name]; twice {
			return nil, invalid("body", "must not have a name twice")
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, bad
		}
		o[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, bad
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, bad
	}
	return o, nil
}

// has reports whether the member is there and not null.
func (o object) has(name string) bool {
	value, ok := o[name]
	return ok && string(value) != "null"
}

// text returns a string, "" if it is absent or null.
func (o object) text(name string) (string, error) {
	if !o.has(name) {
		return "", nil
	}
	var s string
	if json.Unmarshal(o[name], &s) != nil {
		return "", invalid(name, "must be a string")
	}
	if hasLoneSurrogate(o[name]) {
		return "", invalid(name, "must be valid UTF-8")
	}
	return s, nil
}

// number returns a whole number.
func (o object) number(name string) (int64, error) {
	var n int64
	if !o.has(name) || json.Unmarshal(o[name], &n) != nil {
		return 0, invalid(name, "must be a whole number")
	}
	return n, nil
}

// hasLoneSurrogate reports whether a JSON string has an escape that is half a character. encoding/json replaces such
// halves, so that another text would be stored than the one that was sent.
func hasLoneSurrogate(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return false
		}
		first, ok := escape(s[i:])
		if !ok { // an escape of two bytes
			s = s[i+2:]
			continue
		}
		s = s[i+6:]
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, _ := escape(s)
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		s = s[6:]
	}
}

// escape returns the code unit if s, from a valid JSON string, begins with an escape of four digits, as in \u00e9.
func escape(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
