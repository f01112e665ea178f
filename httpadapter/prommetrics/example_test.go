package prommetrics_test

import (
	"context"
	"fmt"
	"log"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/murph-chat/murph/httpadapter/prommetrics"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// A host registers one collector for all parts, and serves its registry as it always does (promhttp).
func ExampleNew() {
	relay, err := realtime.NewRelay(memstore.New(), &inmem.Broadcaster{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := relay.Broadcast(context.Background(), realtime.Event{Channel: "private-x", Name: "e", Data: []byte(`{}`)}); err != nil {
		log.Fatal(err)
	}
	collector, err := prommetrics.New(prommetrics.Config{Relay: relay})
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)

	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "murph_relay_published_total" {
			fmt.Println(f.GetName(), f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	// Output: murph_relay_published_total 1
}
