package realtime

import "encoding/json"

// maxNesting is how deep arrays and objects may be in one another for the fast way, which is recursive: stacks stay small.
const maxNesting = 32

// validJSON is json.Valid without a call for each byte, which is most of what an event costs before it is sent. What it
// does not take for a value at once is for json.Valid to judge.
func validJSON(p []byte) bool {
	i, ok := jsonValue(p, jsonSpace(p, 0), 0)
	return ok && jsonSpace(p, i) == len(p) || json.Valid(p)
}

// jsonSpace returns where the white space at i ends.
func jsonSpace(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') {
		i++
	}
	return i
}

// jsonValue returns where the value at i ends.
func jsonValue(p []byte, i, depth int) (int, bool) {
	if i >= len(p) {
		return i, false
	}
	switch p[i] {
	case '"':
		return jsonString(p, i)
	case '{', '[':
		return jsonList(p, i, depth+1)
	case 't':
		return jsonLiteral(p, i, "true")
	case 'f':
		return jsonLiteral(p, i, "false")
	case 'n':
		return jsonLiteral(p, i, "null")
	}
	return jsonNumber(p, i)
}

// jsonList returns where the array or object at i ends.
func jsonList(p []byte, i, depth int) (_ int, ok bool) {
	if depth > maxNesting {
		return i, false
	}
	object, end := p[i] == '{', p[i]+2 // of '{' and '[' both
	if i = jsonSpace(p, i+1); i < len(p) && p[i] == end {
		return i + 1, true
	}
	for {
		if object {
			if i >= len(p) || p[i] != '"' {
				return i, false
			}
			if i, ok = jsonString(p, i); !ok {
				return i, false
			}
			if i = jsonSpace(p, i); i >= len(p) || p[i] != ':' {
				return i, false
			}
			i = jsonSpace(p, i+1)
		}
		if i, ok = jsonValue(p, i, depth); !ok {
			return i, false
		}
		if i = jsonSpace(p, i); i >= len(p) {
			return i, false
		}
		switch p[i] {
		case end:
			return i + 1, true
		case ',':
			i = jsonSpace(p, i+1)
		default:
			return i, false
		}
	}
}

// jsonString returns where the string at i ends. Whether it is UTF-8 is not looked at.
func jsonString(p []byte, i int) (int, bool) {
	for i++; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"':
			return i + 1, true
		case c < 0x20:
			return i, false
		case c == '\\':
			if i++; i >= len(p) {
				return i, false
			}
			switch p[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i++; i >= len(p) || !isHex(p[i]) {
						return i, false
					}
				}
			default:
				return i, false
			}
		}
	}
	return i, false
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func jsonLiteral(p []byte, i int, word string) (int, bool) {
	end := i + len(word)
	return end, end <= len(p) && string(p[i:end]) == word
}

// jsonNumber returns where the number at i ends (RFC 8259 §6).
func jsonNumber(p []byte, i int) (int, bool) {
	if p[i] == '-' {
		i++
	}
	start := i
	if i = jsonDigits(p, i); i == start || p[start] == '0' && i > start+1 {
		return i, false
	}
	if i < len(p) && p[i] == '.' {
		start = i + 1
		if i = jsonDigits(p, start); i == start {
			return i, false
		}
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		if i++; i < len(p) && (p[i] == '+' || p[i] == '-') {
			i++
		}
		start = i
		if i = jsonDigits(p, i); i == start {
			return i, false
		}
	}
	return i, true
}

func jsonDigits(p []byte, i int) int {
	for i < len(p) && isDigit(p[i]) {
		i++
	}
	return i
}
