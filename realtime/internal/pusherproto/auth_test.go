package pusherproto_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// vendor are the credentials of the examples in the vendor's documentation, not of any application.
var vendor = pusherproto.Credentials{Key: "278d425bdf160c739803", Secret: "7ad3773142a6692b25b8"}

func TestDocumentedSignatures(t *testing.T) {
	t.Parallel()
	const presence = `{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`
	require.Equal(t, vendor.Key+":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4",
		vendor.ChannelAuth("1234.1234", "private-foobar", ""))
	require.Equal(t, vendor.Key+":afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c",
		vendor.ChannelAuth("1234.1234", "presence-foobar", presence))
	require.Equal(t, vendor.Key+":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba",
		vendor.UserAuth("1234.1234", `{"id":"12345"}`))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	auth := vendor.ChannelAuth("1.1", "private-a", "")
	require.True(t, vendor.VerifyChannel(auth, "1.1", "private-a", ""))
	require.False(t, vendor.VerifyChannel(auth, "1.2", "private-a", ""))
	require.False(t, vendor.VerifyChannel(auth, "1.1", "private-b", ""))
	require.False(t, vendor.VerifyChannel(auth, "1.1", "private-a", "{}"))
	require.False(t, vendor.VerifyChannel(strings.ToUpper(auth), "1.1", "private-a", ""))
	require.False(t, vendor.VerifyChannel("", "1.1", "private-a", ""))
	require.False(t, pusherproto.Credentials{Key: vendor.Key, Secret: "x"}.VerifyChannel(auth, "1.1", "private-a", ""))
	user := vendor.UserAuth("1.1", "{}")
	require.True(t, vendor.VerifyUser(user, "1.1", "{}"))
	require.False(t, vendor.VerifyUser(user, "1.2", "{}"))
	require.False(t, vendor.VerifyUser(user, "1.1", "{ }"))
}

// documented is the request of the vendor's example.
func documented() pusherproto.Request {
	return pusherproto.Request{Method: "POST", Path: "/apps/3/events",
		Body: []byte(`{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`)}
}

var documentedTime = time.Unix(1353088179, 0)

func TestDocumentedRequest(t *testing.T) {
	t.Parallel()
	r := documented()
	q := vendor.SignRequest(r, documentedTime)
	require.Equal(t, "ec365a775a4cd0599faeb73354201b6f", q.Get("body_md5"))
	require.Equal(t, "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c", q.Get("auth_signature"))
	require.Nil(t, r.Query, "the request is not changed")
}

// verify checks a whole request, as a server does.
func verify(r pusherproto.Request, now time.Time) error {
	params, err := vendor.VerifyQuery(r.Method, []string{"/other", r.Path}, r.Query, now)
	if err != nil {
		return err
	}
	return pusherproto.VerifyBody(params, r.Body)
}

func TestVerifyRequest(t *testing.T) {
	t.Parallel()
	signed := func(query url.Values) pusherproto.Request {
		r := documented()
		r.Query = query
		r.Query = vendor.SignRequest(r, documentedTime)
		return r
	}
	for _, query := range []url.Values{nil, {"info": {"user_count,subscription_count"}, "filter_by_prefix": {"presence-"}}} {
		require.NoError(t, verify(signed(query), documentedTime))
	}
	require.NoError(t, verify(signed(nil), documentedTime.Add(600*time.Second)))
	require.NoError(t, verify(signed(nil), documentedTime.Add(-600*time.Second)))
	require.NoError(t, verify(signed(url.Values{"Info": {"x"}}), documentedTime), "names count in lower case")
	params, err := vendor.VerifyQuery("POST", []string{documented().Path}, signed(url.Values{"Info": {"x"}}).Query, documentedTime)
	require.NoError(t, err)
	require.Equal(t, "x", params["info"])
	get := pusherproto.Request{Method: "GET", Path: "/prefix/apps/3/channels"}
	get.Query = vendor.SignRequest(get, documentedTime)
	require.NoError(t, verify(get, documentedTime))
	require.NotContains(t, get.Query, "body_md5")

	for name, change := range map[string]func(*pusherproto.Request){
		"method":         func(r *pusherproto.Request) { r.Method = "GET" },
		"path":           func(r *pusherproto.Request) { r.Path = "/apps/4/events" },
		"body":           func(r *pusherproto.Request) { r.Body[0] = ' ' },
		"no body":        func(r *pusherproto.Request) { r.Body = nil },
		"no digest":      func(r *pusherproto.Request) { r.Query.Set("body_md5", "") },
		"parameter":      func(r *pusherproto.Request) { r.Query.Set("info", "x") },
		"twice":          func(r *pusherproto.Request) { r.Query.Add("auth_key", vendor.Key) },
		"twice, in case": func(r *pusherproto.Request) { r.Query.Set("AUTH_KEY", vendor.Key) },
		"key":            func(r *pusherproto.Request) { r.Query.Set("auth_key", "x") },
		"version":        func(r *pusherproto.Request) { r.Query.Set("auth_version", "2.0") },
		"timestamp":      func(r *pusherproto.Request) { r.Query.Set("auth_timestamp", "1353088180") },
		"no timestamp":   func(r *pusherproto.Request) { r.Query.Del("auth_timestamp") },
		"signature":      func(r *pusherproto.Request) { r.Query.Set("auth_signature", strings.Repeat("0", 64)) },
		"no signature":   func(r *pusherproto.Request) { r.Query.Del("auth_signature") },
		"upper signature": func(r *pusherproto.Request) {
			r.Query.Set("auth_signature", strings.ToUpper(r.Query.Get("auth_signature")))
		},
		"another's secret": func(r *pusherproto.Request) {
			r.Query = pusherproto.Credentials{Key: vendor.Key}.SignRequest(*r, documentedTime)
		},
	} {
		r := signed(nil)
		change(&r)
		require.ErrorIs(t, verify(r, documentedTime), pusherproto.ErrBadRequestSignature, name)
	}
	for name, params := range map[string]url.Values{
		"value with a separator": {"a": {"1&b=2"}}, "name with a separator": {"a&b": {"1"}}, "name with an equals sign": {"a=b": {"1"}},
		"value with a line": {"a": {"1\n2"}}, "an empty digest": {"body_md5": {""}},
	} {
		r := pusherproto.Request{Method: "GET", Path: "/apps/3/channels", Query: params}
		r.Query = vendor.SignRequest(r, documentedTime)
		require.ErrorIs(t, verify(r, documentedTime), pusherproto.ErrBadRequestSignature, name)
	}
	for _, skew := range []time.Duration{601 * time.Second, -601 * time.Second} {
		require.ErrorIs(t, verify(signed(nil), documentedTime.Add(skew)), pusherproto.ErrBadRequestSignature)
	}
	far := pusherproto.Request{Method: "GET", Path: "/"}
	far.Query = vendor.SignRequest(far, time.Unix(-1<<62, 0))
	require.ErrorIs(t, verify(far, documentedTime), pusherproto.ErrBadRequestSignature)
}

func FuzzVerifyRequest(f *testing.F) {
	f.Add("POST", "/apps/3/events", "a=b", []byte("{}"))
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r := pusherproto.Request{Method: method, Path: path, Query: q, Body: body}
		if verify(r, documentedTime) == nil {
			t.Fatal("accepts what nobody has signed")
		}
	})
}

func TestSignChannel(t *testing.T) {
	t.Parallel()
	member := &realtime.Member{UserID: "patient-1", Info: json.RawMessage(`{"name":"A <B>"}`)}
	plain, bound := pusherproto.Signer{Credentials: vendor}, pusherproto.Signer{Credentials: vendor, BindPrivate: true}
	for name, c := range map[string]struct {
		signer pusherproto.Signer
		ch     realtime.Channel
		m      *realtime.Member
		data   string
	}{
		"private":                  {plain, "private-a", nil, ""},
		"private, member":          {plain, "private-a", member, ""},
		"private, bound":           {bound, "private-a", member, `{"user_id":"patient-1"}`},
		"private, bound to nobody": {bound, "private-a", nil, ""},
		"encrypted, bound":         {bound, "private-encrypted-a", member, `{"user_id":"patient-1"}`},
		"presence":                 {plain, "presence-a", member, `{"user_id":"patient-1","user_info":{"name":"A \u003cB\u003e"}}`},
		"presence without info":    {plain, "presence-a", &realtime.Member{UserID: "1"}, `{"user_id":"1"}`},
	} {
		g, err := c.signer.SignChannel("1.1", c.ch, c.m)
		require.NoError(t, err, name)
		require.Equal(t, realtime.Grant{Auth: vendor.ChannelAuth("1.1", c.ch, c.data), ChannelData: c.data}, g, name)
		require.True(t, vendor.VerifyChannel(g.Auth, "1.1", c.ch, g.ChannelData), name)
	}
	for name, c := range map[string]struct {
		socket realtime.SocketID
		ch     realtime.Channel
		m      *realtime.Member
	}{
		"no socket":              {"", "private-a", nil},
		"bad socket":             {"1.1:private-b", "private-a", nil},
		"no channel":             {"1.1", "", nil},
		"public":                 {"1.1", "lobby", nil},
		"a sign-in in disguise":  {"1.1", `:user::{"id":"admin"}`, nil},
		"presence in disguise":   {"1.1", `private-a:{"user_id":"admin"}`, nil},
		"presence of nobody":     {"1.1", "presence-a", nil},
		"presence without an id": {"1.1", "presence-a", &realtime.Member{}},
		"private without an id":  {"1.1", "private-a", &realtime.Member{}},
		"id too long":            {"1.1", "presence-a", &realtime.Member{UserID: strings.Repeat("x", 129)}},
		"id not UTF-8":           {"1.1", "presence-a", &realtime.Member{UserID: "\xff"}},
		"id with NUL":            {"1.1", "presence-a", &realtime.Member{UserID: "a\x00"}},
		"info is no object":      {"1.1", "presence-a", &realtime.Member{UserID: "1", Info: json.RawMessage(`"x"`)}},
		"info has a key twice":   {"1.1", "presence-a", &realtime.Member{UserID: "1", Info: json.RawMessage(`{"a":1,"a":2}`)}},
		"info is broken":         {"1.1", "presence-a", &realtime.Member{UserID: "1", Info: json.RawMessage(`{`)}},
	} {
		g, err := bound.SignChannel(c.socket, c.ch, c.m)
		require.Error(t, err, name)
		require.Zero(t, g, name)
	}
}

func TestSignUser(t *testing.T) {
	t.Parallel()
	signer := pusherproto.Signer{Credentials: vendor}
	g, err := signer.SignUser("1234.1234", realtime.Member{UserID: "12345"})
	require.NoError(t, err)
	require.Equal(t, realtime.UserGrant{
		Auth:     vendor.Key + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba",
		UserData: `{"id":"12345"}`,
	}, g)
	_, err = signer.SignUser("1234", realtime.Member{UserID: "1"})
	require.ErrorIs(t, err, realtime.ErrInvalidSocketID)
	_, err = signer.SignUser("1.1", realtime.Member{})
	require.Error(t, err)
}

// TestStamp signs the time before the store was read, or else the current time.
func TestStamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		signer := pusherproto.Signer{Credentials: vendor, BindPrivate: true, Stamp: true}
		now := time.Now()
		checked := now.Add(-time.Minute - time.Microsecond)
		for _, c := range []struct{ checked, want time.Time }{
			{time.Time{}, now}, {checked, now.Add(-time.Minute - time.Millisecond)},
		} {
			m := realtime.Member{UserID: "1", CheckedAt: c.checked}
			for _, ch := range []realtime.Channel{"private-a", "presence-a", "private-encrypted-a"} {
				g, err := signer.SignChannel("1.1", ch, &m)
				require.NoError(t, err)
				data, err := pusherproto.ParseChannelData(g.ChannelData)
				require.NoError(t, err)
				require.True(t, c.want.Equal(data.IssuedAt), "%s: %s", ch, data.IssuedAt)
			}
			g, err := signer.SignUser("1.1", m)
			require.NoError(t, err)
			require.True(t, vendor.VerifyUser(g.Auth, "1.1", g.UserData))
			user, err := pusherproto.ParseUserData(g.UserData)
			require.NoError(t, err)
			require.True(t, c.want.Equal(user.IssuedAt), user.IssuedAt)
		}
		user, err := pusherproto.ParseUserData(`{"id":"1"}`)
		require.NoError(t, err)
		require.Zero(t, user.IssuedAt)
		_, err = pusherproto.ParseUserData(`{"id":"1","signed_at":"1"}`)
		require.ErrorIs(t, err, pusherproto.ErrMalformed)
	})
}

// TestSecretIsHidden prints credentials in every way that a log would.
func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	signer := pusherproto.Signer{Credentials: vendor}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(format, vendor), vendor.Secret, format)
		require.NotContains(t, fmt.Sprintf(format, &vendor), vendor.Secret, format)
		require.NotContains(t, fmt.Sprintf(format, signer), vendor.Secret, format)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("credentials", vendor))
	require.NotContains(t, log.String(), vendor.Secret)
}
