package httpadapter_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

func withBase(base string) func(*httpadapter.Config) {
	return func(c *httpadapter.Config) { c.BasePath = base }
}

// prefixRouter passes everything below a prefix on with the full path, as chi's Mount, gin and echo do.
func prefixRouter(prefix string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix+"/") {
			http.Error(w, "the host's own", http.StatusTeapot)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestEveryRouter(t *testing.T) {
	t.Parallel()
	const base = "/apps/chat"
	b := setup(t, withBase(base+"/")) // a trailing slash does no harm
	h := b.Handler.(*contract)

	subtree := http.NewServeMux()
	subtree.Handle(base+"/", h)
	patterns := http.NewServeMux()
	patterns.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }) // no conflict
	h.Register(patterns)

	for name, router := range map[string]http.Handler{
		"subtree": subtree, "patterns": patterns, "prefix": prefixRouter(base, h), "bare": h,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := do(t, router, "patient-1", "POST", base+messages, `{"consultationId":"demo","content":"x"}`)
			require.Equal(t, 201, got.status, got.body)
			target := base + messages + "/" + got.json["id"].(string)
			require.Equal(t, 200, do(t, router, "patient-1", "PATCH", target, `{"content":"y"}`).status)
			require.Equal(t, 200, do(t, router, "patient-1", "DELETE", target, "").status)
			page := do(t, router, "patient-1", "GET", base+consultations+"/demo", "")
			require.Equal(t, 200, page.status)
			transport := page.json["transport"].(map[string]any)
			require.Equal(t, base+channelAuth, transport["authEndpoint"])
			require.Equal(t, base, transport["wsPath"])
			require.Equal(t, 200, do(t, router, "patient-1", "GET", base+consultations, "").status)
			require.Equal(t, 200, do(t, router, "patient-1", "POST", base+consultations+"/demo/gelesen", `{"seq":1}`).status)
			form := url.Values{"socket_id": {"1.1"}, "channel_name": {"private-consultation-demo"}}.Encode()
			require.Equal(t, 200, do(t, router, "patient-1", "POST", base+channelAuth, form, "Content-Type", formType).status)
			require.Equal(t, 426, do(t, router, "", "GET", base+"/app/"+appKey, "").status, "the socket wants an upgrade")

			wantProblem(t, do(t, router, "patient-1", "PUT", target, `{}`), 405, httpadapter.CodeMethodNotAllowed)
			if name == "patterns" {
				require.Equal(t, 418, do(t, router, "patient-1", "GET", "/", "").status)
			}
		})
	}
	for _, path := range []string{
		"/", messages, "/apps/chatx" + messages, base, base + "/", base + messages + "/", base + "/" + messages,
		base + consultations + "//gelesen", base + "/app/",
	} {
		wantProblem(t, b.do(t, "patient-1", "POST", path, `{"consultationId":"demo","content":"x"}`), 404, httpadapter.CodeNotFound)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for target, allow := range map[string]string{
		messages:                        "POST, OPTIONS",
		messages + "/1":                 "PATCH, DELETE, OPTIONS",
		consultations:                   "GET, HEAD, POST, OPTIONS",
		consultations + "/demo":         "GET, HEAD, PATCH, OPTIONS",
		consultations + "/demo/gelesen": "POST, OPTIONS",
		channelAuth:                     "POST, OPTIONS",
		userAuth:                        "POST, OPTIONS",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CANARY"} {
			got := b.do(t, "", method, target, "")
			if strings.Contains(allow, method) {
				wantProblem(t, got, 401, httpadapter.CodeUnauthenticated)
				continue
			}
			wantProblem(t, got, 405, httpadapter.CodeMethodNotAllowed)
			require.Equal(t, allow, got.header.Get("Allow"))
			require.NotContains(t, got.body, "CANARY")
		}
		options := b.do(t, "", "OPTIONS", target, "", "Origin", "https://elsewhere.example")
		require.Equal(t, 204, options.status)
		require.Equal(t, allow, options.header.Get("Allow"))
		require.Empty(t, options.header.Get("Access-Control-Allow-Origin"))
	}
	socket := b.do(t, "", "HEAD", "/app/"+appKey, "")
	wantProblem(t, socket, 405, httpadapter.CodeMethodNotAllowed)
	require.Equal(t, "GET, OPTIONS", socket.header.Get("Allow"))
}

func TestHEADHasTheHeadersOfGET(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(setup(t))
	defer srv.Close()
	var tags []string
	for _, method := range []string{"GET", "HEAD"} {
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+consultations+"/demo", nil)
		require.NoError(t, err)
		r.Header.Set("Test-User", "patient-1")
		res, err := srv.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, method == "HEAD", len(body) == 0)
		tags = append(tags, res.Header.Get("ETag"))
	}
	require.Equal(t, tags[0], tags[1])
}

func TestEveryPathCanBeChanged(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) {
		c.BasePath = "/v2"
		c.Paths = httpadapter.Paths{
			Messages: "/m", Message: "/m/{id}/it", Consultations: "/c", Consultation: "/c/{id}", Read: "/c/{id}/read",
			ChannelAuth: "/c/auth", UserAuth: "/c/user", Socket: "/rt/app/{key}",
		}
	})
	sent := b.do(t, "patient-1", "POST", "/v2/m", `{"consultationId":"demo","content":"x"}`)
	require.Equal(t, 201, sent.status, sent.body)
	require.Equal(t, 200, b.do(t, "patient-1", "DELETE", "/v2/m/"+sent.json["id"].(string)+"/it", "").status)
	require.Equal(t, 200, b.do(t, "patient-1", "GET", "/v2/c", "").status)
	require.Equal(t, 200, b.do(t, "patient-1", "POST", "/v2/c/demo/read", `{"seq":1}`).status)
	require.Equal(t, 200, b.do(t, "patient-1", "POST", "/v2/c/user", "socket_id=1.1", "Content-Type", formType).status, "a literal goes before {id}")
	transport := b.do(t, "patient-1", "GET", "/v2/c/demo", "").json["transport"].(map[string]any)
	require.Equal(t, "/v2/c/auth", transport["authEndpoint"])
	require.Equal(t, "/v2/rt", transport["wsPath"])
	require.Equal(t, 426, b.do(t, "", "GET", "/v2/rt/app/"+appKey, "").status)
	require.Equal(t, 404, b.do(t, "patient-1", "GET", "/v2"+consultations, "").status)
}

func TestWithoutRealTimePartsTheirRoutesDoNotExist(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.Signer, c.Socket, c.Transport = nil, nil, httpadapter.Transport{} })
	for _, target := range []string{channelAuth, userAuth} {
		wantProblem(t, b.do(t, "patient-1", "POST", target, "socket_id=1.1", "Content-Type", formType), 404, httpadapter.CodeNotFound)
	}
	wantProblem(t, b.do(t, "", "GET", "/app/"+appKey, ""), 404, httpadapter.CodeNotFound)
	got := b.do(t, "patient-1", "GET", consultations+"/demo", "")
	require.Equal(t, map[string]any{"driver": "poll"}, got.json["transport"])
}

func TestForeignOriginsAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.TrustedOrigins = []string{"https://app.example"} })
	before := b.state(t)
	for _, c := range []struct{ method, target string }{
		{"POST", messages}, {"PATCH", messages + "/1"}, {"DELETE", messages + "/1"}, {"POST", consultations},
		{"PATCH", consultations + "/demo"}, {"POST", consultations + "/demo/gelesen"}, {"POST", channelAuth}, {"POST", userAuth},
	} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
			{"Origin", "null"}, {"Origin", "http://example.com:8080"}, {"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example.evil.example"},
		} {
			got := b.do(t, "patient-1", c.method, c.target, `{"consultationId":"demo","content":"x","status":"CANCELLED","topic":"x","seq":1}`, headers...)
			wantProblem(t, got, 403, httpadapter.CodeForbidden)
		}
	}
	require.Equal(t, before, b.state(t))
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", "http://example.com"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"},
	} {
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`, headers...)
		require.Equal(t, 201, got.status, headers)
	}
	require.Equal(t, 200, b.do(t, "patient-1", "GET", consultations, "", "Sec-Fetch-Site", "cross-site").status, "reading is the browser's to refuse")
}

// TestOriginsWithTheDefaultPort has the Host header that proxies write with "$host:$server_port". Browsers leave the
// scheme's own port out of Origin, and some, and all over plain HTTP, send no Sec-Fetch-Site.
func TestOriginsWithTheDefaultPort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		origin, host string
		want         int
	}{
		{"http://clinic.example", "clinic.example:80", 201}, {"https://clinic.example", "Clinic.example:443", 201},
		{"https://clinic.example", "clinic.example:8443", 403}, {"https://clinic.example", "clinic.example:80", 403},
		{"https://clinic.example:443", "clinic.example:80", 403}, {"null", ":443", 403},
		{"https://evil.example", "clinic.example:443", 403}, {"ftp://clinic.example", "clinic.example:443", 403},
	} {
		r := request(t.Context(), "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
		r.Host = c.host
		r.Header.Set("Origin", c.origin)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		require.Equal(t, c.want, w.Code, "%s to %s", c.origin, c.host)
		r.Body = io.NopCloser(strings.NewReader(`{"consultationId":"demo","content":"x"}`))
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w = httptest.NewRecorder()
		b.ServeHTTP(w, r)
		require.Equal(t, 403, w.Code, "the browser's word counts more")
	}
}

func TestTheSocketGetsItsOwnKey(t *testing.T) {
	t.Parallel()
	var key string
	b := setup(t, withBase("/chat"), func(c *httpadapter.Config) {
		c.Socket = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { key = r.PathValue("key") })
	})
	mux := http.NewServeMux()
	mux.Handle("/{key}/", b) // the host's wildcard has the same name
	require.Equal(t, 200, do(t, mux, "", "GET", "/chat/app/"+appKey, "").status)
	require.Equal(t, appKey, key)
}

// TestSocketEndToEnd follows a message all the way: over HTTP in, over a WebSocket out, both below a base path.
func TestSocketEndToEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, withBase("/chat"), overTheSocket(t))
	srv := httptest.NewServer(b)
	defer srv.Close()

	client, err := realtimetest.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http")+"/chat/app/"+appKey+"?protocol=7", nil)
	require.NoError(t, err)
	defer client.Close()
	socket := string(client.SocketID())
	form := url.Values{"socket_id": {socket}, "channel_name": {"private-consultation-demo"}}
	auth := b.do(t, "student-1", "POST", "/chat"+channelAuth, form.Encode(), "Content-Type", formType)
	require.Equal(t, 200, auth.status, auth.body)
	var grant realtime.Grant
	require.NoError(t, json.Unmarshal([]byte(auth.body), &grant))
	require.NoError(t, client.Subscribe(t.Context(), "private-consultation-demo", grant))

	own := b.do(t, "student-1", "POST", "/chat"+messages, `{"consultationId":"demo","content":"not to myself"}`, "X-Socket-ID", socket)
	require.Equal(t, 201, own.status, own.body)
	sent := b.do(t, "patient-1", "POST", "/chat"+messages, `{"consultationId":"demo","content":"Grüß Gott"}`)
	require.Equal(t, 201, sent.status, sent.body)
	frame, err := client.NextEvent(t.Context())
	require.NoError(t, err)
	require.Equal(t, "new-message", frame.Event)
	require.JSONEq(t, sent.body, string(frame.Data))
}

// overTheSocket makes messages go out over the WebSocket server instead of the recorder in memory.
func overTheSocket(t *testing.T) func(*httpadapter.Config) {
	return func(c *httpadapter.Config) {
		store := memstore.New()
		server := c.Socket.(*ws.Server)
		var err error
		c.Chat, err = chat.NewService(store, server, nil)
		require.NoError(t, err)
		c.Consultations, err = consultation.NewService(store, server, nil)
		require.NoError(t, err)
		_, err = c.Consultations.Request(t.Context(), consultation.RequestParams{ID: "demo", Topic: "x", Patient: people["patient-1"]})
		require.NoError(t, err)
		sina := people["student-1"]
		_, err = c.Consultations.Accept(t.Context(), consultation.TransitionParams{ID: "demo", By: consultation.Host(), Student: &sina})
		require.NoError(t, err)
	}
}
