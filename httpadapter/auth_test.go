package httpadapter_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
)

const (
	channelAuth = "/api/pusher/auth"
	userAuth    = "/api/pusher/user-auth"
	formType    = "application/x-www-form-urlencoded"
)

func (b *bundle) auth(t *testing.T, user, socket, channel string) reply {
	t.Helper()
	form := url.Values{"socket_id": {socket}, "channel_name": {channel}}
	return b.do(t, user, "POST", channelAuth, form.Encode(), "Content-Type", formType)
}

func TestChannelAuthSignsForTheTwo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, user := range []string{"patient-1", "student-1"} {
		for _, channel := range []realtime.Channel{"private-consultation-demo", "presence-consultation-demo", "private-consultation-done"} {
			got := b.auth(t, user, "1.1", string(channel))
			require.Equal(t, 200, got.status, "pusher-js takes no other status: %s", got.body)
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))

			p := people[user]
			info, err := json.Marshal(map[string]any{"role": p.Role, "firstName": p.FirstName, "lastName": p.LastName})
			require.NoError(t, err)
			var data struct {
				UserID   string          `json:"user_id"`
				UserInfo json.RawMessage `json:"user_info"`
			}
			require.NoError(t, json.Unmarshal([]byte(got.json["channel_data"].(string)), &data))
			require.Equal(t, user, data.UserID)
			if channel.Kind() == realtime.KindPresence {
				if p.Image != "" {
					info, err = json.Marshal(map[string]any{"role": p.Role, "firstName": p.FirstName, "lastName": p.LastName, "image": p.Image})
					require.NoError(t, err)
				}
				require.JSONEq(t, string(info), string(data.UserInfo))
			}
			mac := hmac.New(sha256.New, []byte("secret"))
			mac.Write([]byte("1.1:" + string(channel) + ":" + got.json["channel_data"].(string)))
			require.Equal(t, appKey+":"+hex.EncodeToString(mac.Sum(nil)), got.json["auth"])
		}
	}
	require.NotEqual(t, b.auth(t, "patient-1", "1.1", "private-consultation-demo").json["auth"],
		b.auth(t, "patient-1", "1.2", "private-consultation-demo").json["auth"], "a signature is for one socket")
}

func TestChannelAuthTakesJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(t, "patient-1", "POST", channelAuth, `{"socket_id":"1.1","channel_name":"private-consultation-demo"}`)
	require.Equal(t, 200, got.status, got.body)
	// The grant carries the time, so two of them differ.
	grant := regexp.MustCompile(`"auth":"test-key:[0-9a-f]{64}"|\d{13}`)
	form := b.auth(t, "patient-1", "1.1", "private-consultation-demo").body
	require.Equal(t, grant.ReplaceAllString(string(form), ""), grant.ReplaceAllString(string(got.body), ""))
	wantProblem(t, b.do(t, "patient-1", "POST", channelAuth, `{"socket_id":1.1,"channel_name":"private-consultation-demo"}`), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "POST", channelAuth, `{`), 400, httpadapter.CodeValidation)
	long := `{"socket_id":"1.1","channel_name":"` + strings.Repeat("x", 9000) + `"}`
	wantProblem(t, b.do(t, "patient-1", "POST", channelAuth, long), 413, httpadapter.CodeTooLarge)
}

// spySigner records what it is asked to sign.
type spySigner struct {
	realtime.Signer
	signed []string
}

func (s *spySigner) SignChannel(id realtime.SocketID, ch realtime.Channel, m *realtime.Member) (realtime.Grant, error) {
	s.signed = append(s.signed, string(ch))
	return s.Signer.SignChannel(id, ch, m)
}

func TestChannelAuthRefusals(t *testing.T) {
	t.Parallel()
	spy := &spySigner{}
	b := setup(t, func(c *httpadapter.Config) { spy.Signer, c.Signer = c.Signer, spy })
	forbidden := b.auth(t, "patient-2", "1.1", "private-consultation-demo")
	wantProblem(t, forbidden, 403, httpadapter.CodeForbidden)

	for _, c := range []struct {
		user, socket, channel string
		status                int
	}{
		{"", "1.1", "private-consultation-demo", 401},
		{"nobody", "1.1", "private-consultation-demo", 401},
		{"student-2", "1.1", "private-consultation-demo", 403},
		{"student-1", "1.1", "private-consultation-open", 403},
		{"patient-1", "1.1", "private-consultation-unknown", 403},
		{"patient-1", "1.1", "private-encrypted-consultation-demo", 403}, // not handed out here
		{"patient-1", "1.1", "private-consultation-", 403},
		{"patient-1", "1.1", "private-consultation-a..b", 403},
		{"patient-1", "1.1", "private-consultation-" + strings.Repeat("x", 179), 403},
		{"patient-1", "1.1", "private-other-demo", 403},
		{"patient-1", "1.1", "presence-room", 403},
		{"patient-1", "1.1", "consultation-demo", 403},
		{"patient-1", "1.1", "demo", 403},
		{"patient-1", "1.1", "PRIVATE-consultation-demo", 403},
		{"patient-1", "1.1", "private-cache-consultation-demo", 403},
		{"patient-1", "1.1", "private-consultation-demo ", 400},
		{"patient-1", "1.1", "private-consultation-demo\n", 400},
		{"patient-1", "1.1", "private-consultation-" + strings.Repeat("x", 180), 400},
		{"patient-1", "1.1", `:user::{"id":"admin"}`, 400},
		{"patient-1", "1.1", `presence-consultation-demo:{"user_id":"admin"}`, 400},
		{"patient-1", "1.1", "#server-to-user-patient-1", 400},
		{"patient-1", "1.1", "private-consultation-d\xff", 400},
		{"patient-1", "1.1", "private-consultation-ä", 400},
		{"patient-1", "1.1", "", 400},
		{"patient-1", "", "private-consultation-demo", 400},
		{"patient-1", "1", "private-consultation-demo", 400},
		{"patient-1", "1.1:private-x", "private-consultation-demo", 400},
		{"patient-1", "1.1\n", "private-consultation-demo", 400},
	} {
		got := b.auth(t, c.user, c.socket, c.channel)
		require.Equal(t, c.status, got.status, "%q as %q on %q: %s", c.channel, c.user, c.socket, got.body)
		if c.status == 403 {
			require.Equal(t, forbidden.body, got.body, c.channel)
		}
	}
	for name, body := range map[string]string{
		"no channel":   "socket_id=1.1",
		"two channels": "socket_id=1.1&channel_name=private-consultation-demo&channel_name=private-consultation-demo",
		"two sockets":  "socket_id=1.1&socket_id=1.1&channel_name=private-consultation-demo",
		"bad escape":   "socket_id=1.1&channel_name=%zz",
		"semicolon":    "socket_id=1.1;channel_name=private-consultation-demo",
	} {
		got := b.do(t, "patient-1", "POST", channelAuth, body, "Content-Type", formType)
		require.Equal(t, 400, got.status, name)
	}
	query := channelAuth + "?socket_id=1.1&channel_name=private-consultation-demo"
	wantProblem(t, b.do(t, "patient-1", "POST", query, "x=y", "Content-Type", formType), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "patient-1", "GET", query, ""), 405, httpadapter.CodeMethodNotAllowed)
	wantProblem(t, b.do(t, "patient-1", "POST", query, "", "Content-Type", "text/plain"), 415, httpadapter.CodeUnsupportedMediaType)
	long := "socket_id=1.1&channel_name=private-consultation-demo&x=" + strings.Repeat("x", 9000)
	wantProblem(t, b.do(t, "patient-1", "POST", channelAuth, long, "Content-Type", formType), 413, httpadapter.CodeTooLarge)
	require.Empty(t, spy.signed)
}

func TestAReplacedStudentGetsNoSignature(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, 200, b.auth(t, "student-1", "1.1", "private-consultation-demo").status)
	sven := people["student-2"]
	_, err := b.consultations.Reassign(t.Context(), consultation.TransitionParams{ID: "demo", By: consultation.Host(), Student: &sven})
	require.NoError(t, err)
	for _, ch := range []string{"private-consultation-demo", "private-consultation.2-demo", "private-consultation.3-demo"} {
		wantProblem(t, b.auth(t, "student-1", "1.1", ch), 403, httpadapter.CodeForbidden)
	}
	for _, who := range []string{"student-2", "patient-1"} {
		transport := b.do(t, who, "GET", consultations+"/demo", "").json["transport"].(map[string]any)
		require.Equal(t, "private-consultation.2-demo", transport["channel"])
		require.Equal(t, 200, b.auth(t, who, "1.1", "private-consultation.2-demo").status)
		wantProblem(t, b.auth(t, who, "1.1", "private-consultation-demo"), 403, httpadapter.CodeForbidden)
		wantProblem(t, b.auth(t, who, "1.1", "private-consultation.3-demo"), 403, httpadapter.CodeForbidden)
	}
}

func TestFixedChannels(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.Transport.FixedChannels = true })
	sven := people["student-2"]
	_, err := b.consultations.Reassign(t.Context(), consultation.TransitionParams{ID: "demo", By: consultation.Host(), Student: &sven})
	require.NoError(t, err)
	transport := b.do(t, "student-2", "GET", consultations+"/demo", "").json["transport"].(map[string]any)
	require.Equal(t, "private-consultation-demo", transport["channel"])
	require.Equal(t, 200, b.auth(t, "student-2", "1.1", "private-consultation-demo").status)
	wantProblem(t, b.auth(t, "student-2", "1.1", "private-consultation.2-demo"), 403, httpadapter.CodeForbidden)
	wantProblem(t, b.auth(t, "student-1", "1.1", "private-consultation-demo"), 403, httpadapter.CodeForbidden)
}

func TestOnlyChannelsThatAreHandedOutAreSigned(t *testing.T) {
	t.Parallel()
	spy := &spySigner{}
	encrypted := setup(t, func(c *httpadapter.Config) {
		spy.Signer, c.Signer = c.Signer, spy
		c.Transport.Encrypted, c.Transport.Presence = true, false
	})
	transport := encrypted.do(t, "patient-1", "GET", consultations+"/demo", "").json["transport"].(map[string]any)
	require.Equal(t, "private-encrypted-consultation-demo", transport["channel"])
	require.NotContains(t, transport, "presenceChannel")
	require.Equal(t, 403, encrypted.auth(t, "patient-1", "1.1", "private-consultation-demo").status)
	require.Equal(t, 403, encrypted.auth(t, "patient-1", "1.1", "presence-consultation-demo").status)
	require.Empty(t, spy.signed)
	encrypted.auth(t, "patient-1", "1.1", "private-encrypted-consultation-demo")
	require.Equal(t, []string{"private-encrypted-consultation-demo"}, spy.signed)

	poll := setup(t, func(c *httpadapter.Config) { c.Transport.Driver = httpadapter.DriverPoll })
	require.Equal(t, 403, poll.auth(t, "patient-1", "1.1", "private-consultation-demo").status)
}

func TestFormThatMiddlewareHasReadAlready(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.FormValue("csrf_token")
		b.ServeHTTP(w, r)
	})
	got := do(t, h, "patient-1", "POST", channelAuth, "socket_id=1.1&channel_name=private-consultation-demo", "Content-Type", formType)
	require.Equal(t, 200, got.status, got.body)
}

func TestUserAuth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(t, "student-1", "POST", userAuth, "socket_id=1.1", "Content-Type", formType)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	var data map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.json["user_data"].(string)), &data))
	require.Equal(t, "student-1", data["id"])
	require.True(t, strings.HasPrefix(got.json["auth"].(string), appKey+":"))

	wantProblem(t, b.do(t, "", "POST", userAuth, "socket_id=1.1", "Content-Type", formType), 401, httpadapter.CodeUnauthenticated)
	wantProblem(t, b.do(t, "student-1", "POST", userAuth, "socket_id=1", "Content-Type", formType), 400, httpadapter.CodeValidation)
	wantProblem(t, b.do(t, "student-1", "POST", userAuth, "socket_id=1.1", "Content-Type", "text/plain"), 415, httpadapter.CodeUnsupportedMediaType)
}

func TestMemberFitsTheLimitOfPusher(t *testing.T) {
	t.Parallel()
	image := "/" + strings.Repeat("i", 1000)
	for name, c := range map[string]struct {
		person consultation.Participant
		want   string
	}{
		"picture": {consultation.Participant{FirstName: "A", LastName: "B", Image: image}, `{"role":"PATIENT","firstName":"A","lastName":"B"}`},
		"names":   {consultation.Participant{FirstName: strings.Repeat("ü", 200), LastName: strings.Repeat("<", 200)}, `{"role":"PATIENT","firstName":"","lastName":""}`},
	} {
		b := setup(t, func(cfg *httpadapter.Config) {
			cfg.Authenticator = httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) {
				c.person.UserID, c.person.Role = consultation.UserID(strings.Repeat("u", 128)), consultation.RolePatient
				return c.person, nil
			})
		})
		got := b.do(t, "", "POST", userAuth, "socket_id=1.1", "Content-Type", formType)
		require.Equal(t, 200, got.status, got.body)
		require.Less(t, len(got.json["user_data"].(string)), 1024, name)
		var data struct {
			Info json.RawMessage `json:"user_info"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.json["user_data"].(string)), &data))
		require.JSONEq(t, c.want, string(data.Info), name)
	}
}

func FuzzChannelAuth(f *testing.F) {
	f.Add("socket_id=1.1&channel_name=private-consultation-demo")
	f.Add("channel_name=presence-consultation-demo&socket_id=1.1")
	f.Add("socket_id=1.1&channel_name=%3Auser%3A%3A%7B%22id%22%3A%22admin%22%7D")
	f.Add("socket_id=1.1&channel_name=private-consultation-demo%00")
	f.Fuzz(func(t *testing.T, body string) {
		spy := &spySigner{}
		b := setup(t, func(c *httpadapter.Config) { spy.Signer, c.Signer = c.Signer, spy })
		r := httptest.NewRequestWithContext(t.Context(), "POST", channelAuth, strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {formType}, "Test-User": {"student-1"}}
		got := exchange(t, b, r)
		require.Contains(t, []int{200, 400, 403, 413}, got.status)
		for _, name := range spy.signed {
			require.Contains(t, []string{"private-consultation-demo", "presence-consultation-demo", "private-consultation-done", "presence-consultation-done"}, name)
		}
		require.Equal(t, got.status == 200, len(spy.signed) == 1)
	})
}
