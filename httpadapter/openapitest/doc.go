// Package openapitest checks the description of the HTTP interface and the schemas of the events with libraries that know
// OpenAPI 3.1 and JSON Schema 2020-12 in full. It is a module of its own, so that those libraries are nobody's
// dependencies. That the answers are as described is tested in httpadapter itself, on every answer.
package openapitest
