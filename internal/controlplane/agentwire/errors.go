package agentwire

import (
	"encoding/json"
	"net/http"
)

// An httpError is an answer other than success: its status, and a message that
// says what was wrong with which field. It holds no token and no path.
type httpError struct {
	status     int
	message    string
	retryAfter string // seconds to wait before asking again; empty says nothing
}

func (e *httpError) Error() string { return e.message }

func badRequest(message string) error {
	return &httpError{status: http.StatusBadRequest, message: message}
}

func notFound(message string) error {
	return &httpError{status: http.StatusNotFound, message: message}
}

func tooLarge(message string) error {
	return &httpError{status: http.StatusRequestEntityTooLarge, message: message}
}

// errorBody is the form in which every agent reads an error.
type errorBody struct {
	Message string `json:"message"`
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, errorBody{Message: message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		// Only our own types come here, and they marshal.
		status, encoded = http.StatusInternalServerError, []byte(`{"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // answers hold tokens
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // a peer that has gone cannot be told
}
