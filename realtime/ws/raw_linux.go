//go:build !386 && !s390x

package ws

import (
	"syscall"
	"unsafe"
)

// writeNow is the write of a socket that does not block. It does without the scheduler's bookkeeping for system calls
// that do, and goes past the kernel's layer for files: either would be a part of the cost of every delivery that can be
// measured. A socket that the client has closed is an error, not a signal.
func writeNow(fd int, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
