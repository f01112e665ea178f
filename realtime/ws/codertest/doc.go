// Package codertest shows that realtime/ws moves from nhooyr.io/websocket to its maintained successor,
// github.com/coder/websocket, by a change of one import: its test compiles the package with accept.go changed in just
// that line, by way of go test -overlay, and runs the package's own tests.
//
//	cd realtime/ws/codertest && GOWORK=off go test .
//
// It is a module of its own, so that nobody who embeds the library gets both.
package codertest
