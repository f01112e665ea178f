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
	flags.StringVar(&s.addr, "addr", defaultAddr, "address to listen on; port 0 takes a free one")
	flags.StringVar(&c.AppID, "app-id", "", "id of the application")
	flags.StringVar(&c.Key, "key", "", "public key of the application")
	flags.StringVar(&c.Secret, "secret", "", "secret of the application")
	lists(flags, c)
	flags.BoolVar(&c.AllowPrivateWebhooks, "allow-private-webhooks", false, "let webhooks go to private addresses")
	clientEvents := flags.Bool("client-events", true, "let clients send events to one another")
	flags.BoolVar(&c.SubscriptionCount, "subscription-count", false, "tell subscribers how many they are")
	flags.DurationVar(&c.ActivityTimeout, "activity-timeout", 30*time.Second, "silence before a ping, in whole seconds")
	flags.DurationVar(&c.DrainTime, "drain", 30*time.Second, "the longest time over which a stop spreads the closing of connections")
	limits(flags, c)
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
	errs := []error{fromEnvironment(flags, lookup)}
	for _, name := range []string{"app-id", "key", "secret"} {
		if flags.Lookup(name).Value.String() == "" {
			errs = append(errs, fmt.Errorf("-%s, or one of the variables %s, must be set", name, strings.Join(variables(name), ", ")))
		}
	}
	if c.DrainTime <= 0 || c.ActivityTimeout <= 0 {
		errs = append(errs, errors.New("-drain and -activity-timeout must be longer than 0"))
	}
	if *clientEvents {
		c.ClientEvents = []string{"client-*"}
	}
	return s, errors.Join(errs...)
}

const defaultAddr = "127.0.0.1:6001"

// lists makes the flags that hold several values.
func lists(flags *flag.FlagSet, c *ws.Config) {
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

// fromEnvironment sets the flags that were not given. As with a flag, white space
// around a value does not count, and one that is empty is unset. No error contains
// a value, which could be the secret.
func fromEnvironment(flags *flag.FlagSet, lookup func(string) (string, bool)) error {
	given := map[string]bool{}
	var errs []error
	set := func(f *flag.Flag, name, value string) {
		if flags.Set(f.Name, value) != nil {
			errs = append(errs, fmt.Errorf("the variable %s has a value that -%s does not take", name, f.Name))
		}
	}
	flags.Visit(func(f *flag.Flag) {
		given[f.Name] = true
		if text, ok := text(f); ok {
			given[f.Name] = text != ""
			set(f, f.Name, text)
		}
	})
	flags.VisitAll(func(f *flag.Flag) {
		if given[f.Name] {
			return
		}
		for _, name := range variables(f.Name) {
			value, _ := lookup(name)
			if value = strings.TrimSpace(value); value != "" {
				set(f, name, value)
				return
			}
		}
		if text, ok := text(f); ok && text == "" {
			set(f, f.Name, f.DefValue)
		}
	})
	return errors.Join(errs...)
}

// text returns the value of a flag that takes any text, without white space around
// it.
func text(f *flag.Flag) (string, bool) {
	getter, ok := f.Value.(flag.Getter)
	if !ok {
		return "", false
	}
	s, ok := getter.Get().(string)
	return strings.TrimSpace(s), ok
}

// variables returns the variables that set a flag, the first of which counts.
func variables(name string) []string {
	return append([]string{"MURPH_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}, hostedNames[name]...)
}
