package pusherproto_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

func TestServerFrames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string][]byte{
		`{"event":"pusher:connection_established","data":"{\"socket_id\":\"123.456\",\"activity_timeout\":30}"}`:       pusherproto.ConnectionEstablished("123.456", 30),
		`{"event":"pusher_internal:subscription_succeeded","channel":"a","data":"{}"}`:                                 pusherproto.SubscriptionSucceeded("a"),
		`{"event":"pusher:subscription_error","channel":"a\"b","data":{"type":"AuthError","error":"no","status":401}}`: pusherproto.SubscriptionError(`a"b`, "AuthError", "no", 401),
		`{"event":"pusher:error","data":{"code":null,"message":"a"}}`:                                                  pusherproto.Error(pusherproto.CodeNone, "a"),
		`{"event":"pusher:error","data":{"code":4301,"message":"a"}}`:                                                  pusherproto.Error(pusherproto.CodeClientEventRejected, "a"),
		`{"event":"pusher:ping","data":{}}`:                                                                            pusherproto.FramePing,
		`{"event":"pusher:pong","data":{}}`:                                                                            pusherproto.FramePong,
		`{"event":"new-message","channel":"private-a","data":"{\"content\":\"\\\"<ü>\\n\"}"}`: pusherproto.AppendEvent(nil,
			realtime.Event{Name: "new-message", Channel: "private-a", Data: json.RawMessage(`{"content":"\"<ü>\n"}`)}),
	} {
		require.Equal(t, want, string(got))
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                `""`,
		"a\"\\/b":         `"a\"\\/b"`,
		"\n\r\t\b\f\x00":  `"\n\r\t\u0008\u000c\u0000"`,
		"\x7f\x1f":        "\"\x7f\\u001f\"",
		"<>&\u2028":       "\"<>&\u2028\"",
		"Grüße 世界 👩‍⚕️":   `"Grüße 世界 👩‍⚕️"`,
		"\xffa\xc3":       "\"\ufffda\ufffd\"",
		"\xed\xa0\x80":    "\"\ufffd\ufffd\ufffd\"",
		"\ufffd is valid": "\"\ufffd is valid\"",
	} {
		require.Equal(t, want, string(pusherproto.AppendString(nil, in)), "%q", in)
		require.Equal(t, "x"+want, string(pusherproto.AppendString([]byte("x"), []byte(in))), "%q", in)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"\\\n", "\xff", "ü\u2028", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := pusherproto.AppendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil || !utf8.Valid(b) {
			t.Fatalf("AppendString(%q) = %q", s, b)
		}
		want := s
		if !utf8.ValidString(s) {
			data, _ := json.Marshal(s) // does the same with what is not UTF-8
			_ = json.Unmarshal(data, &want)
		}
		if got != want {
			t.Errorf("AppendString(%q) reads as %q", s, got)
		}
	})
}

// FuzzAppendEvent wraps a payload and unwraps it like a client.
func FuzzAppendEvent(f *testing.F) {
	f.Add("new-message", []byte(`{"content":"a\"b"}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		ev := realtime.Event{Channel: "private-a", Name: name, Data: data}
		if ev.Validate() != nil {
			return
		}
		var frame struct{ Event, Channel, Data string }
		if err := json.Unmarshal(pusherproto.AppendEvent(nil, ev), &frame); err != nil {
			t.Fatal(err)
		}
		if frame.Event != name || frame.Channel != "private-a" || frame.Data != string(data) {
			t.Errorf("%+v", frame)
		}
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	ev := realtime.Event{Channel: "private-consultation-1", Name: "new-message",
		Data: json.RawMessage(`{"id":"1","content":"` + strings.Repeat("ü ", 100) + `"}`)}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = pusherproto.AppendEvent(buf[:0], ev)
	}
}

func BenchmarkParseClientFrame(b *testing.B) {
	frame := []byte(`{"event":"pusher:subscribe","data":{"auth":"app-key:0123456789abcdef","channel":"private-consultation-1"}}`)
	b.ReportAllocs()
	for b.Loop() {
		f, err := pusherproto.ParseClientFrame(frame)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Subscribe(); err != nil {
			b.Fatal(err)
		}
	}
}
