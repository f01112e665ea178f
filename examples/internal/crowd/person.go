package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// person is one user of the demo.
type person struct {
	url, id string
	room    consultation.ID
	client  *http.Client
	tabs    []*tab

	mu    sync.Mutex // guards what follows
	acked []string   // clientMessageIds
}

func newPerson(url, id string) *person {
	return &person{url: url, id: id, client: &http.Client{Timeout: 15 * time.Second}}
}

func (p *person) acknowledged() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.acked)
}

// do makes one request. An answer of 300 and above is an error.
func (p *person) do(ctx context.Context, method, path string, body, out any) (int, error) {
	var content io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		content, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, content)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", kind)
	req.AddCookie(&http.Cookie{Name: "murph_demo", Value: p.id})
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(out)
}

// write sends one message until it is acknowledged, or ctx ends.
func (p *person) write(ctx context.Context, from *tab, b *book) {
	text := fmt.Sprintf("message %d", b.writes())
	key := strings.ReplaceAll(p.id+" "+text, " ", "-")
	body := map[string]string{"consultationId": string(p.room), "content": text, "clientMessageId": key}
	if id := from.socketID(); id != "" {
		body["socketId"] = id
		from.expectNot(key)
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		var answer json.RawMessage
		_, err := p.do(ctx, "POST", "/api/nachrichten", body, &answer)
		if err == nil {
			err = from.sent(answer)
		}
		if err == nil {
			p.mu.Lock()
			p.acked = append(p.acked, key)
			p.mu.Unlock()
			b.acks()
			return
		}
		b.retries()
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// stored returns all messages of the person's consultation.
func (p *person) stored(ctx context.Context) ([]chat.Message, error) {
	var all []chat.Message
	for before := int64(0); ; {
		path := "/api/beratungen/" + string(p.room) + "?limit=200"
		if before > 0 {
			path += fmt.Sprintf("&before=%d", before)
		}
		var page struct {
			Messages []chat.Message
			HasMore  bool
		}
		if _, err := p.do(ctx, "GET", path, nil, &page); err != nil {
			return nil, err
		}
		all = append(page.Messages, all...)
		if !page.HasMore || len(page.Messages) == 0 {
			return all, nil
		}
		before = page.Messages[0].Seq
	}
}

// authorise asks for a signature, as pusher-js does. It returns errRefused for an answer of 403.
func (p *person) authorise(ctx context.Context, socket realtime.SocketID, ch realtime.Channel) (realtime.Grant, error) {
	var grant realtime.Grant
	form := url.Values{"socket_id": {string(socket)}, "channel_name": {string(ch)}}
	status, err := p.do(ctx, "POST", "/api/pusher/auth", form, &grant)
	if status == http.StatusForbidden {
		err = fmt.Errorf("%s: %w", ch, errRefused)
	}
	return grant, err
}
