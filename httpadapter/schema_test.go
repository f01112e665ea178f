package httpadapter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// schema is a JSON Schema, as far as the descriptions in this repository use the language. Objects that name properties
// are taken as closed: a field that is not described is a mistake here, although a client ignores it.
type schema struct {
	root map[string]any // where references lead
	node any
}

func (s schema) at(node any) schema { return schema{s.root, node} }

// resolve follows a reference like "#/components/schemas/Message".
func (s schema) resolve(ref string) schema {
	var node any = s.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		node = node.(map[string]any)[part]
	}
	if node == nil {
		panic("a reference leads nowhere: " + ref)
	}
	return s.at(node)
}

// check returns what is wrong with the value, which encoding/json has decoded.
func (s schema) check(value any) error {
	m, isObject := s.node.(map[string]any)
	if !isObject {
		if s.node == true {
			return nil
		}
		return errors.New("must not be there")
	}
	var errs []error
	for keyword, arg := range m {
		check, known := keywords[keyword]
		if !known {
			panic("the schema language here has no " + keyword)
		}
		errs = append(errs, check(s, arg, value))
	}
	return errors.Join(errs...)
}

var keywords map[string]func(s schema, arg, value any) error

func init() { // it refers to itself
	nothing := func(schema, any, any) error { return nil }
	keywords = map[string]func(s schema, arg, value any) error{
		"description": nothing, "format": nothing,
		"$ref":       func(s schema, arg, value any) error { return s.resolve(arg.(string)).check(value) },
		"type":       checkType,
		"enum":       func(_ schema, arg, value any) error { return must(slices.Contains(arg.([]any), value), "not in", arg) },
		"const":      func(_ schema, arg, value any) error { return must(arg == value, "not", arg) },
		"anyOf":      func(s schema, arg, value any) error { n, err := s.count(arg, value); return must(n >= 1, "none:", err) },
		"oneOf":      func(s schema, arg, value any) error { n, err := s.count(arg, value); return must(n == 1, n, "of", err) },
		"properties": checkProperties,
		"additionalProperties": func(s schema, arg, value any) error { // only used where no properties are named
			var errs []error
			object, _ := value.(map[string]any)
			for _, v := range object {
				errs = append(errs, s.at(arg).check(v))
			}
			return errors.Join(errs...)
		},
		"required": func(_ schema, arg, value any) error {
			object, _ := value.(map[string]any)
			for _, name := range arg.([]any) {
				if _, ok := object[name.(string)]; !ok {
					return fmt.Errorf("%s is missing", name)
				}
			}
			return nil
		},
		"items": func(s schema, arg, value any) error {
			var errs []error
			list, _ := value.([]any)
			for _, v := range list {
				errs = append(errs, s.at(arg).check(v))
			}
			return errors.Join(errs...)
		},
		"pattern": func(_ schema, arg, value any) error {
			text, ok := value.(string)
			return must(!ok || compiled(arg.(string)).MatchString(text), "does not match", arg)
		},
		"minimum": func(_ schema, arg, value any) error { return must(number(value) >= arg.(float64), "below", arg) },
		"maximum": func(_ schema, arg, value any) error { return must(number(value) <= arg.(float64), "above", arg) },
		"minLength": func(_ schema, arg, value any) error {
			text, ok := value.(string)
			return must(!ok || utf8.RuneCountInString(text) >= int(arg.(float64)), "shorter than", arg)
		},
		"maxLength": func(_ schema, arg, value any) error {
			text, ok := value.(string)
			return must(!ok || utf8.RuneCountInString(text) <= int(arg.(float64)), "longer than", arg)
		},
	}
}

// count tells how many of the alternatives fit.
func (s schema) count(arg, value any) (n int, err error) {
	var errs []error
	for _, alternative := range arg.([]any) {
		if err := s.at(alternative).check(value); err != nil {
			errs = append(errs, err)
		} else {
			n++
		}
	}
	return n, errors.Join(errs...)
}

func checkType(_ schema, arg, value any) error {
	types, several := arg.([]any)
	if !several {
		types = []any{arg}
	}
	for _, t := range types {
		var ok bool
		switch t {
		case "object":
			_, ok = value.(map[string]any)
		case "array":
			_, ok = value.([]any)
		case "string":
			_, ok = value.(string)
		case "boolean":
			_, ok = value.(bool)
		case "integer":
			f, is := value.(float64)
			ok = is && f == math.Trunc(f)
		case "null":
			ok = value == nil
		default:
			panic(t)
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("a %T is no %v", value, arg)
}

func checkProperties(s schema, arg, value any) error {
	object, _ := value.(map[string]any)
	var errs []error
	for name, v := range object {
		if property, ok := arg.(map[string]any)[name]; !ok {
			errs = append(errs, fmt.Errorf("%s is not described", name))
		} else if err := s.at(property).check(v); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

var patterns sync.Map

// compiled remembers the patterns, of which there are few.
func compiled(pattern string) *regexp.Regexp {
	if re, ok := patterns.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(pattern)
	patterns.Store(pattern, re)
	return re
}

func number(value any) float64 {
	f, ok := value.(float64)
	if !ok {
		return math.NaN()
	}
	return f
}

func must(ok bool, problem ...any) error {
	if ok {
		return nil
	}
	return errors.New(strings.TrimSuffix(fmt.Sprintln(problem...), "\n"))
}

// parse reads a document of schemas.
func parse(document []byte) map[string]any {
	var root map[string]any
	if err := json.Unmarshal(document, &root); err != nil {
		panic(err)
	}
	return root
}
