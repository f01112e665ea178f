package ws

import (
	"syscall"
	"unsafe"
)

// writeNow is the write of a socket that does not block. It does without the scheduler's bookkeeping for system calls
// that do, which would take part of the time of every delivery.
func writeNow(fd int, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
