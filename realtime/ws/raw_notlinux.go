//go:build unix && (!linux || 386 || s390x)

package ws

import "syscall"

// writeNow is the write of a socket that does not block.
func writeNow(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }
