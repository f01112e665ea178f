package demo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/murph-chat/murph/consultation"
)

// demoConsultation is in progress between patient-1 and student-1 when the program starts for the first time.
const demoConsultation consultation.ID = "demo"

var (
	patient1 = consultation.Participant{UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Paula", LastName: "Berger"}
	student1 = consultation.Participant{UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Stefan", LastName: "Vogt"}
	student2 = consultation.Participant{UserID: "student-2", Role: consultation.RoleStudent, FirstName: "Sofia", LastName: "Lenz"}
)

// users stands in for the host's own user table.
var users = map[consultation.UserID]consultation.Participant{
	patient1.UserID: patient1,
	student1.UserID: student1,
	student2.UserID: student2,
}

// lookUp returns a user: one of those above, or one of the many without a name of their own that tests and the load of
// examples/multinode need, "patient-17" or "student-17".
func lookUp(id consultation.UserID) (consultation.Participant, bool) {
	if user, ok := users[id]; ok {
		return user, true
	}
	for prefix, role := range map[string]consultation.Role{
		"patient-": consultation.RolePatient, "student-": consultation.RoleStudent,
	} {
		number, ok := strings.CutPrefix(string(id), prefix)
		if n, err := strconv.ParseUint(number, 10, 16); ok && err == nil && n > 0 {
			return consultation.Participant{UserID: id, Role: role, FirstName: string(role), LastName: number}, true
		}
	}
	return consultation.Participant{}, false
}

// seed makes the demo consultation unless it is there.
func seed(ctx context.Context, s *consultation.Service) error {
	request := consultation.RequestParams{
		ID: demoConsultation, Topic: "Rückenschmerzen nach der Arbeit", Patient: patient1, By: consultation.Host(),
	}
	if _, err := s.Request(ctx, request); err != nil && !errors.Is(err, consultation.ErrExists) {
		return err
	}
	accept := consultation.TransitionParams{ID: demoConsultation, By: consultation.Host(), Student: &student1}
	if _, err := s.Accept(ctx, accept); err != nil && !errors.Is(err, consultation.ErrConflict) {
		return err
	}
	return nil
}

// The demo has no passwords: whoever asks to be patient-1 is. So its session cookie is just the user's id; a real
// application looks its own session up here. There is a cookie for each user, beside the one for the latest login,
// because two windows of one browser share their cookies: the page says with UserHeader which of them it means.
const cookieName = "murph_demo"

// UserHeader is the header in which the page names the user whose session it means.
const UserHeader = "X-Demo-User"

var errNoSession = errors.New("no session")

// authenticate tells the library who is asking.
func authenticate(r *http.Request) (consultation.Participant, error) {
	name := cookieName
	if user := r.Header.Get(UserHeader); user != "" {
		name += "_" + user
	}
	cookie, err := r.Cookie(name)
	if err != nil {
		return consultation.Participant{}, errNoSession
	}
	user, ok := lookUp(consultation.UserID(cookie.Value))
	if !ok {
		return consultation.Participant{}, errNoSession
	}
	return user, nil
}

// login answers POST /demo/login {"userId": "patient-1"}.
func login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		UserID consultation.UserID `json:"userId"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&body); err != nil {
		http.Error(w, "the body must be a JSON object with userId", http.StatusBadRequest)
		return
	}
	user, ok := lookUp(body.UserID)
	if !ok {
		http.Error(w, "the demo users are patient-1, student-1 and student-2", http.StatusNotFound)
		return
	}
	for _, name := range []string{cookieName, cookieName + "_" + string(user.UserID)} {
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: string(user.UserID), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(user); err != nil {
		return // the client has gone
	}
}

// reassign answers POST /demo/reassign {"studentId": "student-2"}, as a host that gives a consultation to another student.
// The optional consultationId defaults to the demo consultation.
func (a *App) reassign(w http.ResponseWriter, r *http.Request) {
	body := struct {
		ConsultationID consultation.ID     `json:"consultationId"`
		StudentID      consultation.UserID `json:"studentId"`
	}{ConsultationID: demoConsultation}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&body); err != nil {
		http.Error(w, "the body must be a JSON object with studentId", http.StatusBadRequest)
		return
	}
	student, ok := lookUp(body.StudentID)
	if !ok || student.Role != consultation.RoleStudent {
		http.Error(w, "the demo students are student-1 and student-2", http.StatusNotFound)
		return
	}
	change := consultation.TransitionParams{ID: body.ConsultationID, By: consultation.Host(), Student: &student}
	if _, err := a.consultations.Reassign(r.Context(), change); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
