package cluster

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// A frame is a version, a nonce, and a ciphertext (XChaCha20-Poly1305) of the
// sending node, the frame's number on that node and shard, and records. The
// version and the shard are authenticated with it. Programs with access to the
// engine and without the key can drop frames and repeat old ones, and no more.
const (
	version   = 2
	nonceSize = chacha20poly1305.NonceSizeX
	// sealStart is where the ciphertext begins.
	sealStart = 1 + nonceSize
	// headSize is the size of the node and the number, which stand before the
	// records.
	headSize  = 8 + 8
	frameCost = sealStart + headSize + chacha20poly1305.Overhead
	nameSize  = 16 // bytes of the bus's name, before hexadecimal
)

// NodeID names one run of one process. It is random, so a process that starts again is another node.
type NodeID uint64

var (
	errVersion = errors.New("cluster: a frame of another version")
	errFrame   = errors.New("cluster: a frame that no node of this cluster has made")
)

// secrets are derived from the application's credentials, so that applications
// with different ones do not hear each other on the same engine.
type secrets struct {
	key  []byte // of the frames
	name string // for [realtime.Bus.Run]
}

// derive fails only where the process may use no other than approved
// algorithms.
func derive(secret, app string) (secrets, error) {
	expand := func(purpose string, size int) ([]byte, error) {
		return hkdf.Key(sha256.New, []byte(secret), nil, "murph cluster 2 "+purpose+"\x00"+app, size)
	}
	key, err := expand("frames", chacha20poly1305.KeySize)
	if err != nil {
		return secrets{}, fmt.Errorf("cluster: derive the key of the frames: %w", err)
	}
	name, err := expand("name", nameSize)
	if err != nil {
		return secrets{}, fmt.Errorf("cluster: derive the name of the bus: %w", err)
	}
	return secrets{key, hex.EncodeToString(name)}, nil
}

// sealer seals and opens frames. It is for one goroutine.
type sealer struct {
	aead  cipher.AEAD
	extra [2]byte // the associated data
}

func newSealer(key []byte) (*sealer, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("cluster: make the cipher of the frames: %w", err)
	}
	return &sealer{aead: aead}, nil
}

// associated returns the version and the shard.
func (s *sealer) associated(shard uint8) []byte {
	s.extra = [2]byte{version, shard}
	return s.extra[:]
}

// begin starts a frame in dst, with room for the nonce. Records follow, and
// then seal.
func begin(dst []byte, node NodeID, n uint64) []byte {
	dst = append(dst, version)
	dst = append(dst, make([]byte, nonceSize)...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(node))
	return binary.BigEndian.AppendUint64(dst, n)
}

// seal ends the frame, in place.
func (s *sealer) seal(shard uint8, frame []byte) []byte {
	nonce := frame[1:sealStart]
	_, _ = rand.Read(nonce) // never fails (crypto/rand, Go 1.24)
	return s.aead.Seal(frame[:sealStart], nonce, frame[sealStart:], s.associated(shard))
}

// frame is one that has been opened. records points into what was received.
type frame struct {
	node    NodeID
	n       uint64
	records []byte
}

// open opens a frame in place.
func (s *sealer) open(shard uint8, b []byte) (frame, error) {
	if len(b) > 0 && b[0] != version {
		return frame{}, errVersion
	}
	if len(b) < frameCost {
		return frame{}, errFrame
	}
	sealed := b[sealStart:]
	plain, err := s.aead.Open(sealed[:0], b[1:sealStart], sealed, s.associated(shard))
	if err != nil {
		return frame{}, errFrame
	}
	return frame{
		node:    NodeID(binary.BigEndian.Uint64(plain)),
		n:       binary.BigEndian.Uint64(plain[8:]),
		records: plain[headSize:],
	}, nil
}
