// Swap runs one application and one page over three transports, and nothing but the transport changes: hosted Pusher
// Channels, a WebSocket server in this process, or none, in which case the page asks for changes.
//
//	go run ./examples/swap -transport websocket
//	go run ./examples/swap -transport poll
//	PUSHER_APP_ID=… PUSHER_SECRET=… PUSHER_KEY=… PUSHER_CLUSTER=eu go run ./examples/swap -transport pusher
//
// With -pusher-host the second and third take the place of each other in another way: a stand-alone server of the same
// protocol, such as examples/pusherserver, instead of the hosted one. MURPH_SEND_RATE and /healthz are those of
// examples/murph.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/pusher"
)

func main() {
	var cfg demo.Config
	var choice choice
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&cfg.DB, "db", "murph.db", "SQLite file or postgres:// address")
	flag.StringVar(&cfg.Web, "web", "", "folder with the built page (default: where make web puts it)")
	flag.StringVar(&choice.transport, "transport", "websocket", "pusher, websocket or poll")
	flag.StringVar(&choice.host, "pusher-host", "", "host:port of a server that speaks Pusher's protocol without TLS")
	flag.StringVar(&choice.privacy, "privacy", "full", "what the Pusher service sees: full, thin or encrypted")
	flag.BoolVar(&choice.outbox, "outbox", true, "with -transport pusher: let events wait in the database")
	flag.StringVar(&choice.encryptionKey, "encryption-key", "", "32 bytes, for -privacy encrypted (default: the variable MURPH_ENCRYPTION_KEY)")
	flag.Parse()
	if choice.encryptionKey = strings.TrimSpace(choice.encryptionKey); choice.encryptionKey == "" {
		// Not the flag's default, which -h would print.
		choice.encryptionKey = strings.TrimSpace(os.Getenv("MURPH_ENCRYPTION_KEY"))
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg, choice, *addr); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, cfg demo.Config, c choice, addr string) error {
	transport, err := c.make()
	if err != nil {
		return err
	}
	app, err := demo.New(ctx, cfg, transport)
	if err != nil {
		return err
	}
	return demo.Serve(ctx, app, addr, false)
}

// choice is what the flags say about the transport.
type choice struct {
	transport, host, privacy, encryptionKey string
	outbox                                  bool
}

// make is all that the transports differ in.
func (c choice) make() (demo.Transport, error) {
	switch c.transport {
	case "websocket":
		return demo.WebSocket()
	case "poll":
		return demo.Poll(), nil
	case "pusher":
		cfg, err := pusher.ConfigFromEnv(nil)
		if err != nil {
			return demo.Transport{}, err
		}
		return c.pusher(cfg)
	}
	return demo.Transport{}, fmt.Errorf("unknown transport %q: it must be pusher, websocket or poll", c.transport)
}

func (c choice) pusher(cfg pusher.Config) (demo.Transport, error) {
	privacy, ok := map[string]pusher.Privacy{
		"full": pusher.PrivacyFull, "thin": pusher.PrivacyThin, "encrypted": pusher.PrivacyEncrypted,
	}[c.privacy]
	if !ok {
		return demo.Transport{}, fmt.Errorf("unknown privacy %q: it must be full, thin or encrypted", c.privacy)
	}
	cfg.Privacy, cfg.EncryptionKey = privacy, []byte(c.encryptionKey)
	var shown httpadapter.Transport
	if c.host != "" {
		host, port, err := net.SplitHostPort(c.host)
		if err != nil {
			return demo.Transport{}, err
		}
		if shown.WSPort, err = strconv.Atoi(port); err != nil {
			return demo.Transport{}, err
		}
		shown.WSHost = host
		cfg.Host, cfg.Insecure = c.host, true
	}
	transport, err := demo.Pusher(cfg, shown)
	transport.Outbox = c.outbox
	return transport, err
}
