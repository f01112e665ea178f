package ws

import (
	"encoding/binary"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Opcodes of RFC 6455 §5.2.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
)

// maxControlPayload is the longest payload of a control frame (RFC 6455 §5.5).
const maxControlPayload = 125

const (
	finalFragment = 0x80 // in the first byte of a frame
	controlFrame  = 0x08 // in the first byte
	maskedPayload = 0x80 // in the second byte
)

// appendFrame appends an unmasked, unfragmented frame (RFC 6455 §5.2). What a server sends is the same for all
// clients, which is why an event is framed once.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, finalFragment|opcode)
	switch n := len(payload); {
	case n <= 125:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// textFrame makes the frame of one message.
func textFrame(payload []byte) []byte {
	return appendFrame(make([]byte, 0, len(payload)+10), opText, payload)
}

// closeFrame makes a close frame (RFC 6455 §5.5.1). The reason is a constant of ours, at most 123 bytes.
func closeFrame(code pusherproto.Code, reason string) []byte {
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return appendFrame(nil, opClose, append(payload, reason...))
}

// inbound follows the frames in what a client sends, and so knows whether a message is half received. It judges
// nothing: the library refuses what RFC 6455 forbids, and the connection ends then.
type inbound struct {
	header  [14]byte
	have    int    // bytes of header
	payload uint64 // bytes that are still to come
	open    bool   // within a fragmented message
	closed  bool   // a close frame has begun
	ending  bool   // within the first close frame
	reason  []byte // its payload, as far as it has arrived
	mask    [4]byte
	frames  int // have begun since somebody has counted
	pings   int // of frames
}

func (f *inbound) advance(p []byte) {
	for len(p) > 0 {
		if f.payload > 0 {
			n := min(uint64(len(p)), f.payload)
			if f.ending {
				f.keepReason(p[:n])
			}
			f.payload -= n
			p = p[n:]
			continue
		}
		f.header[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have >= 2 && f.have == f.headerSize() {
			f.begin()
		}
	}
}

// headerSize is known once two bytes are there.
func (f *inbound) headerSize() int {
	n := 2
	switch f.header[1] &^ maskedPayload {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.header[1]&maskedPayload != 0 {
		n += 4
	}
	return n
}

// begin starts on the payload of the frame whose header is complete.
func (f *inbound) begin() {
	switch n := f.header[1] &^ maskedPayload; n {
	case 126:
		f.payload = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.payload = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.payload = uint64(n)
	}
	if f.header[0]&controlFrame == 0 {
		f.open = f.header[0]&finalFragment == 0
	}
	f.ending = f.header[0]&0x0f == opClose && !f.closed
	if f.ending {
		f.closed = true
		f.mask = [4]byte{}
		if f.header[1]&maskedPayload != 0 {
			copy(f.mask[:], f.header[f.have-4:])
		}
	}
	f.have = 0
	f.frames++
	if f.header[0]&0x0f == opPing {
		f.pings++
	}
}

// keepReason keeps what a control frame has room for.
func (f *inbound) keepReason(p []byte) {
	for _, b := range p[:min(len(p), maxControlPayload-len(f.reason))] {
		f.reason = append(f.reason, b^f.mask[len(f.reason)%len(f.mask)])
	}
}

// between reports whether everything that was received is whole messages.
func (f *inbound) between() bool { return f.have == 0 && f.payload == 0 && !f.open }
