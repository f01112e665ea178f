package httpadapter

// text is a sentence for the user in both languages.
type text struct{ de, en string }

// texts has a sentence for every code.
var texts = map[Code]text{
	CodeValidation:            {"Die Eingabe ist ungültig.", "The input is not valid."},
	CodeUnauthenticated:       {"Bitte melden Sie sich an.", "Please sign in."},
	CodeForbidden:             {"Das ist Ihnen nicht erlaubt.", "You are not allowed to do this."},
	CodeEditWindowClosed:      {"Diese Nachricht kann nicht mehr geändert werden.", "This message can no longer be changed."},
	CodeNotFound:              {"Das gibt es nicht oder nicht für Sie.", "This does not exist, or not for you."},
	CodeMethodNotAllowed:      {"Das ist hier nicht möglich.", "This is not possible here."},
	CodeTimeout:               {"Das hat zu lange gedauert. Bitte versuchen Sie es erneut.", "This took too long. Please try again."},
	CodeConsultationNotActive: {"Diese Beratung ist nicht aktiv.", "This consultation is not active."},
	CodeConflict:              {"Die Beratung hat sich inzwischen geändert.", "The consultation has changed in the meantime."},
	CodeMessageDeleted:        {"Diese Nachricht wurde gelöscht.", "This message has been deleted."},
	CodeStale:                 {"Die Nachricht wurde inzwischen geändert.", "The message has been changed in the meantime."},
	CodeTooLarge:              {"Die Anfrage ist zu groß.", "The request is too large."},
	CodeUnsupportedMediaType:  {"Dieses Format wird nicht unterstützt.", "This format is not supported."},
	CodeMessageRefused:        {"Diese Nachricht wurde nicht angenommen.", "This message was not accepted."},
	CodeRateLimited:           {"Zu viele Anfragen. Bitte warten Sie einen Moment.", "Too many requests. Please wait a moment."},
	CodeInternal:              {"Es ist ein Fehler aufgetreten. Bitte versuchen Sie es später erneut.", "Something went wrong. Please try again later."},
	CodeUnavailable:           {"Das hat zu lange gedauert. Bitte versuchen Sie es erneut.", "This took too long. Please try again."},
}

// fieldTexts has better sentences for the inputs that people type.
var fieldTexts = map[string]text{
	"content": {
		"Die Nachricht ist leer, zu lang oder enthält unzulässige Zeichen.",
		"The message is empty, too long, or has characters that are not allowed.",
	},
	"topic": {
		"Das Thema fehlt, ist zu lang oder enthält unzulässige Zeichen.",
		"The topic is missing, too long, or has characters that are not allowed.",
	},
}

// keyReused is the sentence for a key that was used for other content.
var keyReused = text{
	"Unter diesem Schlüssel wurde schon etwas anderes gesendet.", "Something else was sent under this key before.",
}

// sentence tells the user about a refusal. field is the input that was wrong, or "".
func sentence(code Code, field, lang string) string {
	t, ok := fieldTexts[field]
	if !ok {
		t = texts[code]
	}
	return t.in(lang)
}

func (t text) in(lang string) string {
	if lang == english {
		return t.en
	}
	return t.de
}
