//go:build !unix

package ws

import "net"

// rawSocket is for systems on which a socket can be written to without waiting. On others everything goes through the
// queue.
type rawSocket struct{}

func (*rawSocket) open(net.Conn) {}
func (*rawSocket) isOpen() bool  { return false }
func (*rawSocket) touch() uint32 { return 0 }

func (*rawSocket) write([]byte, *sender) (int, error) { panic("ws: no raw sockets") }
func (*rawSocket) read([]byte) (int, error)           { panic("ws: no raw sockets") }
func (*rawSocket) wait([]byte) int                    { panic("ws: no raw sockets") }

type sender struct{}

func newSender() *sender { return nil }
