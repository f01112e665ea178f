package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime/ws"
)

// settings are what the flags and the environment say.
type settings struct {
	addr   string
	config ws.Config
}

// hostedNames are the variables that applications of hosted Pusher know, besides ours.
var hostedNames = map[string][]string{
	"app-id": {"PUSHER_APP_ID"},
	"key":    {"PUSHER_KEY", "PUSHER_APP_KEY"},
	"secret": {"PUSHER_SECRET", "PUSHER_APP_SECRET"},
}

func parseSettings(args []string, lookup func(string) (string, bool)) (settings, error) {
	var s settings
	c := &s.config
	flags := flag.NewFlagSet("pusherserver", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:6001", "address to listen on; port 0 takes a free one")
	flags.StringVar(&c.AppID, "app-id", "", "id of the application")
	flags.StringVar(&c.Key, "key", "", "public key of the application")
	flags.StringVar(&c.Secret, "secret", "", "secret of the application")
	list(flags, "origins", "pages that may connect, besides those of the own host: https://app.example.org or *",
		func(v string) error { c.AllowedOrigins = append(c.AllowedOrigins, v); return nil })
	list(flags, "trusted-proxies", "addresses or networks of proxies whose X-Forwarded-For counts",
		func(v string) error {
			prefix, err := parsePrefix(v)
			c.TrustedProxies = append(c.TrustedProxies, prefix)
			return err
		})
	list(flags, "webhook", "URLs that are told of channels, members, client events, cache misses and counts",
		func(v string) error { c.Webhooks = append(c.Webhooks, ws.Webhook{URL: v}); return nil })
	flags.BoolVar(&c.AllowPrivateWebhooks, "allow-private-webhooks", false, "let webhooks go to private addresses")
	clientEvents := flags.Bool("client-events", false, "let clients send events to one another")
	flags.BoolVar(&c.SubscriptionCount, "subscription-count", false, "tell subscribers how many they are")
	flags.BoolVar(&c.RefuseReplays, "refuse-replays", false, "refuse equal calls of the HTTP API within one second")
	flags.DurationVar(&c.ActivityTimeout, "activity-timeout", 30*time.Second, "silence before a ping, in whole seconds")
	flags.DurationVar(&c.SubscribeTimeout, "subscribe-timeout", 0,
		"how long a connection may last without a subscription or a sign-in; 0 is no limit")
	flags.DurationVar(&c.DrainTime, "drain", 30*time.Second, "the longest time over which a stop spreads the closing of connections")
	flags.SetOutput(io.Discard) // the caller prints the error
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
		}
		return s, err
	}
	if flags.NArg() > 0 {
		return s, errors.New("there are arguments that are no flags")
	}
	if err := fromEnvironment(flags, lookup); err != nil {
		return s, err
	}
	if c.DrainTime <= 0 || c.ActivityTimeout <= 0 {
		return s, errors.New("-drain and -activity-timeout must be longer than 0")
	}
	if *clientEvents {
		c.ClientEvents = []string{"client-*"}
		c.MaxClientEventBytes = 10 << 10 // as hosted
	}
	return s, nil
}

// list makes a flag that holds values with commas between them, and can be given more than once.
func list(flags *flag.FlagSet, name, usage string, add func(string) error) {
	flags.Func(name, usage+" (comma-separated)", func(values string) error {
		for v := range strings.SplitSeq(values, ",") {
			if v = strings.TrimSpace(v); v == "" {
				continue
			}
			if err := add(v); err != nil {
				return err
			}
		}
		return nil
	})
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// fromEnvironment sets the flags that were not given. No error contains a value, one could be the secret.
func fromEnvironment(flags *flag.FlagSet, lookup func(string) (string, bool)) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		if given[f.Name] {
			return
		}
		own := "MURPH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		for _, name := range append([]string{own}, hostedNames[f.Name]...) {
			value, _ := lookup(name)
			if value == "" {
				continue // as deployments have it that name all variables
			}
			if flags.Set(f.Name, value) != nil {
				errs = append(errs, fmt.Errorf("the variable %s has a value that -%s does not take", name, f.Name))
			}
			return
		}
	})
	return errors.Join(errs...)
}
