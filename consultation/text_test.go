package consultation_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

func TestParseText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"plain":                      {"Guten Tag", "Guten Tag"},
		"white space at both ends":   {" \n\u2003Guten\tTag\u00a0 ", "Guten\tTag"},
		"line breaks":                {"a\r\nb\rc\vd\fe\u0085f\u2028g\u2029h\n\ni", "a\nb\nc\nd\ne\nf\ng\nh\n\ni"},
		"control characters":         {"a\x01\x1b[31m\x7fb\u009fc", "a[31mbc"},
		"a control at the end":       {"a \x01", "a"},
		"an override":                {"a\u202eb", "ab"},
		"a pair":                     {"a\u202eb\u202c c", "a\u202eb\u202c c"},
		"an end too many":            {"a\u202eb\u202c\u202c\u2069c", "a\u202eb\u202cc"},
		"isolates":                   {"\u2066a\u2067b\u2069\u2068c", "a\u2067b\u2069c"},
		"nested":                     {"\u2066\u202aa\u202c\u2069", "\u2066\u202aa\u202c\u2069"},
		"an isolate ends embeddings": {"\u2066\u202a\u202ea\u2069\u202c", "\u2066a\u2069"},
		"an end within an isolate":   {"\u202a\u2066\u202ca\u2069\u202c", "\u202a\u2066a\u2069\u202c"},
		"over two lines":             {"\u202ea\nb\u202c\u2067\r\nc\u2069", "a\nb\nc"},
		"only ends":                  {"\u2069\u202ca", "a"},

		"emoji with joiners":         {"👩🏽‍⚕️ 👨‍👩‍👧‍👦", "👩🏽‍⚕️ 👨‍👩‍👧‍👦"},
		"emoji with selectors":       {"❤️ ☎︎ #️⃣", "❤️ ☎︎ #️⃣"},
		"flags":                      {"🇩🇪 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🇩🇪 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"},
		"an emoji of later Unicode":  {"\U0001fae9", "\U0001fae9"},
		"Hebrew with marks":          {"שלום\u200f (abc)\u200e!", "שלום\u200f (abc)\u200e!"},
		"Arabic":                     {"\u061cالسلام عليكم", "\u061cالسلام عليكم"},
		"an Arabic number sign":      {"\u0600", "\u0600"},
		"Persian":                    {"می\u200cخواهم", "می\u200cخواهم"},
		"an accent of its own":       {"e\u0301", "e\u0301"},
		"a soft hyphen in a word":    {"Rücken\u00adschmerzen", "Rücken\u00adschmerzen"},
		"braille":                    {"\u2801\u2800\u2803", "\u2801\u2800\u2803"},
		"Hangul":                     {"한국어", "한국어"},
		"private use":                {"\ue000", "\ue000"},
		"a byte order mark in front": {"\ufeffGuten Tag", "\ufeffGuten Tag"},
	} {
		got, err := consultation.ParseText("content", c.in, 100)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
}

func TestParseTextRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing":                   "",
		"white space":               " \n\t\u00a0\u2003\u3000\u1680",
		"zero width":                "\u200b\u200c\u200d\u2060",
		"a byte order mark":         "\ufeff",
		"Hangul fillers":            "\u3164\u115f\u1160\uffa0",
		"variation selectors":       "\ufe0f\U000e0100",
		"a soft hyphen":             "\u00ad",
		"combining marks":           "\u0301\u20dd\u0903",
		"the grapheme joiner":       "\u034f",
		"a braille blank":           "\u2800",
		"an Egyptian blank":         "\U00013441",
		"a null notehead":           "\U0001d159",
		"tags":                      "\U000e0041\U000e007f",
		"Khmer vowels":              "\u17b4\u17b5",
		"the Mongolian separator":   "\u180e",
		"control characters":        "\x01\x7f\u009f",
		"direction marks":           "\u200e\u200f\u061c",
		"a pair around nothing":     "\u202e\u202c",
		"invisible in invisible":    " \u200b \ufeff\u2800 ",
		"ignorable, not yet in use": "\U000e0fff",
		"NUL":                       "a\x00b",
		"not UTF-8":                 "M\xfcller",
		"too long":                  strings.Repeat("𝄞", 11),
	} {
		_, err := consultation.ParseText("content", in, 10)
		require.Error(t, err, name)
		invalid(t, err, "content")
	}
	got, err := consultation.ParseText("content", " \x01"+strings.Repeat("𝄞", 10)+"\u202e", 10)
	require.NoError(t, err, "the stored form counts")
	require.Equal(t, strings.Repeat("𝄞", 10), got)
}

// TestParseTextIsStable parses random texts twice: a repeat of a send is compared with the stored form.
func TestParseTextIsStable(t *testing.T) {
	t.Parallel()
	alphabet := []rune("ab \n\r\t\v\x01\u0085\u2029\u200b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		in := make([]rune, 1+random.IntN(12))
		for i := range in {
			in[i] = alphabet[random.IntN(len(alphabet))]
		}
		once, err := consultation.ParseText("content", "x"+string(in), 100)
		require.NoError(t, err)
		twice, err := consultation.ParseText("content", once, 100)
		require.NoError(t, err)
		require.Equal(t, once, twice, "%q", string(in))
		require.False(t, strings.ContainsFunc(once, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }))
		for line := range strings.SplitSeq(once, "\n") {
			begins := strings.Count(line, "\u2066") + strings.Count(line, "\u2067") + strings.Count(line, "\u2068")
			require.Equal(t, begins, strings.Count(line, "\u2069"), "%q", once)
		}
	}
}

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	p := consultation.Participant{
		UserID: "p", Role: consultation.RolePatient, FirstName: " Zoë\u202e\x1b ", LastName: "\u3164\u200b", Image: "/\u202e.png",
	}
	require.Equal(t, consultation.Participant{UserID: "p", Role: consultation.RolePatient, FirstName: "Zoë", Image: "/\u202e.png"}, p.Clean())
	bad := consultation.Participant{FirstName: "\xff\u202e"}
	require.Equal(t, bad, bad.Clean(), "Validate refuses it")

	b := setup(t, consultation.Options{})
	c, err := b.Request(t.Context(), consultation.RequestParams{Topic: "Rücken\r\n\u202eweh", Patient: p})
	require.NoError(t, err)
	require.Equal(t, "Rücken\nweh", c.Topic)
	require.Equal(t, p.Clean(), c.Patient)
	s := student
	s.FirstName, s.LastName = "Jürgen\u202e", "\ufeff"
	c, err = b.Accept(t.Context(), by(c.ID, s))
	require.NoError(t, err)
	require.Equal(t, s.Clean(), *c.Student)
	again, err := b.Reassign(t.Context(), byHost(c.ID, &s))
	require.NoError(t, err)
	require.Equal(t, c, again, "nothing has changed")
	other := other
	other.FirstName = "O\u2067"
	c, err = b.Reassign(t.Context(), byHost(c.ID, &other))
	require.NoError(t, err)
	require.Equal(t, "O", c.Student.FirstName)
	_, err = b.Request(t.Context(), consultation.RequestParams{Topic: "\u3164", Patient: patient})
	invalid(t, err, "topic")
}
