package httpadapter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/httpadapter"
)

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
	require.Regexp(t, `^[A-Za-z0-9_-]{1,32}$`, got.json["epoch"])
	require.Len(t, got.json, 7)
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

// TestRestoredBackup lets a log grow past what a client has seen of a past that is no more.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.say(t, "a")
	seen := b.do(t, "student-1", "GET", consultations+"/demo", "")
	epoch := seen.json["epoch"].(string)
	require.Equal(t, epoch, b.do(t, "student-1", "GET", consultations, "").json["epoch"])
	target := consultations + "/demo?since=3&epoch=" + epoch
	idle := b.do(t, "student-1", "GET", target, "")
	require.NotContains(t, idle.json, "reset")
	require.Equal(t, epoch, idle.json["epoch"])
	require.Equal(t, 304, b.do(t, "student-1", "GET", target, "", "If-None-Match", idle.header.Get("ETag")).status)

	require.NoError(t, b.store.NewEpoch(t.Context()))
	for _, c := range []struct{ target, tag string }{
		{target, idle.header.Get("ETag")},
		{consultations + "/demo", seen.header.Get("ETag")},
		{consultations + "/demo?since=3", idle.header.Get("ETag")},
	} {
		got := b.do(t, "student-1", "GET", c.target, "", "If-None-Match", c.tag)
		require.Equal(t, 200, got.status, c.target)
		require.NotEqual(t, epoch, got.json["epoch"], c.target)
		require.Equal(t, c.target == target, got.json["reset"] == true, c.target)
	}
	b.say(t, "b")
	grown := b.do(t, "student-1", "GET", target, "")
	require.Equal(t, true, grown.json["reset"])
	require.Equal(t, "a b", contents(grown))
	now := grown.json["epoch"].(string)
	require.Equal(t, now, b.do(t, "student-1", "GET", consultations, "").json["epoch"])
	require.NotContains(t, b.do(t, "student-1", "GET", consultations+"/demo?since=4&epoch="+now, "").json, "reset")
}

func TestBadQueries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for query, field := range map[string]string{
		"before=1&since=1": "before", "before=0": "before", "before=-1": "before", "before=x": "before", "before=1.5": "before",
		"before=1&before=2": "before", "before=99999999999999999999": "before",
		"since=-1": "since", "since=x": "since", "since=1&epoch=a+b": "epoch", "since=1&epoch=a&epoch=b": "epoch",
		"since=1&epoch=" + strings.Repeat("x", 33): "epoch", "since=undefined": "since",
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
