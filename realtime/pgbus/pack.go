package pgbus

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/murph-chat/murph/realtime"
)

const (
	// maxPayload is how many characters a NOTIFY carries. PostgreSQL takes 7,999; with 8,000 the transaction fails.
	maxPayload = 7900
	// maxPack is how many bytes of frames, with what separates them, become a payload.
	maxPack = maxPayload * 3 / 4
	// separator is how many bytes stand before each frame: its shard, and its length, which is below 1<<14.
	separator = 3
	// MaxFrame is the largest frame that [Bus.Publish] takes, in bytes.
	MaxFrame = 5888
)

var encoding = base64.RawStdEncoding

// pack appends a frame to the frames that go into one payload.
func pack(dst []byte, shard uint8, frame []byte) []byte {
	dst = append(dst, shard)
	dst = binary.AppendUvarint(dst, uint64(len(frame)))
	return append(dst, frame...)
}

// packedFrame is one frame of a pack.
type packedFrame struct {
	shard uint8
	frame []byte
}

// unpack takes apart what pack has put together. It reports false for anything
// else, since every role can notify.
func unpack(packed []byte) (frames []packedFrame, ok bool) {
	for len(packed) > 0 {
		shard := packed[0]
		length, n := binary.Uvarint(packed[1:])
		if shard >= realtime.BusShards || n <= 0 {
			return nil, false
		}
		packed = packed[1+n:]
		if length > uint64(len(packed)) {
			return nil, false
		}
		frames = append(frames, packedFrame{shard, packed[:length:length]})
		packed = packed[length:]
	}
	return frames, true
}

// encode makes the payload of a pack.
func encode(packed []byte) string { return encoding.EncodeToString(packed) }

// decode returns the frames of a payload, or none of a payload that no bus has
// made.
func decode(payload string) []packedFrame {
	packed, err := encoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	frames, _ := unpack(packed)
	return frames
}
