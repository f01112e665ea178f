package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
)

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	login text NOT NULL UNIQUE, first_name text NOT NULL, last_name text NOT NULL,
	role text NOT NULL, salt bytea NOT NULL, password bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS sessions (token text PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id))`

// user is a row of the application's users table.
type user struct {
	id                  string
	firstName, lastName string
	role                string // PATIENT or STUDENT
}

var errNotLoggedIn = errors.New("not logged in")

func (a *app) createTables(ctx context.Context) error {
	if _, err := a.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("create the tables: %w", err)
	}
	for _, u := range []struct{ login, first, last, role string }{
		{"paula", "Paula", "Berger", "PATIENT"}, {"stefan", "Stefan", "Vogt", "STUDENT"},
	} {
		salt := []byte(rand.Text())
		hash, err := passwordHash("geheim", salt)
		if err != nil {
			return err
		}
		if _, err := a.db.ExecContext(ctx, `INSERT INTO users (login, first_name, last_name, role, salt, password)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, u.login, u.first, u.last, u.role, salt, hash); err != nil {
			return fmt.Errorf("create the users: %w", err)
		}
	}
	return nil
}

func passwordHash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, 100_000, 32)
}

// login answers a form with login and password by a session.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	var id string
	var salt, password []byte
	err := a.db.QueryRowContext(r.Context(), `SELECT id, salt, password FROM users WHERE login = $1`, r.PostFormValue("login")).
		Scan(&id, &salt, &password)
	hash, hashErr := passwordHash(r.PostFormValue("password"), salt)
	if err != nil || hashErr != nil || subtle.ConstantTimeCompare(hash, password) != 1 {
		http.Error(w, "wrong login or password", http.StatusUnauthorized)
		return
	}
	token := rand.Text()
	if _, err := a.db.ExecContext(r.Context(), `INSERT INTO sessions (token, user_id) VALUES ($1, $2)`, token, id); err != nil {
		http.Error(w, "that did not work", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "app_session", Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// user returns who is logged in.
func (a *app) user(r *http.Request) (user, error) {
	cookie, err := r.Cookie("app_session")
	if err != nil {
		return user{}, errNotLoggedIn
	}
	var u user
	err = a.db.QueryRowContext(r.Context(), `SELECT id, first_name, last_name, role FROM users
		JOIN sessions ON user_id = id WHERE token = $1`, cookie.Value).Scan(&u.id, &u.firstName, &u.lastName, &u.role)
	if err != nil {
		return user{}, errNotLoggedIn
	}
	return u, nil
}
