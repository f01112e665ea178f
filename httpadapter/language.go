package httpadapter

import (
	"strconv"
	"strings"
)

// The languages of the sentences.
const (
	german  = "de"
	english = "en"
)

// language picks German or English by Accept-Language (RFC 9110, 12.5.4): the one with the higher weight, the first one
// of two with the same, German if neither is named.
func language(lines []string) string {
	best, weight := german, 0.0
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			tag, params, _ := strings.Cut(part, ";")
			primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
			if primary != german && primary != english {
				continue
			}
			if q := quality(params); q > weight {
				best, weight = primary, q
			}
		}
	}
	return best
}

// quality reads "q=0.8". Without a weight it is 1; one that is unreadable counts as none.
func quality(params string) float64 {
	value, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}
