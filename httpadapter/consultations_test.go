package httpadapter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

const consultations = "/api/beratungen"

// say sends messages from patient-1 to demo.
func (b *bundle) say(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		got := b.do(t, "patient-1", "POST", messages, fmt.Sprintf(`{"consultationId":"demo","content":%q}`, text))
		require.Equal(t, 201, got.status, got.body)
	}
}

// contents returns the texts of an answer's messages, in their order.
func contents(r reply) string {
	var texts []string
	for _, m := range r.list("messages") {
		texts = append(texts, m.(map[string]any)["content"].(string))
	}
	return strings.Join(texts, " ")
}

func TestPageShape(t *testing.T) {
	t.Parallel()
	b := setup(t)
	empty := b.do(t, "student-1", "GET", consultations+"/demo", "")
	require.Equal(t, 200, empty.status, empty.body)
	require.Equal(t, "no-store", empty.header.Get("Cache-Control"))
	require.Contains(t, empty.body, `"messages":[]`)
	require.Contains(t, empty.body, `"read":{}`)

	b.say(t, "eins")
	require.Equal(t, 200, b.do(t, "student-1", "POST", consultations+"/demo/gelesen", `{"seq":3}`).status)
	got := b.do(t, "student-1", "GET", consultations+"/demo", "")
	header := got.json["consultation"].(map[string]any)
	require.Equal(t, map[string]any{
		"id": "demo", "status": "IN_PROGRESS", "topic": "Rücken <demo>", "rev": 3.0,
		"createdAt": header["createdAt"], "updatedAt": header["updatedAt"],
		"patient": map[string]any{"id": "patient-1", "role": "PATIENT", "firstName": "Pia", "lastName": "Probst"},
		"student": map[string]any{"id": "student-1", "role": "STUDENT", "firstName": "Sina", "lastName": "Sommer", "image": "/sina.png"},
	}, header)
	require.Equal(t, "eins", contents(got))
	require.Equal(t, false, got.json["hasMore"])
	require.EqualValues(t, 3, got.json["rev"])
	mark := got.json["read"].(map[string]any)["student-1"].(map[string]any)
	require.EqualValues(t, 3, mark["seq"])
	require.NotEmpty(t, mark["at"])
	require.Equal(t, map[string]any{
		"driver": "websocket", "key": appKey, "forceTLS": false, "authEndpoint": "/api/pusher/auth",
		"channel": "private-consultation-demo", "presenceChannel": "presence-consultation-demo",
	}, got.json["transport"])
	require.NotContains(t, got.json, "nextSince")
	require.NotContains(t, got.json, "reset")
	require.Len(t, got.json, 6)
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.say(t, "a", "b", "c", "d", "e") // seq 3 to 7

	newest := b.do(t, "patient-1", "GET", consultations+"/demo?limit=2", "")
	require.Equal(t, "d e", contents(newest))
	require.Equal(t, true, newest.json["hasMore"])
	older := b.do(t, "patient-1", "GET", consultations+"/demo?before=6&limit=2", "")
	require.Equal(t, "b c", contents(older))
	require.Equal(t, true, older.json["hasMore"])
	oldest := b.do(t, "patient-1", "GET", consultations+"/demo?before=4&limit=", "")
	require.Equal(t, "a", contents(oldest))
	require.Equal(t, false, oldest.json["hasMore"])

	first := b.do(t, "patient-1", "GET", consultations+"/demo?since=3&limit=2&unknown=1", "")
	require.Equal(t, "b c", contents(first))
	require.Equal(t, true, first.json["hasMore"])
	require.EqualValues(t, 5, first.json["nextSince"])
	require.NotContains(t, first.json, "reset")
	rest := b.do(t, "patient-1", "GET", consultations+"/demo?since=5", "")
	require.Equal(t, "d e", contents(rest))
	require.EqualValues(t, 7, rest.json["nextSince"])
	none := b.do(t, "patient-1", "GET", consultations+"/demo?since=7", "")
	require.Contains(t, none.body, `"messages":[]`)
	all := b.do(t, "patient-1", "GET", consultations+"/demo?since=0", "")
	require.Equal(t, "a b c d e", contents(all))

	ahead := b.do(t, "patient-1", "GET", consultations+"/demo?since=8&limit=2", "")
	require.Equal(t, true, ahead.json["reset"])
	require.Equal(t, "d e", contents(ahead))
	require.EqualValues(t, 7, ahead.json["nextSince"])
}

func TestETag(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.say(t, "a")
	for _, target := range []string{consultations + "/demo", consultations + "/demo?since=3"} {
		got := b.do(t, "student-1", "GET", target, "")
		tag := got.header.Get("ETag")
		require.Regexp(t, `^"3-0-[0-9a-z]+"$`, tag)
		for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			same := b.do(t, "student-1", "GET", target, "", "If-None-Match", match)
			require.Equal(t, 304, same.status, match)
			require.Empty(t, same.body)
			require.Equal(t, tag, same.header.Get("ETag"))
			require.Equal(t, "no-store", same.header.Get("Cache-Control"))
			require.Empty(t, same.header.Get("Content-Type"))
		}
		require.Equal(t, 200, b.do(t, "student-1", "GET", target, "", "If-None-Match", `"3-0"`).status)
	}
	target := consultations + "/demo?since=3"
	tag := b.do(t, "student-1", "GET", target, "").header.Get("ETag")
	require.Equal(t, 200, b.do(t, "student-1", "POST", consultations+"/demo/gelesen", `{"seq":3}`).status)
	read := b.do(t, "patient-1", "GET", target, "", "If-None-Match", tag)
	require.Equal(t, 200, read.status, "a read mark has moved")
	require.Regexp(t, `^"3-3-`, read.header.Get("ETag"))
	b.say(t, "b")
	require.Equal(t, 200, b.do(t, "patient-1", "GET", target, "", "If-None-Match", read.header.Get("ETag")).status, "a message has come")

	other := setup(t, func(c *httpadapter.Config) { c.Signer, c.Socket, c.Transport = nil, nil, httpadapter.Transport{} })
	require.NotEqual(t,
		setup(t).do(t, "patient-1", "GET", consultations+"/off", "").header.Get("ETag"),
		other.do(t, "patient-1", "GET", consultations+"/off", "").header.Get("ETag"), "the transport is another one")
}

func TestBadQueries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for query, field := range map[string]string{
		"before=1&since=1": "before", "before=0": "before", "before=-1": "before", "before=x": "before", "before=1.5": "before",
		"before=1&before=2": "before", "before=99999999999999999999": "before",
		"since=-1": "since", "since=x": "since", "since=undefined": "since",
		"limit=0": "limit", "limit=201": "limit", "limit=-1": "limit", "limit=x": "limit", "limit=4294967297": "limit",
		"since=%zz": "query", "since=1;limit=2": "query",
	} {
		got := b.do(t, "patient-1", "GET", consultations+"/demo?"+query, "")
		wantProblem(t, got, 400, httpadapter.CodeValidation)
		require.Equal(t, field, got.json["field"], query)
	}
	for query, field := range map[string]string{
		"status=canary": "status", "status=requested": "status", "status=REQUESTED&status=REQUESTED": "status",
		"cursor=canary": "cursor", "cursor=a&cursor=b": "cursor", "limit=0": "limit", "limit=201": "limit", "cursor=%": "query",
	} {
		got := b.do(t, "patient-1", "GET", consultations+"?"+query, "")
		wantProblem(t, got, 400, httpadapter.CodeValidation)
		require.Equal(t, field, got.json["field"], query)
		require.NotContains(t, got.body, "canary")
	}
}

func TestPagesAreForTheTwoOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var bodies []string
	for _, c := range [][2]string{{"patient-2", "demo"}, {"student-2", "demo"}, {"student-1", "open"}, {"patient-1", "unknown"}} {
		got := b.do(t, c[0], "GET", consultations+"/"+c[1], "")
		wantProblem(t, got, 404, httpadapter.CodeNotFound)
		bodies = append(bodies, got.body)
		wantProblem(t, b.do(t, c[0], "GET", consultations+"/"+c[1]+"?since=0", ""), 404, httpadapter.CodeNotFound)
		wantProblem(t, b.do(t, c[0], "POST", consultations+"/"+c[1]+"/gelesen", `{"seq":1}`), 404, httpadapter.CodeNotFound)
	}
	require.Len(t, map[string]bool{bodies[0]: true, bodies[1]: true, bodies[2]: true, bodies[3]: true}, 1, "ids cannot be probed")
	wantProblem(t, b.do(t, "", "GET", consultations+"/demo", ""), 401, httpadapter.CodeUnauthenticated)
	wantProblem(t, b.do(t, "patient-1", "GET", consultations+"/a%20b", ""), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "GET", consultations+"/%ff", ""), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "GET", consultations+"/a%2Fb", ""), 404, httpadapter.CodeNotFound)
}

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

func TestTransitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	patient := b.events.Subscribe(consultation.Channel("open"), "1.1")
	student := b.events.Subscribe(consultation.Channel("open"), "2.2")

	state := b.state(t)
	for _, body := range []string{`{}`, `{"status":""}`, `{"status":null}`, `{"status":"REQUESTED"}`, `{"status":"in_progress"}`, `{"status":1}`} {
		bad := b.do(t, "student-2", "PATCH", consultations+"/open", body)
		wantProblem(t, bad, 400, httpadapter.CodeValidation)
		require.Equal(t, "status", bad.json["field"], body)
	}
	bad := b.do(t, "student-2", "PATCH", consultations+"/open", `{"status":"IN_PROGRESS"}`, "X-Socket-ID", "x")
	wantProblem(t, bad, 400, httpadapter.CodeValidation)
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

func TestOneStorageCallForEachRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x","clientMessageId":"k"}`).json["id"].(string)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, c := range []struct {
		method, target, body string
		headers              []string
		calls                int64
	}{
		{"POST", messages, `{"consultationId":"demo","content":"x"}`, nil, 1},
		{"POST", messages, `{"consultationId":"demo","content":"x","clientMessageId":"k"}`, nil, 1},
		{"PATCH", messages + "/" + id, `{"content":"y"}`, nil, 1},
		{"DELETE", messages + "/" + id, "", nil, 1},
		{"GET", consultations, "", nil, 1},
		{"POST", consultations, `{"topic":"x"}`, nil, 1},
		{"GET", consultations + "/demo", "", nil, 1},
		{"GET", consultations + "/demo?before=3", "", nil, 1},
		{"GET", consultations + "/demo?since=3", "", nil, 1},
		{"POST", consultations + "/demo/gelesen", `{"seq":3}`, nil, 1},
		{"POST", "/api/pusher/auth", "socket_id=1.1&channel_name=private-consultation-demo", form, 1},
		{"POST", "/api/pusher/user-auth", "socket_id=1.1", form, 0},
		{"PATCH", consultations + "/demo", `{"status":"CANCELLED"}`, nil, 1},
	} {
		before := b.store.calls.Load()
		got := b.do(t, "patient-1", c.method, c.target, c.body, c.headers...)
		require.Contains(t, []int{200, 201}, got.status, got.body)
		require.Equal(t, c.calls, b.store.calls.Load()-before, "%s %s", c.method, c.target)
	}
}

var (
	_ chat.Storage         = (*countingStore)(nil)
	_ consultation.Storage = (*countingStore)(nil)
)
