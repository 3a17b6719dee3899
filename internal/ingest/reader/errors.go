package reader

import (
	"errors"
	"io/fs"

	"sendconnector/internal/notification"
)

// FileError is what makes a whole file unreadable. Problem is the Italian text; In
// gives it in another language.
type FileError struct {
	Problem notification.Problem
	args    []string
	cause   error
}

func fileError(code string, args ...string) *FileError {
	return &FileError{Problem: notification.New(notification.Italian, code, "", args...), args: args}
}

func (e *FileError) because(err error) *FileError {
	e.cause = err
	return e
}

// Error is the code and the Italian text.
func (e *FileError) Error() string { return e.Problem.Code + ": " + e.Problem.Message }

// Unwrap is the error of the operating system or a library, if one was the cause.
func (e *FileError) Unwrap() error { return e.cause }

// In is the problem in a language. Details that name formats and encodings are the
// same in all.
func (e *FileError) In(lang notification.Lang) notification.Problem {
	args := e.args
	if lang == notification.English {
		args = make([]string, len(e.args))
		for i, a := range e.args {
			args[i] = inEnglish(a)
		}
	}
	return notification.New(lang, e.Problem.Code, "", args...)
}

// readError wraps an error of the file system; its text is not for clerks but the
// only one there is. The path is left out: it may be in a clerk's language but is
// never theirs to see.
func readError(err error) *FileError {
	detail := err.Error()
	var p *fs.PathError
	if errors.As(err, &p) {
		detail = p.Err.Error()
	}
	return fileError("C-FILE-READ", "detail", detail).because(err)
}
