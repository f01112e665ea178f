package httpadapter

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// openAPI describes all routes at their default paths.
//
//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the description of what this handler serves, an OpenAPI 3.1 document in JSON: with the paths that it is
// configured with, and without the routes that it does not have. [Paths].OpenAPI serves it. The tests of this package
// hold every answer to it.
func (h *Handler) OpenAPI() []byte { return slices.Clone(h.document) }

// describe puts the document onto the paths of the routes.
func describe(cfg Config, routes []route) ([]byte, error) {
	var document, described map[string]json.RawMessage
	if err := json.Unmarshal(openAPI, &document); err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	if err := json.Unmarshal(document["paths"], &described); err != nil {
		return nil, fmt.Errorf("read the described paths: %w", err)
	}
	cfg.BasePath, cfg.Paths = "", Paths{}.withDefaults()
	defaults, err := newRoutes(cfg)
	if err != nil {
		return nil, err
	}
	paths := make(map[string]json.RawMessage)
	for _, rt := range routes {
		i := slices.IndexFunc(defaults, func(d route) bool { return d.name == rt.name })
		if i >= 0 {
			paths[rt.pattern] = described[defaults[i].pattern]
		}
	}
	if document["paths"], err = json.Marshal(paths); err != nil {
		return nil, fmt.Errorf("encode the described paths: %w", err)
	}
	return json.Marshal(document)
}

// showOpenAPI answers the description, to everybody: it holds nothing that is not in this library's documentation.
func (h *Handler) showOpenAPI(c *call) error {
	write(c.w, http.StatusOK, typeJSON, h.document)
	return nil
}
