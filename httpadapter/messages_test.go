package httpadapter_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

const messages = "/api/nachrichten"

func TestSendAnswersTheMessageThatTheOthersGet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.events.Subscribe(consultation.Channel("demo", 1), "2.2")
	own := b.events.Subscribe(consultation.Channel("demo", 1), "1.1")

	got := b.do(t, "student-1", "POST", messages,
		`{"consultationId":"demo","content":"  Grüß Gott <b> \ud83d\ude00  ","clientMessageId":"k-1","socketId":"1.1","unknown":{"a":[1]}}`)

	require.Equal(t, 201, got.status, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	require.Equal(t, `"3"`, got.header.Get("ETag"))
	require.Empty(t, got.header.Get("Idempotency-Replayed"))
	require.NotEmpty(t, got.json["id"])
	created, err := time.Parse(time.RFC3339Nano, got.json["createdAt"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), created, time.Minute)
	require.Equal(t, map[string]any{
		"id": got.json["id"], "createdAt": got.json["createdAt"],
		"consultationId": "demo", "senderId": "student-1", "content": "Grüß Gott <b> 😀", "seq": 3.0, "rev": 3.0, "clientMessageId": "k-1",
		"sender": map[string]any{"id": "student-1", "role": "STUDENT", "firstName": "Sina", "lastName": "Sommer", "image": "/sina.png"},
	}, got.json)

	require.Len(t, other.Events(), 1)
	require.Equal(t, "new-message", other.Events()[0].Name)
	require.JSONEq(t, got.body, string(other.Events()[0].Data))
	require.Empty(t, own.Events(), "the connection that sent it needs no event")
}

func TestAKeyWithAnotherTextIsAConflict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"einmal","clientMessageId":"k-1"}`)
	require.Equal(t, 201, first.status, first.body)
	state := b.state(t)
	for range 2 {
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"zweimal"}`, "Idempotency-Key", "k-1")
		wantProblem(t, got, 409, httpadapter.CodeConflict)
		require.Empty(t, got.header.Get("Idempotency-Replayed"))
		require.NotContains(t, got.json, "consultationStatus")
		require.Equal(t, "Unter diesem Schlüssel wurde schon etwas anderes gesendet.", got.json["error"])
	}
	require.Equal(t, state, b.state(t))
}

func TestSendTakesTheSocketFromTheHeader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own := b.events.Subscribe(consultation.Channel("demo", 1), "1.1")
	for i, headers := range [][]string{{"X-Socket-ID", "1.1"}, {"X-Socket-ID", ""}} {
		got := b.do(t, "student-1", "POST", messages, `{"consultationId":"demo","content":"x"}`, headers...)
		require.Equal(t, 201, got.status, got.body)
		require.Len(t, own.Events(), i)
	}
}

// TestABadSocketIDIsIgnored makes each call that takes a socket id, with ids that front ends send by mistake.
func TestABadSocketIDIsIgnored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		member  string
		headers []string
		own     string // the connection that gets no event
	}{
		"undefined":         {`"undefined"`, []string{"X-Socket-ID", "undefined"}, ""},
		"null":              {`null`, []string{"X-Socket-ID", "null"}, ""},
		"the word null":     {`"null"`, []string{"X-Socket-ID", ""}, ""},
		"malformed":         {`"1.x"`, []string{"X-Socket-ID", "1.1.1"}, ""},
		"a number":          {`1.1`, nil, ""},
		"an object":         {`{"id":"1.1"}`, nil, ""},
		"half a character":  {`"\ud83d"`, nil, ""},
		"good in the body":  {`"1.1"`, []string{"X-Socket-ID", "undefined"}, "1.1"},
		"good in a header":  {`"undefined"`, []string{"X-Socket-ID", "1.1"}, "1.1"},
		"two":               {`"1.1"`, []string{"X-Socket-ID", "2.2"}, "1.1"},
		"two headers":       {`null`, []string{"X-Socket-ID", "undefined", "X-Socket-ID", "1.1"}, "1.1"},
		"two equal headers": {`null`, []string{"X-Socket-ID", "1.1", "X-Socket-ID", "1.1"}, "1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			with := func(members string) string { return `{` + members + `,"socketId":` + c.member + `}` }
			before := len(b.events.Events())
			sent := b.do(t, "patient-1", "POST", messages, with(`"consultationId":"demo","content":"x"`), c.headers...)
			require.Equal(t, 201, sent.status, sent.body)
			target := messages + "/" + sent.json["id"].(string)
			got := b.do(t, "patient-1", "PATCH", target, with(`"content":"y"`), c.headers...)
			require.Equal(t, 200, got.status, got.body)
			got = b.do(t, "student-1", "PATCH", consultations+"/demo", with(`"status":"COMPLETED"`), c.headers...)
			require.Equal(t, 200, got.status, got.body)
			events := b.events.Events()[before:]
			require.Len(t, events, 3)
			for _, ev := range events {
				require.EqualValues(t, c.own, ev.Except, ev.Name)
			}
		})
	}
}

func TestDeleteIgnoresABadSocketID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
	got := b.do(t, "patient-1", "DELETE", messages+"/"+sent.json["id"].(string), "", "X-Socket-ID", "undefined")
	require.Equal(t, 200, got.status, got.body)
}

func TestSendIsRepeatable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"consultationId":"demo","content":"einmal","clientMessageId":"k-1"}`
	first := b.do(t, "patient-1", "POST", messages, body)
	require.Equal(t, 201, first.status, first.body)
	events := len(b.events.Events())

	for name, again := range map[string][]string{
		"body":         {body},
		"header":       {`{"consultationId":"demo","content":"einmal"}`, "Idempotency-Key", "k-1"},
		"quoted":       {`{"consultationId":"demo","content":"einmal"}`, "Idempotency-Key", `"k-1"`},
		"both":         {body, "Idempotency-Key", "k-1"},
		"null in body": {`{"consultationId":"demo","content":"einmal","clientMessageId":null}`, "Idempotency-Key", "k-1"},
	} {
		got := b.do(t, "patient-1", "POST", messages, again[0], again[1:]...)
		require.Equal(t, 200, got.status, "%s: %s", name, got.body)
		require.Equal(t, "true", got.header.Get("Idempotency-Replayed"), name)
		require.Equal(t, first.body, got.body, name)
	}

	done := b.do(t, "student-1", "PATCH", "/api/beratungen/demo", `{"status":"COMPLETED"}`)
	require.Equal(t, 200, done.status, done.body)
	got := b.do(t, "patient-1", "POST", messages, body)
	require.Equal(t, 200, got.status, "a retry may come after the end: %s", got.body)
	require.Equal(t, events+1, len(b.events.Events()), "the status alone; a repeat sends no event")
}

// badBodies are refused by every route that takes JSON, before anything else in them is looked at.
var badBodies = map[string]string{
	"no body":           "",
	"blank":             " ",
	"not JSON":          `{"content":`,
	"no value":          `{"content"`,
	"no closing brace":  `{"content":"x"`,
	"bad name":          `{content:"x"}`,
	"array":             `[{"content":"x"}]`,
	"string":            `"content"`,
	"null":              `null`,
	"trailing object":   `{"content":"x","consultationId":"demo"}{}`,
	"trailing garbage":  `{"content":"x","consultationId":"demo"} x`,
	"twice the name":    `{"content":"x","consultationId":"demo","content":"y"}`,
	"twice, escaped":    `{"content":"x","consultationId":"demo","c\u006fntent":"y"}`,
	"invalid UTF-8":     "{\"content\":\"x\xff\",\"consultationId\":\"demo\"}",
	"invalid, not used": "{\"content\":\"x\",\"consultationId\":\"demo\",\"more\":\"\xc3\x28\"}",
	"byte order mark":   "\uFEFF" + `{"content":"x","consultationId":"demo"}`,
}

func TestBadBodiesWriteNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
	require.Equal(t, 201, sent.status)
	before := b.state(t)
	calls := b.store.calls.Load()
	huge := `{"consultationId":"demo","content":"x","more":"` + strings.Repeat("x", httpadapter.DefaultMaxRequestBytes) + `"}`
	for _, route := range [][2]string{
		{"POST", messages}, {"PATCH", messages + "/" + sent.json["id"].(string)}, {"POST", "/api/beratungen"},
		{"PATCH", "/api/beratungen/demo"}, {"POST", "/api/beratungen/demo/gelesen"},
	} {
		for name, body := range badBodies {
			got := b.do(t, "patient-1", route[0], route[1], body, "Content-Type", "application/json")
			wantProblem(t, got, 400, httpadapter.CodeValidation)
			require.Equal(t, "body", got.json["field"], "%s %s", route[1], name)
		}
		wantProblem(t, b.do(t, "patient-1", route[0], route[1], huge), 413, httpadapter.CodeTooLarge)
		wantProblem(t, b.do(t, "patient-1", route[0], route[1], `{}`), 400, httpadapter.CodeValidation)
		unknownLength := httptest.NewRequestWithContext(t.Context(), route[0], route[1], io.MultiReader(strings.NewReader(huge)))
		unknownLength.Header = http.Header{"Content-Type": {"application/json"}, "Test-User": {"patient-1"}}
		wantProblem(t, exchange(t, b, unknownLength), 413, httpadapter.CodeTooLarge)
		broken := httptest.NewRequestWithContext(t.Context(), route[0], route[1], iotest.ErrReader(io.ErrUnexpectedEOF))
		broken.Header = unknownLength.Header
		wantProblem(t, exchange(t, b, broken), 400, httpadapter.CodeValidation)
		broken.ContentLength = httpadapter.DefaultMaxRequestBytes + 1
		wantProblem(t, exchange(t, b, broken), 413, httpadapter.CodeTooLarge) // without waiting for it
		for _, contentType := range []string{
			"<none>", "text/plain", formType, "application/json; charset=latin1", "application/json;;", "multipart/form-data",
		} {
			got := b.do(t, "patient-1", route[0], route[1], `{"content":"x","consultationId":"demo"}`, "Content-Type", contentType)
			wantProblem(t, got, 415, httpadapter.CodeUnsupportedMediaType)
		}
		got := b.do(t, "patient-1", route[0], route[1], `{"content":"x"}`, "Content-Encoding", "gzip")
		wantProblem(t, got, 415, httpadapter.CodeUnsupportedMediaType)
	}
	require.Equal(t, before, b.state(t))
	require.Equal(t, calls, b.store.calls.Load(), "nothing reached the store")
}

func TestJSONWithCharsetIsTaken(t *testing.T) {
	t.Parallel()
	got := setup(t).do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`, "Content-Type", "application/json; charset=UTF-8")
	require.Equal(t, 201, got.status, got.body)
}

func TestBadMessagesWriteNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.state(t)
	body := func(content string) string {
		text, err := json.Marshal(map[string]string{"consultationId": "demo", "content": content})
		require.NoError(t, err)
		return string(text)
	}
	in := func(id string) string { return fmt.Sprintf(`{"consultationId":%q,"content":"canary"}`, id) }
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		name    string
		user    string
		body    string
		headers []string
		status  int
		code    httpadapter.Code
		extra   string // "field=x" or "consultationStatus=X"
	}{
		{"5,001 characters", "patient-1", body(strings.Repeat("ü", 5001)), nil, 400, "validation", "field=content"},
		{"empty", "patient-1", body(""), nil, 400, "validation", "field=content"},
		{"blank", "patient-1", body(" \n\t "), nil, 400, "validation", "field=content"},
		{"no content", "patient-1", `{"consultationId":"demo"}`, nil, 400, "validation", "field=content"},
		{"NUL", "patient-1", body("a\x00b"), nil, 400, "validation", "field=content"},
		{"half a character", "patient-1", `{"consultationId":"demo","content":"a\ud83db"}`, nil, 400, "validation", "field=content"},
		{"the other half", "patient-1", `{"consultationId":"demo","content":"\\\ude00"}`, nil, 400, "validation", "field=content"},
		{"two first halves", "patient-1", `{"consultationId":"demo","content":"\uD83D\uD83D"}`, nil, 400, "validation", "field=content"},
		{"number", "patient-1", `{"consultationId":"demo","content":5}`, nil, 400, "validation", "field=content"},
		{"other case", "patient-1", `{"consultationId":"demo","Content":"x"}`, nil, 400, "validation", "field=content"},
		{"no consultation", "patient-1", `{"content":"canary"}`, nil, 400, "validation", "field=consultationId"},
		{"number of consultation", "patient-1", `{"consultationId":1,"content":"canary"}`, nil, 400, "validation", "field=consultationId"},
		{"bad consultation", "patient-1", in("a/b"), nil, 400, "validation", "field=consultationId"},
		{"dots", "patient-1", in("a..b"), nil, 400, "validation", "field=consultationId"},
		{"long consultation", "patient-1", in(long), nil, 400, "validation", "field=consultationId"},
		{"bad key", "patient-1", `{"consultationId":"demo","content":"x","clientMessageId":"a b"}`, nil, 400, "validation", "field=clientMessageId"},
		{"long key", "patient-1", `{"consultationId":"demo","content":"x","clientMessageId":"` + long + `"}`, nil, 400, "validation", "field=clientMessageId"},
		{"key of a wrong type", "patient-1", `{"consultationId":"demo","content":"x","clientMessageId":7}`, nil, 400, "validation", "field=clientMessageId"},
		{"two keys", "patient-1", `{"consultationId":"demo","content":"x","clientMessageId":"a"}`, []string{"Idempotency-Key", "b"}, 400, "validation", "field=clientMessageId"},
		{"two headers", "patient-1", in("demo"), []string{"Idempotency-Key", "a", "Idempotency-Key", "a"}, 400, "validation", "field=Idempotency-Key"},
		{"empty header", "patient-1", in("demo"), []string{"Idempotency-Key", `""`}, 400, "validation", "field=Idempotency-Key"},
		{"no session", "", in("demo"), nil, 401, "unauthenticated", ""},
		{"nobody", "nobody", in("demo"), nil, 401, "unauthenticated", ""},
		{"unknown consultation", "patient-1", in("unknown"), nil, 404, "not_found", ""},
		{"stranger", "patient-2", in("demo"), nil, 404, "not_found", ""},
		{"other student", "student-2", in("demo"), nil, 404, "not_found", ""},
		{"requested", "patient-1", in("open"), nil, 409, "consultation_not_active", "consultationStatus=REQUESTED"},
		{"completed", "student-1", in("done"), nil, 409, "consultation_not_active", "consultationStatus=COMPLETED"},
		{"cancelled", "patient-1", in("off"), nil, 409, "consultation_not_active", "consultationStatus=CANCELLED"},
	} {
		got := b.do(t, c.user, "POST", messages, c.body, c.headers...)
		require.Equal(t, c.status, got.status, "%s: %s", c.name, got.body)
		wantProblem(t, got, c.status, c.code)
		if name, value, ok := strings.Cut(c.extra, "="); ok {
			require.Equal(t, value, got.json[name], c.name)
		}
		require.NotContains(t, got.body, "canary", c.name)
		require.Equal(t, before, b.state(t), c.name)
	}
	stranger := b.do(t, "patient-2", "POST", messages, in("demo"))
	require.Equal(t, b.do(t, "patient-2", "POST", messages, in("unknown")).body, stranger.body, "ids cannot be probed")
	require.NotContains(t, b.log.String(), "canary")
}

func TestLongestMessageFitsHoweverItIsEscaped(t *testing.T) {
	t.Parallel()
	got := setup(t).do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"`+strings.Repeat(`\ud83d\ude00`, 5000)+`"}`)
	require.Equal(t, 201, got.status, got.body)
	require.Equal(t, strings.Repeat("😀", 5000), got.json["content"])
}

func TestEditAndDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"alt"}`)
	target := messages + "/" + first.json["id"].(string)
	other := b.events.Subscribe(consultation.Channel("demo", 1), "2.2")
	own := b.events.Subscribe(consultation.Channel("demo", 1), "1.1")

	edited := b.do(t, "patient-1", "PATCH", target, `{"content":"neu","socketId":"1.1"}`, "If-Match", first.header.Get("ETag"))
	require.Equal(t, 200, edited.status, edited.body)
	require.Equal(t, "neu", edited.json["content"])
	require.Equal(t, `"4"`, edited.header.Get("ETag"))
	require.NotEmpty(t, edited.json["editedAt"])

	state := b.state(t)
	stale := b.do(t, "patient-1", "PATCH", target, `{"content":"neuer"}`, "If-Match", first.header.Get("ETag"))
	wantProblem(t, stale, 412, httpadapter.CodeStale)
	require.EqualValues(t, 4, stale.json["rev"])
	wantProblem(t, b.do(t, "patient-1", "DELETE", target, "", "If-Match", `"3"`), 412, httpadapter.CodeStale)
	wantProblem(t, b.do(t, "student-1", "PATCH", target, `{"content":"x"}`), 403, httpadapter.CodeForbidden)
	wantProblem(t, b.do(t, "student-1", "DELETE", target, ""), 403, httpadapter.CodeForbidden)
	wantProblem(t, b.do(t, "patient-2", "PATCH", target, `{"content":"x"}`), 404, httpadapter.CodeNotFound)
	wantProblem(t, b.do(t, "patient-1", "PATCH", messages+"/unknown", `{"content":"x"}`), 404, httpadapter.CodeNotFound)
	wantProblem(t, b.do(t, "patient-1", "DELETE", messages+"/a..b", ""), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "PATCH", target, `{"content":" "}`), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "PATCH", target, `{"content":7}`), 400, httpadapter.CodeValidation)
	for _, tag := range []string{"4", `W/"4"`, `"04"`, `"0"`, `"-4"`, `"x"`, `"4", "5"`, `""4""`, ""} {
		got := b.do(t, "patient-1", "PATCH", target, `{"content":"x"}`, "If-Match", tag)
		wantProblem(t, got, 400, httpadapter.CodeValidation)
		require.Equal(t, "If-Match", got.json["field"], tag)
	}
	got := b.do(t, "patient-1", "DELETE", target, "", "If-Match", `"4"`, "If-Match", `"4"`)
	wantProblem(t, got, 400, httpadapter.CodeValidation)
	require.Equal(t, state, b.state(t))

	gone := b.do(t, "patient-1", "DELETE", target, "", "If-Match", "*", "X-Socket-ID", "1.1")
	require.Equal(t, 200, gone.status, gone.body)
	require.Equal(t, "", gone.json["content"])
	require.NotEmpty(t, gone.json["deletedAt"])
	again := b.do(t, "patient-1", "DELETE", target, "")
	require.Equal(t, 200, again.status, again.body)
	require.Equal(t, gone.body, again.body)
	wantProblem(t, b.do(t, "patient-1", "PATCH", target, `{"content":"x"}`), 409, httpadapter.CodeMessageDeleted)

	var names []string
	for _, ev := range other.Events() {
		names = append(names, ev.Name)
	}
	require.Equal(t, []string{"message-updated", "message-deleted"}, names)
	require.JSONEq(t, gone.body, string(other.Events()[1].Data))
	require.Empty(t, own.Events())
}

func TestEditWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		first := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"alt"}`)
		target := messages + "/" + first.json["id"].(string)
		<-time.After(15*time.Minute + time.Second)
		state := b.state(t)
		wantProblem(t, b.do(t, "patient-1", "PATCH", target, `{"content":"neu"}`), 403, httpadapter.CodeEditWindowClosed)
		wantProblem(t, b.do(t, "patient-1", "DELETE", target, ""), 403, httpadapter.CodeEditWindowClosed)
		require.Equal(t, state, b.state(t))
	})
}
