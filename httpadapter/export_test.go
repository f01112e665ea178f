package httpadapter

import (
	"maps"
	"slices"
)

// Codes are all codes that have a text.
func Codes() []Code { return slices.Collect(maps.Keys(texts)) }
