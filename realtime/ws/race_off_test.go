//go:build !race

package ws_test

// raceDetector is whether the tests run under it. It takes no more than 8,128 goroutines.
const raceDetector = false
