package realtimetest_test

import (
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/realtimetest"
)

// notChecked are the sentences of realtime/bus.go without a case, each with the reason.
var notChecked = map[string]string{
	"Bus carries frames between the nodes of a cluster over an engine that the host already runs": "it says what the type is for",
	"BusHandler receives what [Bus.Run] reports":                                                  "it says what the type is for",
	"Run realtimetest.RunBus over an implementation of your own":                                  "it is about this suite",
	"It is dumb on purpose: the layer above it seals and numbers the frames, notices a loss, and has clients fetch from the " +
		"database": "it promises nothing",
	"A bus may lose, repeat and reorder frames, and it authenticates nothing": "it promises nothing",
}

var sentenceEnd = regexp.MustCompile(`\.\s+|\n`)

// busComments returns the comments of realtime/bus.go, each in one line.
func busComments(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../bus.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var all []string
	for _, group := range f.Comments {
		all = append(all, strings.Join(strings.Fields(group.Text()), " "))
	}
	return all
}

func sentences(comment string) []string {
	var all []string
	for _, s := range sentenceEnd.Split(comment, -1) {
		if s = strings.Trim(strings.TrimSpace(s), "."); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func TestBusClausesAreQuotes(t *testing.T) {
	t.Parallel()
	said := strings.Join(busComments(t), "\n")
	for _, c := range realtimetest.BusCases() {
		require.NotEmpty(t, c.Clauses, c.Name)
		for _, clause := range c.Clauses {
			if !strings.Contains(said, clause) {
				t.Errorf("the contract does not say %q, as case %s claims", clause, c.Name)
			}
		}
	}
}

func TestEverySentenceOfBusHasACase(t *testing.T) {
	t.Parallel()
	var quoted []string
	for _, c := range realtimetest.BusCases() {
		for _, clause := range c.Clauses {
			quoted = append(quoted, sentences(clause)...)
		}
	}
	excused := map[string]bool{}
	for _, comment := range busComments(t) {
		for _, sentence := range sentences(comment) {
			if _, ok := notChecked[sentence]; ok {
				excused[sentence] = true
				continue
			}
			quotes := func(q string) bool { return strings.Contains(sentence, q) || strings.Contains(q, sentence) }
			if !slices.ContainsFunc(quoted, quotes) {
				t.Errorf("realtime/bus.go says %q: no case quotes it", sentence)
			}
		}
	}
	for sentence := range notChecked {
		if !excused[sentence] {
			t.Errorf("realtime/bus.go does not say %q any more", sentence)
		}
	}
}

func TestBusCaseNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range realtimetest.BusCases() {
		require.False(t, seen[c.Name], "two cases are called %s", c.Name)
		seen[c.Name] = true
	}
}
