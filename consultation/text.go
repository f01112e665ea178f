package consultation

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineBreaks makes every line break that Unicode has a newline.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// ParseText returns s in the form in which the library stores texts: the contents of messages, topics and names.
//
//  1. Every line break (CRLF, CR, VT, FF, NEL, U+2028, U+2029) becomes a newline.
//  2. Control characters (category Cc) other than newline and tab are removed.
//  3. Bidirectional embeddings, overrides and isolates (U+202A to U+202E, U+2066 to U+2069) that do not form a pair
//     within their line are removed, so that they cannot reorder what a page shows around the text.
//  4. White space at both ends is removed.
//
// All other characters stay, among them U+200E and U+200F, joiners and variation selectors, which Arabic, Hebrew and
// Persian text and emoji need. ParseText returns an [*InvalidError] about the field if s is not UTF-8, contains a NUL,
// or has more than maxRunes characters in its stored form, and if nothing in it is visible. Not visible are white
// space, format characters (category Cf, but for the Arabic number signs and their like), combining marks, and
// characters that Unicode ignores by default or defines as blank, such as Hangul fillers and U+2800.
func ParseText(field, s string, maxRunes int) (string, error) {
	s, err := cleanText(field, s, maxRunes)
	if err == nil && !strings.ContainsFunc(s, visible) {
		err = &InvalidError{Field: field, Reason: "must not be blank"}
	}
	if err != nil {
		return "", err
	}
	return s, nil
}

// cleanText is ParseText for a text that may be blank.
func cleanText(field, s string, maxRunes int) (string, error) {
	switch {
	case !utf8.ValidString(s):
		return "", &InvalidError{Field: field, Reason: "must be valid UTF-8"}
	case strings.ContainsRune(s, 0):
		return "", &InvalidError{Field: field, Reason: "must not contain NUL"}
	}
	s = lineBreaks.Replace(s)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(pairDirections(s))
	if len(s) > maxRunes && utf8.RuneCountInString(s) > maxRunes {
		return "", &InvalidError{Field: field, Reason: fmt.Sprintf("must be at most %d characters long", maxRunes)}
	}
	return s, nil
}

// blank has the characters without a glyph whose category and properties do not say so.
var blank = map[rune]bool{'\u2800': true, '\U00013441': true, '\U00013442': true, '\U0001d159': true}

// visible reports whether r by itself shows something. Characters that this version of Unicode does not know are taken
// for visible, because new emoji are among them.
func visible(r rune) bool {
	switch {
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return true
	case unicode.IsSpace(r), unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.M), blank[r]:
		return false
	}
	return !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// The characters that begin and end a stretch of text with a direction of its own (Unicode Standard Annex 9).
const (
	embeddings   = "\u202a\u202b\u202d\u202e"
	endEmbedding = '\u202c'
	isolates     = "\u2066\u2067\u2068"
	endIsolate   = '\u2069'
)

// pairDirections removes the direction characters without a counterpart in the same line.
func pairDirections(s string) string {
	if !strings.ContainsAny(s, embeddings+isolates+string(endEmbedding)+string(endIsolate)) {
		return s
	}
	runes := []rune(s)
	var open []int // the positions of the characters that wait for their end, the innermost last
	isolated := 0  // how many of them are isolates
	// drop removes the innermost ones for as long as there are more than n.
	drop := func(n int) {
		for ; len(open) > n; open = open[:len(open)-1] {
			runes[open[len(open)-1]] = -1
		}
	}
	for i, r := range runes {
		switch {
		case r == '\n':
			drop(0)
			isolated = 0
		case strings.ContainsRune(embeddings, r):
			open = append(open, i)
		case strings.ContainsRune(isolates, r):
			open = append(open, i)
			isolated++
		case r == endEmbedding:
			if n := len(open) - 1; n >= 0 && strings.ContainsRune(embeddings, runes[open[n]]) {
				open = open[:n]
			} else {
				runes[i] = -1
			}
		case r == endIsolate && isolated == 0:
			runes[i] = -1
		case r == endIsolate: // ends the embeddings within the isolate too
			n := len(open) - 1
			for ; !strings.ContainsRune(isolates, runes[open[n]]); n-- {
				runes[open[n]] = -1
			}
			open = open[:n]
			isolated--
		}
	}
	drop(0)
	var out strings.Builder
	for _, r := range runes {
		if r >= 0 {
			out.WriteRune(r)
		}
	}
	return out.String()
}
