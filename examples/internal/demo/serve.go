package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"time"
)

// DrainTime is how long a stop waits for requests and connections to end.
const DrainTime = 10 * time.Second

// Serve runs the application on addr until ctx ends, and closes it. It prints the two addresses to open; open also tries
// to open them.
func Serve(ctx context.Context, app *App, addr string, open bool) (err error) {
	defer func() { err = closeAfter(err, app) }()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	base := "http://" + listener.Addr().String()
	fmt.Printf("Murph is at %s. Open two windows:\n  %s/?user=patient-1\n  %s/?user=student-1\n", base, base, base)
	if open {
		openBrowser(base + "/?user=patient-1")
		openBrowser(base + "/?user=student-1")
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainTime)
	defer cancel()
	return errors.Join(app.Shutdown(drain), server.Shutdown(drain))
}

// openBrowser does what it can: on a machine without a browser the printed addresses have to do.
func openBrowser(url string) {
	command := map[string][]string{
		"darwin":  {"open"},
		"windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	cmd := exec.Command(command[0], append(command[1:], url)...)
	if err := cmd.Start(); err == nil {
		_ = cmd.Process.Release() // the browser outlives us
	}
}
