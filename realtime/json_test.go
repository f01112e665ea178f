package realtime_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
)

// jsons are the values that the syntax is tried with, and, cut and joined, most of what is no value.
var jsons = []string{
	`{"content":"x","n":[1,2.5,-0,0.1e+9,1E-2,1e5],"t":true,"f":false,"z":null,"o":{},"a":[]}`,
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\\ud800 \u00fc\x7f\"", " \t\r\n[ 1 , \"a\" , { \"k\" : [ ] } ] \n",
	`01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `-01`, `00`, `nul`, `truee`, `"\x"`, `"\u12g4"`, "\"\n\"", `{"a"}`, `{a:1}`,
	`{,}`, `[1,]`, `[,1]`, `{"a":1,}`, `[1 2]`, `{]`, `[}`, `"`, `\`, ``, ` `, `[1}`, `{"a":1]`, "[\f1]", "1\x00", "\ufeff1",
}

// likeTheLibrary fails unless Validate takes data when, and only when, encoding/json does.
func likeTheLibrary(t *testing.T, data string) {
	t.Helper()
	err := validEvent(func(ev *realtime.Event) { ev.Data = json.RawMessage(data) }).Validate()
	want := json.Valid([]byte(data)) && utf8.ValidString(data) && len(data) <= realtime.MaxEventData
	require.Equal(t, want, err == nil, "%q: %v", data, err)
}

// TestValidateJSON compares with encoding/json: each value, each of its parts, and each with one byte changed.
func TestValidateJSON(t *testing.T) {
	t.Parallel()
	for _, s := range jsons {
		for i := range len(s) + 1 {
			likeTheLibrary(t, s[:i])
			likeTheLibrary(t, s[i:])
			for _, c := range []byte("\x00\x1f \"\\{}[],:09-+.eEutfnx/\x7f\x80") {
				likeTheLibrary(t, s[:i]+string(rune(c))+s[min(i+1, len(s)):])
				likeTheLibrary(t, s[:i]+string(rune(c))+s[i:])
			}
		}
	}
	for _, depth := range []int{1, 31, 32, 33, 34, 5_120, 5_121, 10_000, 10_001} {
		likeTheLibrary(t, strings.Repeat("[", depth)+strings.Repeat("]", depth))
		likeTheLibrary(t, strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth))
		likeTheLibrary(t, strings.Repeat("[", depth))
	}
}

// FuzzValidateJSON compares with encoding/json.
func FuzzValidateJSON(f *testing.F) {
	for _, s := range jsons {
		f.Add(s)
	}
	f.Fuzz(likeTheLibrary)
}

func BenchmarkValidate(b *testing.B) {
	ev := validEvent(func(ev *realtime.Event) {
		ev.Data = json.RawMessage(`{"content":"` + strings.Repeat("x", 280) + `"}`)
	})
	for b.Loop() {
		if err := ev.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
