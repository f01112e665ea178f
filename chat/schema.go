package chat

import (
	_ "embed"
	"slices"
)

//go:embed events.schema.json
var eventSchemas []byte

// EventSchemas returns the JSON Schema (2020-12) of the payloads of all events, those of package consultation too: one
// document with the payload of each event in $defs, under the event's name. New fields may be added to every object, so a
// receiver ignores those that it does not know.
func EventSchemas() []byte { return slices.Clone(eventSchemas) }
