//go:build !unix

package ws

import "net"

// rawSocket is for systems on which a socket can be written to without waiting. On others everything goes through the
// queue.
type rawSocket struct{}

func (*rawSocket) open(net.Conn) {}
func (*rawSocket) isOpen() bool  { return false }

func (*rawSocket) write([]byte) (int, error) { panic("ws: no raw sockets") }
func (*rawSocket) read([]byte) (int, error)  { panic("ws: no raw sockets") }
func (*rawSocket) wait([]byte) int           { panic("ws: no raw sockets") }
