package httpadapter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

const consultations = "/api/beratungen"

func TestRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.say(t, "a", "b")
	for _, c := range []struct{ send, want string }{{"3", "3"}, {"2", "3"}, {"99", "4"}} {
		got := b.do(t, "student-1", "POST", consultations+"/demo/gelesen", `{"seq":`+c.send+`}`)
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, c.want, fmt.Sprint(got.json["seq"]))
		require.NotEmpty(t, got.json["at"])
	}
	events := b.events.Events()
	last := events[len(events)-1]
	require.Equal(t, "messages-read", last.Name)
	state := b.state(t)
	for _, body := range []string{`{}`, `{"seq":null}`, `{"seq":"3"}`, `{"seq":3.5}`, `{"seq":-1}`, `{"seq":1e40}`} {
		got := b.do(t, "student-1", "POST", consultations+"/demo/gelesen", body)
		wantProblem(t, got, 400, httpadapter.CodeValidation)
		require.Equal(t, "seq", got.json["field"], body)
	}
	require.Equal(t, state, b.state(t))
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.say(t, "a", "b")
	got := b.do(t, "student-1", "GET", consultations, "")
	require.Equal(t, 200, got.status, got.body)
	require.NotContains(t, got.json, "nextCursor")
	items := got.list("consultations")
	require.Len(t, items, 2)
	first := items[0].(map[string]any)
	require.Equal(t, "demo", first["id"])
	require.Equal(t, "Rücken <demo>", first["topic"])
	require.EqualValues(t, 2, first["unread"])
	require.Equal(t, "b", first["lastMessage"].(map[string]any)["content"])
	require.Regexp(t, `^\d{4}-.*\.\d{6}Z$`, first["createdAt"])
	require.Regexp(t, `^\d{4}-.*\.\d{6}Z$`, first["updatedAt"])
	require.EqualValues(t, 0, items[1].(map[string]any)["unread"])
	require.NotContains(t, items[1], "lastMessage")

	done := b.do(t, "student-1", "GET", consultations+"?status=COMPLETED", "")
	require.Len(t, done.list("consultations"), 1)
	require.Contains(t, b.do(t, "patient-2", "GET", consultations, "").body, `"consultations":[]`)

	var ids []string
	for cursor, pages := "", 0; pages < 10; pages++ {
		page := b.do(t, "patient-1", "GET", consultations+"?limit=1&cursor="+cursor, "")
		for _, it := range page.list("consultations") {
			ids = append(ids, it.(map[string]any)["id"].(string))
		}
		cursor, _ = page.json["nextCursor"].(string)
		if cursor == "" {
			break
		}
	}
	require.ElementsMatch(t, []string{"demo", "open", "done", "off"}, ids)
	require.Equal(t, "demo", ids[0])
}

func TestStudentsSeeOpenRequestsAndNothingElseOfThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(t, "student-2", "GET", consultations+"?status=REQUESTED", "")
	require.Equal(t, 200, got.status, got.body)
	require.Len(t, got.list("consultations"), 1)
	open := got.list("consultations")[0].(map[string]any)
	require.Equal(t, "open", open["id"])
	require.Equal(t, "Rücken <open>", open["topic"])
	require.Equal(t, "Pia", open["patient"].(map[string]any)["firstName"])
	require.NotContains(t, got.body, "Probst")
	require.NotContains(t, got.body, "patient-1")
	require.Contains(t, b.do(t, "student-2", "GET", consultations, "").body, `"consultations":[]`)
	require.Contains(t, b.do(t, "patient-2", "GET", consultations+"?status=REQUESTED", "").body, `"consultations":[]`)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(t, "patient-2", "POST", consultations, `{"topic":"  Knie  "}`)
	require.Equal(t, 201, got.status, got.body)
	require.Equal(t, "Knie", got.json["topic"])
	require.Equal(t, "REQUESTED", got.json["status"])
	require.Equal(t, "patient-2", got.json["patient"].(map[string]any)["id"])
	require.NotContains(t, got.json, "student")
	require.Equal(t, 200, b.do(t, "patient-2", "GET", consultations+"/"+got.json["id"].(string), "").status)

	state := b.state(t)
	for _, body := range []string{`{}`, `{"topic":" "}`, `{"topic":5}`, `{"topic":"` + strings.Repeat("ü", 501) + `"}`, `{"topic":"a\u0000"}`, `{"topic":"\ud83d"}`} {
		bad := b.do(t, "patient-2", "POST", consultations, body)
		wantProblem(t, bad, 400, httpadapter.CodeValidation)
		require.Equal(t, "topic", bad.json["field"])
		require.Contains(t, bad.json["error"], "Thema")
	}
	wantProblem(t, b.do(t, "student-1", "POST", consultations, `{"topic":"x"}`), 403, httpadapter.CodeForbidden)
	wantProblem(t, b.do(t, "", "POST", consultations, `{"topic":"x"}`), 401, httpadapter.CodeUnauthenticated)
	require.Equal(t, state, b.state(t))
}

func TestARequestIsRepeatable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.do(t, "patient-2", "POST", consultations, `{"topic":"Knie"}`, "Idempotency-Key", "k-1")
	require.Equal(t, 201, first.status, first.body)
	require.Empty(t, first.header.Get("Idempotency-Replayed"))
	state := b.state(t)
	for _, key := range []string{"k-1", `"k-1"`} {
		again := b.do(t, "patient-2", "POST", consultations, `{"topic":" Knie "}`, "Idempotency-Key", key)
		require.Equal(t, 200, again.status, again.body)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
		require.Equal(t, first.body, again.body)
	}
	wantProblem(t, b.do(t, "patient-2", "POST", consultations, `{"topic":"Hüfte"}`, "Idempotency-Key", "k-1"), 409, httpadapter.CodeConflict)
	for _, key := range []string{`""`, "a b", strings.Repeat("x", 65)} {
		bad := b.do(t, "patient-2", "POST", consultations, `{"topic":"Knie"}`, "Idempotency-Key", key)
		wantProblem(t, bad, 400, httpadapter.CodeValidation)
		require.Equal(t, "Idempotency-Key", bad.json["field"])
	}
	require.Equal(t, state, b.state(t))
	other := b.do(t, "patient-1", "POST", consultations, `{"topic":"Knie"}`, "Idempotency-Key", "k-1")
	require.Equal(t, 201, other.status, "a key is its patient's")
}

// TestOtherCallsAreRepeatableByThemselves makes each call twice, with a key where a client may send one to every POST.
func TestOtherCallsAreRepeatableByThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range [][4]string{
		{"student-1", "POST", consultations + "/demo/gelesen", `{"seq":2}`},
		{"student-2", "PATCH", consultations + "/open", `{"status":"IN_PROGRESS"}`},
		{"student-1", "PATCH", consultations + "/demo", `{"status":"COMPLETED"}`},
		{"patient-1", "PATCH", consultations + "/open", `{"status":"CANCELLED"}`},
	} {
		first := b.do(t, c[0], c[1], c[2], c[3], "Idempotency-Key", "k-1")
		require.Equal(t, 200, first.status, first.body)
		state := b.state(t)
		again := b.do(t, c[0], c[1], c[2], c[3], "Idempotency-Key", "k-1")
		require.Equal(t, 200, again.status, again.body)
		require.Equal(t, first.body, again.body)
		require.Equal(t, state, b.state(t), c)
	}
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	patient := b.events.Subscribe(consultation.Channel("open", 1), "1.1")
	student := b.events.Subscribe(consultation.Channel("open", 1), "2.2")

	state := b.state(t)
	for _, body := range []string{`{}`, `{"status":""}`, `{"status":null}`, `{"status":"REQUESTED"}`, `{"status":"in_progress"}`, `{"status":1}`} {
		bad := b.do(t, "student-2", "PATCH", consultations+"/open", body)
		wantProblem(t, bad, 400, httpadapter.CodeValidation)
		require.Equal(t, "status", bad.json["field"], body)
	}
	wantProblem(t, b.do(t, "student-2", "PATCH", consultations+"/a..b", `{"status":"IN_PROGRESS"}`), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "PATCH", consultations+"/open", `{"status":"IN_PROGRESS"}`), 403, httpadapter.CodeForbidden)
	wantProblem(t, b.do(t, "patient-2", "PATCH", consultations+"/open", `{"status":"CANCELLED"}`), 404, httpadapter.CodeNotFound)
	wantProblem(t, b.do(t, "student-1", "PATCH", consultations+"/unknown", `{"status":"IN_PROGRESS"}`), 404, httpadapter.CodeNotFound)
	early := b.do(t, "patient-1", "PATCH", consultations+"/done", `{"status":"CANCELLED"}`)
	wantProblem(t, early, 409, httpadapter.CodeConflict)
	require.Equal(t, "COMPLETED", early.json["consultationStatus"])
	require.Equal(t, state, b.state(t))

	accepted := b.do(t, "student-2", "PATCH", consultations+"/open", `{"status":"IN_PROGRESS"}`, "X-Socket-ID", "2.2")
	require.Equal(t, 200, accepted.status, accepted.body)
	require.Equal(t, "IN_PROGRESS", accepted.json["status"])
	require.Equal(t, "student-2", accepted.json["student"].(map[string]any)["id"])
	late := b.do(t, "student-1", "PATCH", consultations+"/open", `{"status":"IN_PROGRESS"}`)
	wantProblem(t, late, 409, httpadapter.CodeConflict)
	require.Equal(t, "IN_PROGRESS", late.json["consultationStatus"])
	completed := b.do(t, "student-2", "PATCH", consultations+"/open", `{"status":"COMPLETED","socketId":"2.2"}`)
	require.Equal(t, 200, completed.status, completed.body)
	cancelled := b.do(t, "patient-1", "PATCH", consultations+"/demo", `{"status":"CANCELLED"}`)
	require.Equal(t, "CANCELLED", cancelled.json["status"])

	var names []string
	for _, ev := range patient.Events() {
		names = append(names, ev.Name)
	}
	require.Equal(t, []string{"status-update", "consultation-updated", "status-update"}, names)
	require.Empty(t, student.Events())
}
