package pusherproto_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

func TestParseClientFrame(t *testing.T) {
	t.Parallel()
	f, err := pusherproto.ParseClientFrame([]byte(
		`{"event":"client-typing","channel":"private-a","data":{"a":[1,{"a":null}]},"unknown":true,"Event":"other"}`))
	require.NoError(t, err)
	require.Equal(t, pusherproto.ClientFrame{
		Event: "client-typing", Channel: "private-a", Data: json.RawMessage(`{"a":[1,{"a":null}]}`),
	}, f, "names are compared exactly")

	for _, s := range []string{
		"", " ", "null", "1", `"x"`, "[]", "{", "{}", `{"event":null}`, `{"event":""}`, `{"event":1}`, `{"event":["x"]}`,
		`{"event":"x","channel":1}`, `{"event":"x"}{}`, `{"event":"x",}`, "{\"event\":\"\xff\"}", `{"Event":"x"}`,
		`{"event":"x","event":"y"}`, `{"event":"x","\u0065vent":"y"}`, `{"event":"x","data":{"a":1,"a":2}}`,
		`{"event":"x","data":[{"a":{"b":1,"b":1}}]}`, `{"event":"x","data":"a\u0000b"}`, `{"event":"x","a\u0000":1}`,
		`{"event":"` + strings.Repeat("x", realtime.MaxEventName+1) + `"}`,
	} {
		_, err := pusherproto.ParseClientFrame([]byte(s))
		require.ErrorIs(t, err, pusherproto.ErrMalformed, "%q", s)
	}
	for _, s := range []string{
		` { "event" : "x" , "data" : [ ] } `, `{"event":"x","data":{"a":{"k":1},"b":{"k":1}}}`, `{"event":"x","data":-1.5e+3}`,
		`{"event":"x","data":"a\\u0000 is no NUL"}`, `{"event":"x","data":"\"}"}`, `{"event":"x","data":[true,false,null,{}]}`,
		`{"event":"x","data":"\ud83d\ude00"}`, "{\n\t\"event\":\"x\"\r\n}",
	} {
		_, err := pusherproto.ParseClientFrame([]byte(s))
		require.NoError(t, err, "%q", s)
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int, open, shut string) []byte {
		return []byte(`{"event":"x","data":` + strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) + `}`)
	}
	for _, brackets := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		_, err := pusherproto.ParseClientFrame(nested(pusherproto.MaxDepth-1, brackets[0], brackets[1]))
		require.NoError(t, err)
		_, err = pusherproto.ParseClientFrame(nested(pusherproto.MaxDepth, brackets[0], brackets[1]))
		require.ErrorIs(t, err, pusherproto.ErrMalformed)
	}
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	want := pusherproto.Subscribe{Channel: "private-a", Auth: "k:s", ChannelData: `{"user_id":"1"}`}
	for _, data := range []string{
		`{"channel":"private-a","auth":"k:s","channel_data":"{\"user_id\":\"1\"}"}`,
		`"{\"channel\":\"private-a\",\"auth\":\"k:s\",\"channel_data\":\"{\\\"user_id\\\":\\\"1\\\"}\"}"`,
	} {
		f, err := pusherproto.ParseClientFrame([]byte(`{"event":"pusher:subscribe","data":` + data + `}`))
		require.NoError(t, err)
		got, err := f.Subscribe()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, data := range []string{
		`null`, `1`, `[]`, `{}`, `""`, `"x"`, `"[]"`, `{"channel":""}`, `{"channel":1}`, `{"channel":"a","auth":1}`,
		`{"channel":"a","channel_data":{"user_id":"1"}}`,
		`"{\"channel\":\"a\",\"channel\":\"b\"}"`, // the strict pass goes into the string too
		`"{\"channel\":\"a\\u0000\"}"`,
	} {
		_, err := pusherproto.ClientFrame{Event: "pusher:subscribe", Data: json.RawMessage(data)}.Subscribe()
		require.ErrorIs(t, err, pusherproto.ErrMalformed, data)
	}
	_, err := pusherproto.ClientFrame{Event: "pusher:subscribe"}.Subscribe()
	require.ErrorIs(t, err, pusherproto.ErrMalformed)
}

func TestParseChannelData(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]realtime.Member{
		`{"user_id":"1"}`: {UserID: "1"},
		`{"user_id":10}`:  {UserID: "10"},
		`{"user_id":"a","user_info":{"name" : "A"}}`:    {UserID: "a", Info: json.RawMessage(`{"name":"A"}`)},
		`{"user_id":"1","user_info":null}`:              {UserID: "1"},
		`{"user_id":"1","user_info":[],"unknown":true}`: {UserID: "1", Info: json.RawMessage(`[]`)},
		`{}`: {}, `{"user_id":null}`: {}, `{"user_id":""}`: {}, `{"user_info":{"a":1}}`: {Info: json.RawMessage(`{"a":1}`)},
	} {
		got, err := pusherproto.ParseChannelData(s)
		require.NoError(t, err, s)
		require.Equal(t, pusherproto.ChannelData{Member: want}, got)
	}
	got, err := pusherproto.ParseChannelData(`{"user_id":"1","signed_at":1700000000123}`)
	require.NoError(t, err)
	require.Equal(t, time.UnixMilli(1700000000123), got.IssuedAt)
	for _, s := range []string{
		"", "1", `{"user_id":1.5}`, `{"user_id":-1}`, `{"user_id":1e3}`,
		`{"user_id":true}`, `{"user_id":["1"]}`, `{"user_id":"1","user_id":"2"}`, `{"user_id":"1","signed_at":"1"}`,
		`{"user_id":"` + strings.Repeat("x", 129) + `"}`,
	} {
		_, err := pusherproto.ParseChannelData(s)
		require.ErrorIs(t, err, pusherproto.ErrMalformed, s)
	}
}

func TestIsCache(t *testing.T) {
	t.Parallel()
	for ch, want := range map[realtime.Channel]bool{
		"cache-a": true, "private-cache-a": true, "private-encrypted-cache-a": true, "presence-cache-a": true,
		"a": false, "cache": false, "private-a-cache-": false, "private-a": false, "encrypted-cache-a": false,
	} {
		require.Equal(t, want, pusherproto.IsCache(ch), ch)
	}
}

// FuzzParseClientFrame looks for input that passes and that encoding/json reads in another way.
func FuzzParseClientFrame(f *testing.F) {
	for _, s := range []string{
		`{"event":"pusher:subscribe","data":{"auth":"","channel":"lobby"}}`,
		`{"event":"pusher:subscribe","data":"{\"channel\":\"a\"}"}`,
		`{"event":"pusher:ping","data":{}}`, `{"event":"client-x","channel":"private-a","data":[1,"\u0000",{"a":1,"a":2}]}`,
		`{"event":"x","event":"y"}`, "{\"event\":\"\xff\"}", `[[[[`, `{"event":"pusher:signin","data":{"user_data":"{}"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := pusherproto.ParseClientFrame(b)
		if err != nil {
			return
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("passes what is no object: %v", err)
		}
		if m["event"] != frame.Event {
			t.Errorf("event %q, want %q", frame.Event, m["event"])
		}
		// Written again by encoding/json, nothing may be lost: a key that occurred twice would be.
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Count(string(again), `":`), countKeys(t, b); got < want {
			t.Errorf("%d keys, want %d", got, want)
		}
		if strings.Contains(string(again), `\u0000`) && !strings.Contains(string(again), `\\u0000`) {
			t.Error("passes a NUL")
		}
		if sub, err := frame.Subscribe(); err == nil && sub.Channel == "" {
			t.Error("a subscription without a channel")
		}
	})
}

// countKeys counts the members of all objects in b by their tokens.
func countKeys(t *testing.T, b []byte) int {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(b)))
	type level struct{ object, value bool }
	var stack []level
	n := 0
	for dec.More() || len(stack) > 0 {
		tok, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		top := len(stack) - 1
		if top >= 0 && stack[top].object && !stack[top].value && tok != json.Delim('}') {
			n++
			stack[top].value = true
			continue
		}
		if top >= 0 {
			stack[top].value = false
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			stack = append(stack, level{object: tok == json.Delim('{')})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		}
	}
	return n
}

func FuzzParseChannelData(f *testing.F) {
	f.Add(`{"user_id":10,"user_info":{"name":"Mr. Channels"}}`)
	f.Add(`{"user_id":"a"}`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := pusherproto.ParseChannelData(s)
		if err == nil && (len(m.UserID) > pusherproto.MaxUserID || m.Info != nil && !json.Valid(m.Info)) {
			t.Errorf("%q gives %+v", s, m)
		}
	})
}
