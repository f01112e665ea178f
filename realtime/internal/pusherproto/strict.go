package pusherproto

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested in what a client sends.
const MaxDepth = 16

// ErrMalformed is matched by the errors about what a client has sent. Their texts say what is wrong and never
// contain any of it.
var ErrMalformed = errors.New("pusherproto: malformed")

func malformed(reason string) error { return fmt.Errorf("%w: %s", ErrMalformed, reason) }

// checkJSON accepts one JSON value that every parser reads the same way: valid UTF-8, no NUL, no key twice in an
// object, nested at most [MaxDepth] deep. encoding/json alone takes the last of two equal keys, so that a checker and
// a reader behind it could disagree about what was said.
func checkJSON(b []byte) error {
	switch {
	case !utf8.Valid(b):
		return malformed("not UTF-8")
	case !json.Valid(b):
		return malformed("not JSON")
	}
	w := walker{b: b}
	return w.value(0)
}

// walker runs over text that json.Valid has accepted, which is why it never asks whether the next byte exists.
type walker struct {
	b []byte
	i int
}

func (w *walker) value(depth int) error {
	if depth > MaxDepth {
		return malformed("nested too deeply")
	}
	w.space()
	switch w.b[w.i] {
	case '{':
		return w.object(depth)
	case '[':
		return w.array(depth)
	case '"':
		_, err := w.text()
		return err
	default:
		for w.i < len(w.b) && !strings.ContainsRune(" \t\r\n,]}", rune(w.b[w.i])) {
			w.i++
		}
		return nil
	}
}

func (w *walker) object(depth int) error {
	seen := make(map[string]struct{})
	return w.each('}', func() error {
		key, err := w.text()
		if err != nil {
			return err
		}
		if _, twice := seen[key]; twice {
			return malformed("a key occurs twice")
		}
		seen[key] = struct{}{}
		w.space()
		w.i++ // ':'
		return w.value(depth + 1)
	})
}

func (w *walker) array(depth int) error {
	return w.each(']', func() error { return w.value(depth + 1) })
}

// each calls f at the beginning of every member up to end, and moves past that.
func (w *walker) each(end byte, f func() error) error {
	for w.i++; ; w.i++ { // past the opening bracket at first, then past a comma
		w.space()
		if w.b[w.i] == end {
			break
		}
		if err := f(); err != nil {
			return err
		}
		w.space()
		if w.b[w.i] == end {
			break
		}
	}
	w.i++
	return nil
}

// text reads a string and returns what it stands for.
func (w *walker) text() (string, error) {
	start, escaped := w.i, false
	for w.i++; w.b[w.i] != '"'; w.i++ {
		if w.b[w.i] == '\\' {
			escaped = true
			w.i++
		}
	}
	w.i++
	quoted := w.b[start:w.i]
	if !escaped {
		return string(quoted[1 : len(quoted)-1]), nil // json.Valid has refused raw control characters
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", malformed("not JSON")
	}
	if strings.ContainsRune(s, 0) {
		return "", malformed("it has a NUL")
	}
	return s, nil
}

func (w *walker) space() {
	for w.i < len(w.b) && strings.IndexByte(" \t\r\n", w.b[w.i]) >= 0 {
		w.i++
	}
}

// Object reads an object strictly (see checkJSON) into its members by their exact names; matching into a struct would
// ignore case and so find a key twice after all.
func Object(b []byte) (map[string]json.RawMessage, error) {
	if err := checkJSON(b); err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil || m == nil {
		return nil, malformed("not an object")
	}
	return m, nil
}

// member reads the string m[name]. A member that is absent or null is "".
func member(m map[string]json.RawMessage, name string) (string, error) {
	var s *string
	if raw, ok := m[name]; ok {
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", malformed(name + " is not a string")
		}
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}
