package oteltrace_test

import (
	"context"
	"fmt"
	"log"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/httpadapter/oteltrace"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/storage/memstore"
)

// The spans go where the host's provider sends them; a host that has set a global one passes nil options.
func Example() {
	ended := tracetest.NewInMemoryExporter()
	opts := &oteltrace.Options{TracerProvider: sdk.NewTracerProvider(sdk.WithSyncer(ended))}
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(oteltrace.Chat(store, opts), oteltrace.Broadcaster(events, opts), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = messages.Send(context.Background(), chat.SendParams{ConsultationID: "unknown", SenderID: "paula", Content: "Guten Tag"})
	fmt.Println(err)
	span := ended.GetSpans()[0]
	fmt.Println(span.Name, span.Attributes[len(span.Attributes)-1].Value.AsString())
	// Output:
	// consultation: not found
	// murph.send not_found
}
