package openapitest

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

// describe returns the description of a handler with a base path and all routes.
func describe(t *testing.T) []byte {
	t.Helper()
	server, err := ws.New(ws.Config{AppID: "app", Key: "key", Secret: "secret"})
	require.NoError(t, err)
	messages, err := chat.NewService(memstore.New(), server, nil)
	require.NoError(t, err)
	consultations, err := consultation.NewService(memstore.New(), server, nil)
	require.NoError(t, err)
	h, err := httpadapter.New(httpadapter.Config{
		Chat: messages, Consultations: consultations, BasePath: "/base", Signer: server, Socket: server,
		Transport: httpadapter.Transport{Key: "key"},
		Authenticator: httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) {
			return consultation.Participant{}, errors.New("nobody")
		}),
	})
	require.NoError(t, err)
	return h.OpenAPI()
}

func TestTheDescriptionIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(describe(t))
	require.NoError(t, err)
	require.NoError(t, document.Validate(t.Context()))
	require.NotNil(t, document.Paths.Find("/base/api/nachrichten"))

	broken := bytes.Replace(describe(t), []byte(`"in":"query"`), []byte(`"in":"nowhere"`), 1)
	document, err = openapi3.NewLoader().LoadFromData(broken)
	require.NoError(t, err)
	require.Error(t, document.Validate(t.Context()), "the library looks")
}

// compile makes a schema out of a part of a document; the library holds it to the meta-schema of its dialect.
func compile(t *testing.T, document []byte, pointer string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, c.AddResource("urn:test", doc))
	s, err := c.Compile("urn:test#" + pointer)
	require.NoError(t, err)
	return s
}

func TestTheSchemasOfTheDescriptionAreValid(t *testing.T) {
	t.Parallel()
	document := describe(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	for name := range doc.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any) {
		compile(t, document, "/components/schemas/"+name)
	}
}

func TestTheSchemasOfTheEventsAreValid(t *testing.T) {
	t.Parallel()
	document := chat.EventSchemas()
	compile(t, document, "")
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	for name := range doc.(map[string]any)["$defs"].(map[string]any) {
		compile(t, document, "/$defs/"+name)
	}
}

// TestRealEvents has a whole life of a consultation pass the schemas.
func TestRealEvents(t *testing.T) {
	t.Parallel()
	store, events := memstore.New(), &inmem.Broadcaster{}
	messages, err := chat.NewService(store, events, nil)
	require.NoError(t, err)
	consultations, err := consultation.NewService(store, events, nil)
	require.NoError(t, err)
	paula := consultation.Participant{UserID: "paula", Role: consultation.RolePatient, FirstName: "Paula"}
	stefan := consultation.Participant{UserID: "stefan", Role: consultation.RoleStudent, FirstName: "Stefan"}
	sofia := consultation.Participant{UserID: "sofia", Role: consultation.RoleStudent, FirstName: "Sofia"}
	c, err := consultations.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: paula})
	require.NoError(t, err)
	_, err = consultations.Accept(t.Context(), consultation.TransitionParams{ID: c.ID, By: consultation.Person(stefan)})
	require.NoError(t, err)
	sent, err := messages.Send(t.Context(), chat.SendParams{ConsultationID: c.ID, SenderID: paula.UserID, Content: "Guten Tag"})
	require.NoError(t, err)
	_, err = messages.MarkRead(t.Context(), chat.ReadParams{ConsultationID: c.ID, Reader: stefan.UserID, Seq: sent.Message.Seq})
	require.NoError(t, err)
	change := chat.OwnMessageParams{ID: sent.Message.ID, By: paula.UserID}
	_, err = messages.Edit(t.Context(), change, "Guten Abend")
	require.NoError(t, err)
	_, err = messages.Delete(t.Context(), change)
	require.NoError(t, err)
	_, err = consultations.Reassign(t.Context(), consultation.TransitionParams{ID: c.ID, By: consultation.Host(), Student: &sofia})
	require.NoError(t, err)
	require.Len(t, events.Events(), 8) // the last is for the channel that was left
	for _, ev := range events.Events() {
		for _, payload := range [][]byte{ev.Data, ev.Thin} {
			if payload == nil {
				continue
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
			require.NoError(t, err)
			require.NoError(t, compile(t, chat.EventSchemas(), "/$defs/"+ev.Name).Validate(value), "%s %s", ev.Name, payload)
		}
	}
	nonsense, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(`{"consultationId":"x","rev":"1"}`)))
	require.NoError(t, err)
	require.Error(t, compile(t, chat.EventSchemas(), "/$defs/resync-required").Validate(nonsense))
}
