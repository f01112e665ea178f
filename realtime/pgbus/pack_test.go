package pgbus_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pgbus"
)

func TestLargestFrameFits(t *testing.T) {
	t.Parallel()
	frame := bytes.Repeat([]byte{0xff}, pgbus.MaxFrame)
	payload := pgbus.Encode(15, frame)
	if len(payload) > pgbus.MaxPayload {
		t.Errorf("the payload has %d characters, want at most %d", len(payload), pgbus.MaxPayload)
	}
	var got [][]byte
	pgbus.Decode(payload, func(_ uint8, f []byte) { got = append(got, f) })
	if len(got) != 1 || !bytes.Equal(got[0], frame) {
		t.Errorf("%d frames came back", len(got))
	}
}

func TestFramesOfOnePayload(t *testing.T) {
	t.Parallel()
	payload := pgbus.Encode(3, []byte("one"), nil, []byte("three"))
	if strings.Trim(payload, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != "" {
		t.Errorf("payload %q has other characters than base64", payload)
	}
	var got []string
	take := func(shard uint8, frame []byte) {
		if shard != 3 {
			t.Errorf("shard %d, want 3", shard)
		}
		got = append(got, string(frame))
		_ = append(frame, "over the next one"...)
	}
	pgbus.Decode(payload, take)
	if strings.Join(got, "|") != "one||three" {
		t.Errorf("got %q", got)
	}
}

func TestStrangePayloads(t *testing.T) {
	t.Parallel()
	encoded := func(packed string) string { return base64.RawStdEncoding.EncodeToString([]byte(packed)) }
	for name, payload := range map[string]string{
		"nothing":              "",
		"no base64":            "{}",
		"half a separator":     "AA",
		"a shard too high":     encoded("\x10\x01a"),
		"a length too long":    encoded("\x01\x02a"),
		"a length of 1<<63":    encoded("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"a length of 1<<70":    encoded("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"no length":            encoded("\x01"),
		"nonsense at the end":  encoded("\x01\x01a\x01"),
		"the probe of another": "?ABC",
	} {
		pgbus.Decode(payload, func(shard uint8, frame []byte) {
			t.Errorf("%s: a frame of %d bytes on shard %d", name, len(frame), shard)
		})
	}
}

// FuzzUnpack takes apart what anybody may have sent.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x00\x00"))
	f.Add([]byte("\x03\x05frame\x0f\x01x"))
	f.Add([]byte("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		size := 0
		ok := pgbus.Unpack(packed, func(shard uint8, frame []byte) {
			if shard >= realtime.BusShards {
				t.Fatalf("shard %d", shard)
			}
			if cap(frame) != len(frame) {
				t.Fatal("a frame has room for more, in which the next one is")
			}
			size += 2 + len(frame)
		})
		if size > len(packed) {
			t.Fatalf("%d bytes out of %d", size, len(packed))
		}
		if !ok && size > 0 {
			t.Fatal("frames came out of what is refused")
		}
	})
}

// FuzzPayload decodes a NOTIFY of anybody's.
func FuzzPayload(f *testing.F) {
	f.Add("")
	f.Add("?probe")
	f.Add(pgbus.Encode(1, []byte("frame"), nil))
	f.Fuzz(func(t *testing.T, payload string) {
		pgbus.Decode(payload, func(shard uint8, frame []byte) {
			if shard >= realtime.BusShards || len(frame) > len(payload) {
				t.Fatalf("%d bytes on shard %d", len(frame), shard)
			}
		})
	})
}
