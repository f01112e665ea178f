package realtime_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

func validEvent(change ...func(*realtime.Event)) realtime.Event {
	ev := realtime.Event{Channel: "private-a", Name: "new-message", Data: json.RawMessage(`{"content":"hello"}`)}
	for _, f := range change {
		f(&ev)
	}
	return ev
}

func TestValidate(t *testing.T) {
	t.Parallel()
	data := func(s string) func(*realtime.Event) { return func(ev *realtime.Event) { ev.Data = json.RawMessage(s) } }
	name := func(s string) func(*realtime.Event) { return func(ev *realtime.Event) { ev.Name = s } }
	largest := `"` + strings.Repeat("x", realtime.MaxEventData-2) + `"`

	for what, f := range map[string]func(*realtime.Event){
		"plain":          func(*realtime.Event) {},
		"null":           data("null"),
		"a string":       data(`"ü"`),
		"largest data":   data(largest),
		"longest name":   name(strings.Repeat("x", realtime.MaxEventName)),
		"no thin form":   func(ev *realtime.Event) { ev.Thin = nil },
		"an exception":   func(ev *realtime.Event) { ev.Except = "1.1" },
		"a client event": name("client-typing"),
	} {
		require.NoError(t, validEvent(f).Validate(), what)
	}
	for what, f := range map[string]func(*realtime.Event){
		"no channel":          func(ev *realtime.Event) { ev.Channel = "" },
		"bad channel":         func(ev *realtime.Event) { ev.Channel = "a:b" },
		"no name":             name(""),
		"long name":           name(strings.Repeat("x", realtime.MaxEventName+1)),
		"name not UTF-8":      name("\xff"),
		"protocol's name":     name("pusher:ping"),
		"internal name":       name("pusher_internal:member_added"),
		"no data":             data(""),
		"not JSON":            data("{"),
		"two values":          data("1 2"),
		"data not UTF-8":      data("\"\xff\""),
		"data one byte more":  data(`"` + strings.Repeat("x", realtime.MaxEventData-1) + `"`),
		"the zero value":      func(ev *realtime.Event) { *ev = realtime.Event{} },
		"NaN is not in JSON":  data("NaN"),
		"a comment is not in": data("{}//"),
	} {
		require.ErrorIs(t, validEvent(f).Validate(), realtime.ErrInvalidEvent, what)
	}
	require.ErrorIs(t, validEvent(func(ev *realtime.Event) { ev.Channel = "" }).Validate(), realtime.ErrInvalidChannel)
	require.ErrorIs(t, validEvent(data(largest+" ")).Validate(), realtime.ErrTooLarge)
	require.NotErrorIs(t, validEvent(data("{")).Validate(), realtime.ErrTooLarge)
}

// TestNothingOfAnEventLeaks looks for the content in what ends up in logs.
func TestNothingOfAnEventLeaks(t *testing.T) {
	t.Parallel()
	const canary = "canary"
	ev := validEvent(func(ev *realtime.Event) {
		ev.Data = json.RawMessage(`{"content":"` + canary + `"}`)
		ev.Thin = json.RawMessage(`"` + canary + `"`)
	})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("event", slog.Any("event", ev))
	require.NotContains(t, log.String(), canary)
	require.Contains(t, log.String(), `"event":{"channel":"private-a","name":"new-message","bytes":20}`)

	ev.Data = json.RawMessage(canary)
	require.NotContains(t, ev.Validate().Error(), canary)
	ev.Name = "pusher:" + canary
	require.NotContains(t, ev.Validate().Error(), canary)
}

func FuzzValidate(f *testing.F) {
	f.Add("private-a", "new-message", []byte(`{}`))
	f.Add("a:b", "pusher:x", []byte("\xff"))
	f.Fuzz(func(t *testing.T, channel, name string, data []byte) {
		ev := realtime.Event{Channel: realtime.Channel(channel), Name: name, Data: data}
		if ev.Validate() != nil {
			return
		}
		if !realtime.IsNameSafe(channel) || name == "" || !utf8.ValidString(name) || !utf8.Valid(data) ||
			!json.Valid(data) || len(data) > realtime.MaxEventData {
			t.Errorf("Validate() passes %q %q %q", channel, name, data)
		}
	})
}
