package storagetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/storagetest"
)

// sources are the files whose comments make up each contract. Every sentence of the first one needs a case.
var sources = map[string][]string{
	"consultation.Storage": {"../../consultation/storage.go"},
	"chat.Storage":         {"../../chat/storage.go", "../../chat/append.go"},
	"realtime.Outbox":      {"../../realtime/outbox.go"},
}

// notChecked are the sentences without a case, each with the reason.
var notChecked = map[string]string{
	"CreateParams describes a new consultation":                           isAName,
	"ChangesParams asks for what has changed":                             isAName,
	"HistoryParams asks for a page of the history":                        isAName,
	"InboxParams asks for consultations of one person":                    isAName,
	"InboxItem is a consultation in a list":                               isAName,
	"InboxPage is a page of the list":                                     isAName,
	"ReadParams moves a read mark":                                        isAName,
	"ClaimParams says how much [Outbox.Claim] takes, and for how long":    isAName,
	"NackParams says what becomes of entries that could not be published": isAName,
	"Entry is an outbox entry that has been claimed":                      isAName,
	"not in use yet":   isAName,
	"what it is about": isAName,
	"who requests it":  isAName,
	"the lease and the connection that needs no event":      isAName,
	"the events that are due, empty if nothing has changed": isAName,
	"what to read":                          isAName,
	"who asks":                              isAName,
	"the header":                            isAName,
	"newest activity first":                 isAName,
	"whether more follow":                   isAName,
	"whose mark it is":                      isAName,
	"the last message that was read":        isAName,
	"for Ack and Nack":                      isAName,
	"entries at most":                       isAName,
	"how long they belong to the caller":    isAName,
	"of the entries":                        isAName,
	"the age from which pending entries go": isAName,
	"the age from which parked entries go":  isAName,
	"Storage keeps consultations":           isAName,
	"Storage keeps the messages":            isAName,
	"Outbox is the queue of events in the host's own database":                                                                 isAName,
	"storagetest.Run checks each sentence below on every implementation":                                                       isAboutUs,
	"storagetest.Run checks each sentence on every implementation":                                                             isAboutUs,
	"Stores implement it; storagetest checks each sentence":                                                                    isAboutUs,
	"The service has validated it":                                                                                             isOthers,
	"The service makes 0 the default; stores get at least 1":                                                                   isOthers,
	"The service sets it, whatever is here":                                                                                    isOthers,
	"Call it after a backup was restored: the revs that clients have seen since that backup are given again, to other changes": isAdvice,
	"Only an error of the connection itself leaves that open, as with every database":                                          "it cannot be provoked",
}

const (
	isAName   = "it says what a type or a field is for"
	isAboutUs = "it is about this suite"
	isOthers  = "the service keeps it"
	isAdvice  = "it is about the caller"
)

var (
	numbering = regexp.MustCompile(`(?m)^\s*\d+\.\s+`)
	ending    = regexp.MustCompile(`\.\s+|\n`)
)

// comments returns the texts of a file's comments, each in one line but for the items of its lists.
func comments(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	var all []string
	for _, group := range f.Comments {
		all = append(all, text(group))
	}
	return all
}

func text(group *ast.CommentGroup) string {
	items := numbering.Split(group.Text(), -1)
	for i, item := range items {
		items[i] = strings.Join(strings.Fields(item), " ")
	}
	return strings.TrimSpace(strings.Join(items, "\n"))
}

func sentences(comment string) []string {
	var all []string
	for _, s := range ending.Split(comment, -1) {
		if s = strings.Trim(strings.TrimSpace(s), ".:"); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func TestClausesAreQuotes(t *testing.T) {
	t.Parallel()
	for _, c := range storagetest.Cases() {
		require.NotEmpty(t, c.Clauses, c.Name)
		require.Contains(t, sources, c.Contract, c.Name)
		var all []string
		for _, file := range sources[c.Contract] {
			all = append(all, comments(t, file)...)
		}
		said := strings.Join(all, "\n")
		for _, clause := range c.Clauses {
			if !strings.Contains(said, clause) {
				t.Errorf("the contract of %s does not say %q, as case %s claims", c.Contract, clause, c.Name)
			}
		}
	}
}

func TestEverySentenceHasACase(t *testing.T) {
	t.Parallel()
	quoted := map[string][]string{}
	for _, c := range storagetest.Cases() {
		for _, clause := range c.Clauses {
			quoted[c.Contract] = append(quoted[c.Contract], sentences(clause)...)
		}
	}
	excused := map[string]bool{}
	for contract, files := range sources {
		for _, comment := range comments(t, files[0]) {
			for _, sentence := range sentences(comment) {
				if _, ok := notChecked[sentence]; ok {
					excused[sentence] = true
					continue
				}
				found := false
				for _, q := range quoted[contract] {
					found = found || strings.Contains(sentence, q) || strings.Contains(q, sentence)
				}
				if !found {
					t.Errorf("%s says %q: no case quotes it", contract, sentence)
				}
			}
		}
	}
	for sentence := range notChecked {
		if !excused[sentence] {
			t.Errorf("no contract says %q any more", sentence)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range storagetest.Cases() {
		require.False(t, seen[c.Name], "two cases are called %s", c.Name)
		seen[c.Name] = true
	}
}
