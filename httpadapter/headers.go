package httpadapter

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/realtime"
)

// one returns the value of a header that may be given once at most.
func one(h http.Header, name string) (value string, given bool, err error) {
	switch values := h.Values(name); len(values) {
	case 0:
		return "", false, nil
	case 1:
		return values[0], true, nil
	}
	return "", true, invalid(name, "must be given once")
}

// ifMatch returns the rev that the client has seen, 0 for any.
func ifMatch(h http.Header) (int64, error) {
	value, given, err := one(h, "If-Match")
	if err != nil || !given || value == "*" {
		return 0, err
	}
	rev, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
	if err != nil || rev < 1 || value != messageTag(rev) {
		return 0, invalid("If-Match", "must be the ETag of the message: its rev in quotes")
	}
	return rev, nil
}

// messageTag is the ETag of a message.
func messageTag(rev int64) string { return `"` + strconv.FormatInt(rev, 10) + `"` }

// pageTag is the ETag of a page: the rev and the read marks of its snapshot, and a hash of the answer itself. The hash
// covers what the numbers do not: another transport after a restart, and another epoch of the store.
func pageTag(p chat.Page, body []byte) string {
	var read int64
	for _, mark := range p.Reads {
		read += mark.Seq
	}
	hash := fnv.New64a()
	_, _ = hash.Write(body)
	return `"` + strconv.FormatInt(p.Consultation.Rev, 10) + "-" + strconv.FormatInt(read, 10) +
		"-" + strconv.FormatUint(hash.Sum64(), 36) + `"`
}

// noneMatch reports whether If-None-Match lets the answer with this tag through (RFC 9110, 13.1.2: weak comparison).
func noneMatch(h http.Header, tag string) bool {
	for _, line := range h.Values("If-None-Match") {
		for candidate := range strings.SplitSeq(line, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return false
			}
		}
	}
	return true
}

// clientMessageID returns the key of a repeatable send, from the body or from Idempotency-Key.
func clientMessageID(h http.Header, o object) (string, error) {
	const name = "clientMessageId"
	key, err := o.text(name)
	if err != nil {
		return "", err
	}
	value, err := idempotencyKey(h)
	switch {
	case err != nil:
		return "", err
	case value == "":
		return key, nil
	case key != "" && key != value:
		return "", invalid(name, "must be the same as Idempotency-Key")
	}
	return value, nil
}

// idempotencyKey returns the value of the header Idempotency-Key, which may have quotes
// (draft-ietf-httpapi-idempotency-key-header), and "" without the header. A header without a value is refused, because a
// client that sends it relies on repeating being safe.
func idempotencyKey(h http.Header) (string, error) {
	const name = "Idempotency-Key"
	value, given, err := one(h, name)
	if err != nil || !given {
		return "", err
	}
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	if value == "" {
		return "", invalid(name, "must not be empty")
	}
	return value, nil
}

// except returns the connection that needs no event, from the body or from X-Socket-ID; "" is none. Of two the one in the
// body counts. The id is only a hint, and front ends send "undefined" and the like before they are connected, so
// anything but a socket id is ignored.
func except(h http.Header, o object) realtime.SocketID {
	inBody, _ := o.text("socketId")
	for _, s := range append([]string{inBody}, h.Values("X-Socket-ID")...) {
		if id, err := realtime.ParseSocketID(s); err == nil {
			return id
		}
	}
	return ""
}
