package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
)

// seen is what the tests of this package have met of what is described: "POST sendMessage 201", "new-message".
var seen sync.Map

// TestMain also asks, after a run of all tests, whether each answer and each event that is described was met.
func TestMain(m *testing.M) {
	code := m.Run()
	filtered := false
	flag.Visit(func(f *flag.Flag) {
		filtered = filtered || slices.Contains([]string{"test.run", "test.skip", "test.list", "test.fuzz"}, f.Name)
	})
	if code == 0 && !filtered {
		for _, what := range unseen() {
			fmt.Println("described, but in no test:", what)
			code = 1
		}
	}
	os.Exit(code)
}

// unprovoked are the answers that no test here can bring about.
var unprovoked = regexp.MustCompile(`^(connect (101|400|403|501)|.* 503|.* 500|.* 408)$`)

func unseen() (missing []string) {
	whole := parse(newDescribed().OpenAPI())
	for _, item := range whole["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			o := operation.(map[string]any)
			for status := range o["responses"].(map[string]any) {
				what := fmt.Sprint(o["operationId"], " ", status)
				if _, ok := seen.Load(what); !ok && !unprovoked.MatchString(what) {
					missing = append(missing, what)
				}
			}
		}
	}
	for name := range parse(chat.EventSchemas())["$defs"].(map[string]any) {
		if _, ok := seen.Load(name); !ok && strings.Contains(name, "-") {
			missing = append(missing, name)
		}
	}
	return missing
}

// contract holds every answer of a handler to the handler's own description.
type contract struct {
	t *testing.T
	*httpadapter.Handler
	root map[string]any
}

func holdToContract(t *testing.T, h *httpadapter.Handler) *contract {
	return &contract{t, h, parse(h.OpenAPI())}
}

// Register puts the contract on the mux instead of what is below it.
func (c *contract) Register(mux httpadapter.Mux) { c.Handler.Register(contractMux{mux, c}) }

type contractMux struct {
	httpadapter.Mux
	c *contract
}

func (m contractMux) Handle(pattern string, _ http.Handler) { m.Mux.Handle(pattern, m.c) }

// copied is a ResponseWriter that keeps a copy. What is behind it can be reached, for the socket.
type copied struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *copied) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *copied) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *copied) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked bytes.Buffer
	if r.Body != nil {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, &asked), r.Body}
	}
	out := &copied{ResponseWriter: w}
	c.Handler.ServeHTTP(out, r)
	if out.status == 0 || out.status == 499 { // taken over by the socket, or nobody is left
		return
	}
	if err := c.check(r, asked.Bytes(), out); err != nil {
		c.t.Errorf("%s %s is answered %d, which is not as described: %v\n%s", r.Method, r.URL.Path, out.status, err, out.body.Bytes())
	}
}

func (c *contract) check(r *http.Request, asked []byte, out *copied) error {
	operation, known := c.operation(r)
	name := fmt.Sprint(out.status)
	var response any
	switch {
	case operation != nil:
		id := operation["operationId"]
		if response = operation["responses"].(map[string]any)[name]; response == nil {
			return fmt.Errorf("%s has no %s", id, name)
		}
		if out.status < 300 {
			if err := c.checkRequest(r, operation, asked); err != nil {
				return fmt.Errorf("the request: %w", err)
			}
		}
		seen.Store(fmt.Sprint(id, " ", name), true)
	case known && r.Method == http.MethodOptions && out.status == http.StatusNoContent:
		response = map[string]any{"$ref": "#/components/responses/Options"}
	case known && out.status == http.StatusMethodNotAllowed:
		response = map[string]any{"$ref": "#/components/responses/MethodNotAllowed"}
	case !known && out.status == http.StatusNotFound:
		response = map[string]any{"$ref": "#/components/responses/NotFound"}
	default:
		return fmt.Errorf("there is no such operation")
	}
	return c.checkResponse(r, response.(map[string]any), out)
}

// operation finds what the request asks for; known says that there is such a path.
func (c *contract) operation(r *http.Request) (operation map[string]any, known bool) {
	wildcard := compiled(`\\\{\w+\\\}`)
	best := ""
	for path := range c.root["paths"].(map[string]any) {
		pattern := wildcard.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+")
		literal := !strings.Contains(path, "{")
		if compiled("^"+pattern+"$").MatchString(r.URL.Path) && (best == "" || literal) {
			best = path
		}
	}
	if best == "" {
		return nil, false
	}
	method := strings.ToLower(r.Method)
	item := c.root["paths"].(map[string]any)[best].(map[string]any)
	if method == "head" && !strings.HasSuffix(best, "/{key}") {
		method = "get"
	}
	operation, _ = item[method].(map[string]any)
	return operation, true
}

func (c *contract) checkRequest(r *http.Request, operation map[string]any, asked []byte) error {
	body, ok := operation["requestBody"].(map[string]any)
	if !ok {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	content, ok := body["content"].(map[string]any)[media].(map[string]any)
	if !ok {
		return fmt.Errorf("the type %q is not described", media)
	}
	var value map[string]any
	if media != "application/json" || json.Unmarshal(asked, &value) != nil {
		return nil
	}
	s := schema{c.root, content["schema"]}.resolve(content["schema"].(map[string]any)["$ref"].(string))
	for name := range value { // unknown fields are ignored, as the description says
		if _, described := s.node.(map[string]any)["properties"].(map[string]any)[name]; !described {
			delete(value, name)
		}
	}
	return s.check(value)
}

func (c *contract) checkResponse(r *http.Request, response map[string]any, out *copied) error {
	if ref, ok := response["$ref"].(string); ok {
		response = schema{root: c.root}.resolve(ref).node.(map[string]any)
	}
	headers, _ := response["headers"].(map[string]any)
	for name, header := range headers {
		h := header.(map[string]any)
		value := out.Header().Get(name)
		if value == "" && h["required"] == true {
			return fmt.Errorf("the header %s is missing", name)
		}
		if err := (schema{c.root, h["schema"]}).check(value); value != "" && err != nil {
			return fmt.Errorf("the header %s: %w", name, err)
		}
	}
	content, _ := response["content"].(map[string]any)
	media, _, _ := mime.ParseMediaType(out.Header().Get("Content-Type"))
	if content == nil {
		if strings.Contains(r.URL.Path, "/app/") { // in the words of the WebSocket library
			return nil
		}
		return must(out.body.Len() == 0, "there is a body")
	}
	described, ok := content[media].(map[string]any)
	if !ok {
		return fmt.Errorf("the type %q is not described", media)
	}
	var value any
	if err := json.Unmarshal(out.body.Bytes(), &value); err != nil {
		return err
	}
	return schema{c.root, described["schema"]}.check(value)
}

// checkEvents holds events, and what a transport may send in their place, to the schemas of the events.
func checkEvents(t *testing.T, events []realtime.Event) {
	t.Helper()
	root := parse(chat.EventSchemas())
	for _, ev := range events {
		payloads := [][]byte{ev.Data}
		if ev.Thin != nil {
			payloads = append(payloads, ev.Thin)
		}
		for _, payload := range payloads {
			var value any
			require.NoError(t, json.Unmarshal(payload, &value))
			require.NoError(t, schema{root: root}.resolve("#/$defs/"+ev.Name).check(value), "%s %s", ev.Name, payload)
		}
		seen.Store(ev.Name, true)
	}
}
