//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
)

// A record on the control connection is the number of a channel and of a message, both as 32 bits.
const recordSize = 8

// collect, as a channel, has the server give memory back to the system and answer with one byte.
const collect = 1<<32 - 1

// appendRecord appends a record.
func appendRecord(b []byte, channel, message uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, channel), message)
}

func parseRecord(b []byte) (channel, message uint32) {
	return binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
}

// channelName is the name of a channel on all servers.
func channelName(n uint32) string { return fmt.Sprintf("chat-%d", n) }

// mark stands in front of the number of a message, and nowhere else in one.
const mark = '~'

var padding = strings.Repeat("x", 270)

// payload is the data of a message: 300 bytes of JSON.
func payload(message uint32) []byte {
	return fmt.Appendf(nil, `{"n":"%c%08d","content":"%s"}`, mark, message, padding[:270])
}

// publications serves the control connection of a server written with net/http.
func publications(l net.Listener, publish func(channel string, data []byte) error) error {
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	names := map[uint32]string{}
	var record [recordSize]byte
	for {
		if _, err := io.ReadFull(r, record[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		channel, message := parseRecord(record[:])
		if channel == collect {
			giveBack()
			if _, err := conn.Write([]byte{1}); err != nil {
				return err
			}
			continue
		}
		if names[channel] == "" {
			names[channel] = channelName(channel)
		}
		if err := publish(names[channel], payload(message)); err != nil {
			return err
		}
	}
}

// giveBack collects twice: stacks shrink by half in each collection.
func giveBack() {
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
}
